"""Where a figure is going: one odd hour decides nothing, a clean-up is no shrinking, and too little is said to be too little."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bot.ops.trend import Confidence, Course, growth, usual
from bot.series import Bucket

GIB = float(1 << 30)
FREE = 100 * GIB
WEEK = 168


def hourly(value: Callable[[int], float], hours: int = WEEK, begin: int = 0) -> list[Bucket]:
    return [Bucket(3_600.0 * hour, 3_600.0, value(hour), value(hour), value(hour), 120) for hour in range(begin, begin + hours)]


def noisy(per_day: float, noise: float = 0.02) -> Callable[[int], float]:
    dice = random.Random(7)
    return lambda hour: 50 * GIB + per_day * hour / 24 + dice.gauss(0, noise) * GIB


def test_steady_growth_is_found_and_trusted() -> None:
    found = growth(hourly(noisy(GIB)), FREE)
    assert (found.course, found.confidence, found.drops, found.values) == (Course.GROWING, Confidence.HIGH, 0, WEEK)
    assert found.per_day == pytest.approx(GIB, rel=0.02)
    assert found.days_until_full == pytest.approx(100, rel=0.02)


def test_odd_hours_decide_nothing() -> None:
    even = noisy(GIB, 0)
    found = growth(hourly(lambda hour: even(hour) + (30 * GIB if hour in (20, 90, 91) else 0)), FREE)
    assert found.per_day == pytest.approx(GIB, rel=0.1)


@pytest.mark.parametrize("lasts", [1, 3])
def test_clean_ups_are_left_out_and_counted(lasts: int) -> None:
    def used(hour: int) -> float:
        cycle, into = divmod(hour, 56)
        cleaned = min(into, lasts) / lasts * 2 * GIB if cycle else 0.0
        return 50 * GIB + GIB * hour / 24 - 2 * GIB * max(0, cycle - 1) - cleaned

    found = growth(hourly(used), FREE)
    assert (found.course, found.drops) == (Course.GROWING, 2)
    assert found.per_day == pytest.approx(GIB, rel=0.05)
    assert found.dropped == pytest.approx(4 * GIB, rel=0.1)


@pytest.mark.parametrize("lasts", [1, 5])
@pytest.mark.parametrize("at", [10, 40, 84, 130, 160])
@pytest.mark.parametrize("per_day", [0.0, GIB])
def test_one_big_copy_in_a_week_is_told_and_is_no_growth(at: int, lasts: int, per_day: float) -> None:
    found = growth(hourly(lambda hour: 50 * GIB + per_day * hour / 24 + 10 * GIB * min(1, max(0, hour - at) / lasts)), FREE)
    assert found.per_day == pytest.approx(per_day, rel=0.05)
    assert found.drops == 0
    assert found.jumped == pytest.approx(10 * GIB, rel=0.05)
    assert (found.days_until_full is None) is (per_day == 0)


@pytest.mark.parametrize("since", [120, 160, 166])
def test_what_has_not_stopped_filling_the_disk_is_no_big_copy(since: int) -> None:
    found = growth(hourly(lambda hour: 50 * GIB + max(0, hour - since) * GIB), FREE)
    assert found.jumped == 0
    assert found.course is (Course.GROWING if since == 120 else Course.STABLE)


def test_a_copy_every_night_is_growth() -> None:
    for days in (2, 7):
        found = growth(hourly(lambda hour: 50 * GIB + 5 * GIB * (hour // 24), 24 * days + 12), FREE)
        assert (found.course, found.jumped) == (Course.GROWING, 0)
        assert found.per_day == pytest.approx(5 * GIB, rel=0.25)


@pytest.mark.parametrize(("per_day", "course"), [(0.0, Course.STABLE), (-GIB, Course.SHRINKING), (GIB / 100, Course.STABLE)])
def test_what_does_not_grow_is_never_full(per_day: float, course: Course) -> None:
    found = growth(hourly(noisy(per_day)), FREE)
    assert (found.course, found.days_until_full, found.drops) == (course, None, 0)


@pytest.mark.parametrize("hours", [0, 1, 11, 22])
def test_less_than_a_day_is_not_enough(hours: int) -> None:
    found = growth(hourly(noisy(GIB), hours), FREE)
    assert (found.course, found.per_day, found.days_until_full, found.confidence) == (Course.UNKNOWN, None, None, None)
    assert found.span_s == hours * 3_600


def test_a_day_is_enough_but_not_much() -> None:
    found = growth(hourly(noisy(GIB), 25), FREE)
    assert (found.course, found.confidence) == (Course.GROWING, Confidence.LOW)


def test_two_hours_a_week_apart_are_no_basis() -> None:
    assert growth([*hourly(noisy(GIB), 1), *hourly(noisy(GIB), 1, WEEK)], FREE).course is Course.UNKNOWN


def test_a_gap_in_the_record_is_no_clean_up() -> None:
    found = growth([*hourly(noisy(GIB), 40), *hourly(noisy(GIB), 40, 100)], FREE)
    assert (found.drops, found.jumped) == (0, 0)
    assert found.per_day == pytest.approx(GIB, rel=0.05)


def test_all_zeros_are_still() -> None:
    assert growth(hourly(lambda hour: 0.0), 0.0).course is Course.STABLE


def test_the_usual_value_weighs_every_measurement_alike() -> None:
    assert usual([]) is None
    assert usual([Bucket(0, 60, 1, 1, 1, 1), Bucket(60, 60, 4, 4, 4, 2)]) == 3
