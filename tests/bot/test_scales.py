"""Scales: room for every value, round ticks by the wall clock, and thinned lines that keep their peaks and their gaps."""

from __future__ import annotations

import datetime
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chart import Unit
from bot.figures import Figures
from bot.scales import Point, thinned, time_ticks, value_scale, written

FIGURES = Figures("ko", "Asia/Seoul")
KIB, MIB, GIB = 1024.0, 1024.0**2, 1024.0**3
NOW = datetime.datetime(2026, 1, 22, 21, 17, tzinfo=ZoneInfo("Asia/Seoul")).timestamp()
HOUR, DAY = 3_600.0, 86_400.0


def labels(unit: Unit, peak: float) -> list[str]:
    return [label for _, label in value_scale(unit, peak, FIGURES).ticks]


@given(st.sampled_from(Unit), st.floats(0, 1e18))
@settings(max_examples=300, deadline=None)
def test_every_value_has_room_above_nought_and_few_ticks(unit: Unit, peak: float) -> None:
    scale = value_scale(unit, peak, FIGURES)
    ats = [at for at, _ in scale.ticks]
    assert ats[0] == 0
    assert ats[-1] == pytest.approx(scale.top)
    assert peak <= scale.top * 1.000001
    assert 2 <= len(ats) <= 6
    assert len({label for _, label in scale.ticks}) == len(ats)


@given(st.floats(0, 1e9))
@settings(max_examples=100, deadline=None)
def test_counts_have_whole_ticks(peak: float) -> None:
    assert all(float(at).is_integer() for at, _ in value_scale(Unit.COUNT, peak, FIGURES).ticks)


def test_a_share_near_a_hundred_is_seen_against_the_hundred_and_a_low_one_is_not_flat() -> None:
    assert labels(Unit.PERCENT, 91) == ["0", "25", "50", "75", "100"]
    assert labels(Unit.PERCENT, 100) == ["0", "25", "50", "75", "100"]
    assert labels(Unit.PERCENT, 240)[-1] == "300"
    assert labels(Unit.PERCENT, 12) == ["0", "5", "10", "15"]
    assert labels(Unit.PERCENT, 0) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("peak", "unit", "last"),
    [(0, "B", "2"), (1023.99, "KiB", "1.25"), (900 * MIB, "MiB", "1,000"), (3.3 * GIB, "GiB", "4"), (5e18, "PiB", "6,000")],
)
def test_bytes_are_said_in_one_unit_of_1024(peak: float, unit: str, last: str) -> None:
    scale = value_scale(Unit.BYTES, peak, FIGURES)
    assert (scale.unit, scale.ticks[-1][1]) == (unit, last)
    assert value_scale(Unit.BYTES_PER_SECOND, peak, FIGURES).unit == f"{unit}/s"


def test_values_are_written_with_their_unit() -> None:
    said = [written(1536.0, unit, FIGURES) for unit in Unit]
    assert said == ["1536%", "1.5 KiB", "1.5 KiB/s", "1,536", "1,536", "1536 ms"]
    assert written(0.25, Unit.PER_MINUTE, FIGURES) == "0.2"
    assert written(2.0, Unit.PER_MINUTE, FIGURES) == "2"
    assert written(None, Unit.COUNT, FIGURES) == "-"


def test_a_day_has_hours_and_its_midnight_is_a_date() -> None:
    assert [label for _, label in time_ticks(NOW - DAY, NOW, "Asia/Seoul")] == ["01-22", "06:00", "12:00", "18:00"]
    assert [label for _, label in time_ticks(NOW - DAY, NOW, "UTC")] == ["18:00", "01-22", "06:00", "12:00"]


@pytest.mark.parametrize(
    ("span", "first", "count"),
    [
        (600, "21:08", 5),
        (HOUR, "20:30", 4),
        (7 * DAY, "01-17", 4),
        (30 * DAY, "12-30", 5),
        (365 * DAY, "2025-04", 4),
        (9_000 * DAY, "2005-01", 5),
    ],
)
def test_ticks_are_few_and_round_for_every_span(span: float, first: str, count: int) -> None:
    ticks = time_ticks(NOW - span, NOW, "Asia/Seoul")
    assert count - 1 <= len(ticks) <= count
    assert first in [label for _, label in ticks][:2]


def test_midnights_stay_midnights_when_the_clocks_change() -> None:
    until = datetime.datetime(2026, 4, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    places = [
        datetime.datetime.fromtimestamp(at, ZoneInfo("Europe/Berlin")) for at, _ in time_ticks(until - 7 * DAY, until, "Europe/Berlin")
    ]
    assert {(place.hour, place.minute) for place in places} == {(0, 0)}
    assert any(a.utcoffset() != b.utcoffset() for a, b in itertools.pairwise(places))


def values_of(points: list[Point]) -> list[float]:
    return [value for _, value in points if value is not None]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=1, max_size=400), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_a_thinned_line_keeps_its_peaks_its_ends_and_a_gap_where_one_was(values: list[float | None], buckets: int) -> None:
    points: list[Point] = [(float(number), value) for number, value in enumerate(values)]
    kept = thinned(points, 0.0, float(len(values)), buckets)
    assert [at for at, _ in kept] == sorted(at for at, _ in kept)
    known = [value for value in values if value is not None]
    if known:
        assert (min(values_of(kept)), max(values_of(kept))) == (min(known), max(known))
    assert {point for point in kept if point[1] is not None} <= set(points)
    for (before, low), (after, high) in itertools.pairwise(kept):
        if low is not None and high is not None:
            assert None not in values[int(before) : int(after)], "no line is drawn over a gap"


def test_a_long_line_becomes_short() -> None:
    points: list[Point] = [(float(number), number % 97.0 if number % 5 else None) for number in range(23_040)]
    assert len(thinned(points, 0, 23_040, 320)) <= 9 * 320


def test_what_is_outside_or_no_number_is_left_out() -> None:
    points: list[Point] = [(-1, 5.0), (0, 1.0), (1, float("nan")), (2, float("inf")), (3, 2.0), (99, 7.0)]
    assert thinned(points, 0, 10, 100) == [(0, 1.0), (1, None), (2, None), (3, 2.0)]
