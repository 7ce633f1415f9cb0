"""Figures to openings and closings: windows, hysteresis, flapping, what is not known, clocks that jump."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bot.alert_rules import Rule
from bot.monitors import Change, step
from bot.store.alert_rows import Monitor
from tests.bot.alerted import rule

MINUTE = 60.0


def course(watched: Rule, figures: Sequence[tuple[float, float | None]], gap: float = 180.0) -> list[tuple[float, Change]]:
    """(when, what) for figures at their moments, in seconds."""
    monitor, found = Monitor(watched.name, "/"), []
    for at, value in figures:
        taken = step(watched, monitor, value, 1_000_000 + at, gap)
        monitor = taken.after
        if taken.change is not None:
            found.append((at, taken.change))
    return found


def every(seconds: float, values: Sequence[float | None], begin: float = 0.0) -> list[tuple[float, float | None]]:
    return [(begin + place * seconds, value) for place, value in enumerate(values)]


@pytest.mark.parametrize(
    ("changes", "values", "expected"),
    [
        ({}, [89.9] * 10, []),
        ({"for": "0s"}, [90.0], [(0, Change.OPENED)]),
        ({"for": "0s"}, [100.0], [(0, Change.OPENED)]),
        ({}, [95, 95], []),
        ({}, [95, 95, 95], [(60, Change.OPENED)]),
        ({}, [95, 80, 95, 95], []),
        ({}, [95, 88, 95, 95], []),
        ({}, [95, None, 95], [(60, Change.OPENED)]),
        ({}, [95, 95, 95, 80, 80, 80], [(60, Change.OPENED), (150, Change.CLOSED)]),
        ({}, [95, 95, 95, 88, 88, 88, 88], [(60, Change.OPENED)]),
        ({}, [95, 95, 95, 80, 88, 80, 80], [(60, Change.OPENED)]),
        ({}, [95, 95, 95, 80, 80, 95, 80, 80, 80], [(60, Change.OPENED), (240, Change.CLOSED)]),
        ({}, [95, 95, 95, None, None, None, None], [(60, Change.OPENED)]),
        ({"clear": None}, [95, 95, 95, 89, 89, 89], [(60, Change.OPENED), (150, Change.CLOSED)]),
        ({"above": None, "below": 10, "clear": 12, "for": "0s"}, [10], [(0, Change.OPENED)]),
        ({"above": None, "below": 10, "clear": 12, "for": "0s"}, [9, 11, 11, 11], [(0, Change.OPENED)]),
        ({"above": None, "below": 10, "clear": 12, "for": "0s"}, [9, 12, 12, 12], [(0, Change.OPENED), (90, Change.CLOSED)]),
        ({"for": "0s", "clear_for": "0s"}, [95, 80], [(0, Change.OPENED), (30, Change.CLOSED)]),
    ],
)
def test_a_row_of_figures_opens_and_closes_as_the_rule_says(
    changes: dict[str, Any], values: list[float | None], expected: list[tuple[float, Change]]
) -> None:
    assert course(rule(**changes), every(30, values)) == expected


def test_the_third_opening_within_the_hour_is_flapping_and_stays_open_until_it_is_calm_for_long() -> None:
    watched = rule(**{"for": "0s", "clear_for": "0s"})
    found = course(watched, every(30, [95, 80, 95, 80, 95, *[80, 95] * 20, *[80] * 62]))
    assert [change for _, change in found] == [Change.OPENED, Change.CLOSED, Change.OPENED, Change.CLOSED, Change.OPENED, Change.CLOSED]
    assert found[-1][0] - 30 * 44 >= watched.calm_for


def test_turning_bad_again_and_again_before_it_is_over_is_flapping_too() -> None:
    watched = rule(**{"for": "0s", "clear_for": "2m"})
    assert course(watched, every(30, [95, 80, 95, 80, 95, 80])) == [(0, Change.OPENED), (120, Change.FLAPS)]


def test_openings_far_apart_are_no_flapping() -> None:
    watched = rule(**{"for": "0s", "clear_for": "0s"})
    figures = [(hour * 3_600.0 + part, value) for hour in range(5) for part, value in ((0, 95.0), (30, 80.0))]
    monitor = Monitor("disk", "/")
    for at, value in figures:
        monitor = step(watched, monitor, value, 1_000_000 + at).after
        assert not monitor.flapping


@pytest.mark.parametrize("jump", [-86_400.0, -60.0, 3_600.0, 365 * 86_400.0])
def test_a_clock_that_jumps_starts_a_window_anew_and_opens_nothing_by_itself(jump: float) -> None:
    assert course(rule(), [(0, 95), (30, 95), (60 + jump, 95), (90 + jump, 95)]) == []
    after = course(rule(), [(0, 95), (30, 95), (60 + jump, 95), (90 + jump, 95), (120 + jump, 95)])
    assert after == [(120 + jump, Change.OPENED)]


@pytest.mark.parametrize("jump", [-86_400.0, -60.0, 3_600.0, 365 * 86_400.0])
def test_a_clock_that_jumps_closes_nothing_by_itself(jump: float) -> None:
    figures = [(0, 95.0), (30, 95.0), (60, 95.0), (90, 80.0), (120 + jump, 80.0)]
    assert course(rule(), figures) == [(60, Change.OPENED)]
    assert course(rule(), [*figures, (180 + jump, 80.0)])[-1] == (180 + jump, Change.CLOSED)


def test_what_is_measured_seldom_has_windows_as_long_as_its_own_pauses() -> None:
    watched = rule(**{"for": "0s", "clear_for": "1m"})
    assert course(watched, every(3_600, [95, 80, 80]), gap=3 * 3_600.0) == [(0, Change.OPENED), (7_200, Change.CLOSED)]
