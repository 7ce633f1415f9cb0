"""Measured figures as people see them: changes with their sign, gaps drawn as gaps, the record's edges said."""

from __future__ import annotations

import pytest

from bot.chart import Unit
from bot.figures import Figures
from bot.ops.trend_telling import Period, TrendTelling, an_hour_ago
from bot.series import Bucket, Measured, Series, Summary, summary
from bot.words import LANGUAGES, Words

NOW = 1_770_000_000.0
PERIOD = Period.until_now("1h", NOW)
TELLING = TrendTelling(Words("en"), Figures("en", "UTC"))
CPU = Series("host", "", "cpu_percent")


def bucket(ago: float, mean: float, span: float = 30.0) -> Bucket:
    return Bucket(NOW - ago, span, mean - 1, mean, mean + 1, 1)


@pytest.mark.parametrize(
    ("unit", "now", "before", "told"),
    [
        (Unit.PERCENT, 12.0, 9.5, "+2.5 pts"),
        (Unit.PERCENT, 9.5, 12.0, "-2.5 pts"),
        (Unit.BYTES, 3 << 20, 1 << 20, "+2.0 MiB"),
        (Unit.COUNT, 5, 5, "±0"),
        (Unit.PERCENT, 5.01, 5.0, "±0"),
        (Unit.COUNT, 5, None, "-"),
        (Unit.COUNT, 5, 4.5, "+0.5"),
    ],
)
def test_a_change_has_its_sign(unit: Unit, now: float, before: float | None, told: str) -> None:
    assert TELLING.change(unit, now, before) == told


def test_points_are_written_as_each_language_writes_them() -> None:
    told = {language: TrendTelling(Words(language), Figures(language, "UTC")).change(Unit.PERCENT, 12.0, 9.5) for language in LANGUAGES}
    assert told == {"ko": "+2.5%p", "en": "+2.5 pts"}


def test_a_missing_stretch_is_an_empty_point_between_two() -> None:
    found = [bucket(ago, 1) for ago in (300, 270, 240, 90, 60, 30)]
    (line,) = TELLING.chart("t", Unit.PERCENT, {"x": found}, PERIOD).lines
    assert [value for _, value in line.points] == [1, 1, 1, None, 1, 1, 1]
    assert [at for at, _ in line.points] == sorted(at for at, _ in line.points)


def test_a_picture_of_a_young_record_begins_where_the_record_does() -> None:
    young = TELLING.chart("t", Unit.PERCENT, {"x": [bucket(300, 1)], "none": []}, PERIOD)
    assert (young.since, young.until) == (NOW - 300, NOW)
    assert TELLING.chart("t", Unit.PERCENT, {"x": [bucket(3_000, 1)]}, PERIOD).since == PERIOD.since
    assert TELLING.chart("t", Unit.PERCENT, {"x": []}, PERIOD).since == PERIOD.since


def test_the_alt_text_holds_the_figures_and_nothing_that_moves_the_cursor() -> None:
    chart = TELLING.chart("CPU", Unit.PERCENT, {"back\x1b[2Jend": [bucket(60, 4), bucket(30, 6)], "none": []}, PERIOD, (90.0, "limit"))
    assert "backend: lowest 3.0%, mean 5.0%, highest 7.0%, latest 6.0%" in chart.alt
    assert "\x1b" not in chart.alt + chart.lines[0].label
    assert (chart.limit, chart.limit_label) == (90.0, "limit")
    assert "no record" in TELLING.chart("CPU", Unit.PERCENT, {"none": []}, PERIOD).alt


@pytest.mark.parametrize(
    ("since", "latest", "told"),
    [(7_200, 10, ()), (600, 10, ("begins",)), (7_200, 1_800, ("last record",)), (900, 600, ("begins", "last record"))],
)
def test_what_the_record_lacks_is_said(since: float, latest: float, told: tuple[str, ...]) -> None:
    said = TELLING.coverage({CPU: Measured(NOW - since, NOW - latest)}, PERIOD)
    assert len(said.splitlines()) == len(told)
    assert all(word in said for word in told)


def test_no_record_at_all_is_said() -> None:
    assert "No record yet" in TELLING.coverage({}, PERIOD)


def test_an_hour_ago_is_the_minutes_around_it() -> None:
    since, until = an_hour_ago(NOW)
    assert since < NOW - 3_600 < until < NOW


def test_a_summary_weighs_buckets_by_their_measurements() -> None:
    assert summary([]) is None
    found = summary([Bucket(0, 60, 1, 2, 3, 1), Bucket(60, 60, 0, 5, 9, 2)])
    assert found == Summary(0, 4, 9, 5, 3)
    assert TELLING.cells(Unit.COUNT, found) == ("0", "4", "9", "5")
    assert TELLING.cells(Unit.COUNT, None) == ("-", "-", "-", "-")
