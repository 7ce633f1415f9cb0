"""Cron fields to moments: cron's own rules, in the zone's own time, and right on the days when its clocks change."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.scheduler_times import Regular, timetable

SEOUL, NEW_YORK = "Asia/Seoul", "America/New_York"


def at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def coming(cron: str, zone: str, since: str, count: int) -> list[str]:
    """The next moments, on the clock of the zone and with how far that is from UTC."""
    when, moment, told = timetable(cron, zone), at(since, zone), []
    for _ in range(count):
        moment = when.after(moment)
        told.append(datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%a %m-%d %H:%M %z"))
    return told


def test_a_day_without_half_past_two_runs_once_as_soon_as_the_clock_goes_on() -> None:
    assert coming("30 2 * * *", NEW_YORK, "2026-03-07 12:00", 2) == ["Sun 03-08 03:30 -0400", "Mon 03-09 02:30 -0400"]


def test_a_day_with_two_half_past_ones_runs_once_at_the_first() -> None:
    assert coming("30 1 * * *", NEW_YORK, "2026-10-31 12:00", 2) == ["Sun 11-01 01:30 -0400", "Mon 11-02 01:30 -0500"]


def test_what_runs_all_the_time_runs_through_both_nights_without_a_gap() -> None:
    autumn = timetable("*/30 * * * *", NEW_YORK)
    spring = [at("2026-03-08 00:00", NEW_YORK), at("2026-03-08 06:00", NEW_YORK)]
    for begin, end in ((at("2026-11-01 00:00", NEW_YORK), at("2026-11-01 06:00", NEW_YORK)), (spring[0], spring[1])):
        moments, moment = [], autumn.after(begin - 1)
        while moment < end:
            moments.append(moment)
            moment = autumn.after(moment)
        assert moments == [begin + 1_800 * number for number in range(round((end - begin) / 1_800))]


def test_seoul_has_no_such_nights() -> None:
    assert coming("10 3 * * *", SEOUL, "2026-03-08 00:00", 2) == ["Sun 03-08 03:10 +0900", "Mon 03-09 03:10 +0900"]


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("sun", "Sun"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("FRI-mon", "Sun Mon Fri Sat"),
        ("5-7", "Sun Fri Sat"),
        ("*/2", "Sun Tue Thu Sat"),
        ("mon,3", "Mon Wed"),
        ("1-5/2", "Mon Wed Fri"),
    ],
)
def test_weekdays_are_crons(field: str, days: str) -> None:
    week = coming(f"0 9 * * {field}", SEOUL, "2026-11-01 00:00", len(days.split()))
    assert [each[:3] for each in week] == days.split()


def test_a_day_of_the_month_and_a_weekday_together_mean_either() -> None:
    assert [each[:9] for each in coming("0 9 13 * mon", SEOUL, "2026-11-08 00:00", 3)] == ["Mon 11-09", "Fri 11-13", "Mon 11-16"]


def test_months_have_names() -> None:
    assert [each[4:9] for each in coming("0 9 1 jan,JUL *", SEOUL, "2026-11-01 00:00", 3)] == ["01-01", "07-01", "01-01"]


@pytest.mark.parametrize(
    "cron",
    ["", "* * * *", "* * * * * *", "60 * * * *", "0 0 30 2 *", "0 0 * * 8", "0 0 * * */0", "0 0 * * foo", "a b c d e", "*/0 0 * * *"],
)
def test_what_is_no_cron_expression_or_never_comes_true_is_refused(cron: str) -> None:
    with pytest.raises(ValueError):
        timetable(cron, SEOUL)


@pytest.mark.parametrize(
    ("cron", "since", "until", "latest"),
    [
        ("10 3 * * *", "2026-11-01 03:10", "2026-11-04 12:00", "2026-11-04 03:10"),
        ("10 3 * * *", "2026-11-04 03:10", "2026-11-04 12:00", None),
        ("* * * * *", "2016-11-04 03:10", "2026-11-04 12:00", "2026-11-04 12:00"),
        ("0 0 29 2 *", "2016-11-04 03:10", "2026-11-04 12:00", "2024-02-29 00:00"),
        ("0 0 29 2 *", "2025-11-04 03:10", "2026-11-04 12:00", None),
    ],
)
def test_the_latest_of_many_missed_moments_is_found_at_once(cron: str, since: str, until: str, latest: str | None) -> None:
    found = timetable(cron, SEOUL).latest(at(since, SEOUL), at(until, SEOUL))
    assert found == (None if latest is None else at(latest, SEOUL))


@pytest.mark.parametrize(
    ("cron", "regular"),
    [
        ("5 3 * * *", Regular("03:05")),
        ("0 9 * * 1,3", Regular("09:00", ("mon", "wed"))),
        ("0 9 1 * *", Regular("09:00", day="1")),
        ("*/5 3 * * *", None),
        ("0 9 1 1 *", None),
        ("0 9 1 * mon", None),
        ("0 9 1-7 * *", None),
    ],
)
def test_what_can_be_said_in_a_few_words_is_known(cron: str, regular: Regular | None) -> None:
    assert timetable(cron, SEOUL).regular == regular
