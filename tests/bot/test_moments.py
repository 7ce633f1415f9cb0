"""Typed times: what people write, in their zone, on the days the clocks change, and what cannot be meant."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Usage
from bot.moments import LONGEST, Present, begins, check, seconds_of
from bot.words import LANGUAGES, Words

SEOUL, NEW_YORK = "Asia/Seoul", "America/New_York"


def moment(text: str, zone: str = SEOUL) -> float:
    """An ISO moment in a zone, the plain way."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


NOW = moment("2026-01-22T14:30:00")
PRESENT = Present(NOW, SEOUL)


def fault(since: str, until: str | None = None) -> Usage:
    """What is wrong with a period."""
    with pytest.raises(Usage) as usage:
        PRESENT.period(since, until)
    return usage.value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2h", NOW - 7_200),
        ("90M", NOW - 5_400),
        ("1d", NOW - 86_400),
        ("1h30m", NOW - 5_400),
        ("2시간", NOW - 7_200),
        ("30분 전", NOW - 1_800),
        ("2h ago", NOW - 7_200),
        ("now", NOW),
        ("2026-01-22T10:00:00", moment("2026-01-22T10:00:00")),
        ("2026-01-22 10:00", moment("2026-01-22T10:00:00")),
        ("2026-01-22", moment("2026-01-22T00:00:00")),
        ("2026-1-2 9:05", moment("2026-01-02T09:05:00")),
        ("2026-01-22T10:00:00.250", moment("2026-01-22T10:00:00.250")),
        ("10:00", moment("2026-01-22T10:00:00")),
        ("15:00", moment("2026-01-21T15:00:00")),
        ("14:30:30", NOW),  # a phone that is half a minute fast
        ("어제", moment("2026-01-21T00:00:00")),
        ("어제 9:30", moment("2026-01-21T09:30:00")),
        ("Yesterday 09:30", moment("2026-01-21T09:30:00")),
        ("오늘", moment("2026-01-22T00:00:00")),
        ("2026-01-22T01:00:00Z", moment("2026-01-22T10:00:00")),
        ("2026-01-22T10:00:00+09:00", moment("2026-01-22T10:00:00")),
        ("2026-01-22T10:00:00 +0900", moment("2026-01-22T10:00:00")),
        ("2026-01-22 10:00 KST", moment("2026-01-22T10:00:00")),
        ("10:00 Asia/Seoul", moment("2026-01-22T10:00:00")),
        ("2026-01-22T00:00 America/New_York", moment("2026-01-22T00:00:00", NEW_YORK)),
        ("05:00Z", moment("2026-01-22T14:00:00")),
    ],
)
def test_what_people_write_is_understood(text: str, meant: float) -> None:
    check(text)
    assert PRESENT.at(text) == pytest.approx(meant)


@pytest.mark.parametrize(
    ("since", "until", "key"),
    [
        ("99999d", None, "too_far"),
        ("999999999w", None, "too_far"),
        ("2020-01-01", None, "too_far"),
        ("2026-01-23", None, "in_future"),
        ("2h", "2026-02-01T10:00", "in_future"),
        ("1h", "2h", "upside_down"),
        ("10:00", "09:00", "upside_down"),
        ("2h", "2h", "upside_down"),
        ("soon", None, "nonsense"),
        ("", None, "nonsense"),
        ("10", None, "nonsense"),
        ("-2h", None, "nonsense"),
        ("2y", None, "nonsense"),
        ("1e3", None, "nonsense"),
        ("2026-02-31", None, "no_such_time"),
        ("2026-13-01", None, "no_such_time"),
        ("25:00", None, "no_such_time"),
        ("10:61", None, "no_such_time"),
        ("0001-01-01 00:00 +14:00", None, "too_far"),
        ("0001-01-01 00:00 Asia/Seoul", None, "too_far"),
        ("9999-12-31 23:59 America/New_York", None, "in_future"),
        ("2h", "9999-12-31", "in_future"),
        ("10:00 Mars/Olympus", None, "unknown_zone"),
        ("2026-01-22T10:00:00 asia/atlantis", None, "unknown_zone"),
        ("10:00+99:00", None, "no_such_time"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_both_languages(since: str, until: str | None, key: str) -> None:
    found = fault(since, until)
    assert found.key == f"moments.{key}"
    for language in LANGUAGES:
        said = Words(language)(found.key, **found.values)
        assert "{" not in said
        assert said != found.key


def test_a_period_that_is_too_short_is_refused() -> None:
    with pytest.raises(Usage, match="too_short"):
        PRESENT.period("30s", shortest=60)


def test_a_day_as_the_end_is_the_whole_day() -> None:
    assert PRESENT.period("2026-01-20", "2026-01-20") == PRESENT.period("2026-01-20T00:00", "2026-01-21T00:00")
    assert PRESENT.period("2026-01-20", "today").until == NOW
    assert PRESENT.period("yesterday", "yesterday").until == moment("2026-01-22T00:00:00")


def test_tomorrow_is_no_end_shortly_before_midnight() -> None:
    late = Present(moment("2026-01-22T23:00:00"), SEOUL)
    with pytest.raises(Usage, match="in_future"):
        late.period("2h", "2026-01-23")


def test_a_time_of_day_before_midnight_is_yesterdays() -> None:
    early = Present(moment("2026-01-22T01:00:00"), SEOUL)
    assert early.period("22:00", "00:30") == early.period("2026-01-21T22:00", "2026-01-22T00:30")


def test_an_hour_that_comes_twice_is_taken_whole() -> None:
    after = Present(moment("2026-11-01T12:00:00", NEW_YORK), NEW_YORK)
    period = after.period("2026-11-01T01:30", "2026-11-01T01:30")
    assert period.until - period.since == 3_600


def test_an_hour_that_is_left_out_is_no_fault() -> None:
    after = Present(moment("2026-03-08T12:00:00", NEW_YORK), NEW_YORK)
    period = after.period("2026-03-08T02:30", "2026-03-08T02:45")
    assert period.since < period.until
    assert after.at("2026-03-08T01:59") < period.until


def test_a_day_of_twenty_five_hours_is_whole() -> None:
    after = Present(moment("2026-11-03T12:00:00", NEW_YORK), NEW_YORK)
    period = after.period("2026-11-01", "2026-11-01")
    assert period.until - period.since == 25 * 3_600


@pytest.mark.parametrize(
    ("since", "until", "meant"),
    [
        ("2026-01-20T10:00:00", "11:00", "2026-01-20T11:00:00"),
        ("2026-01-20 23:00", "01:00", "2026-01-21T01:00:00"),
        ("2026-01-20T10:00Z", "11:00", "2026-01-20T20:00:00"),
        ("어제 9:00", "9:30", "2026-01-21T09:30:00"),
        ("3h", "14:00", "2026-01-22T14:00:00"),
    ],
)
def test_an_end_that_names_no_day_is_of_the_day_of_the_beginning(since: str, until: str, meant: str) -> None:
    assert PRESENT.period(since, until).until == moment(meant)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1H", 3_600), ("3주", 1_814_400), ("1h 5m", 3_900), ("x", None), ("", None)])
def test_lengths_of_time_are_read(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_a_date_and_the_time_behind_it_belong_together() -> None:
    assert begins("2026-01-22", "10:00")
    assert begins("어제", "9:30")
    assert not begins("2026-01-22", "backend")
    assert not begins("2h", "10:00")


@given(st.text(max_size=40))
def test_nothing_typed_breaks_it(text: str) -> None:
    with suppress(Usage):
        assert NOW - LONGEST <= PRESENT.period(text).since < NOW


@given(st.datetimes(min_value=datetime(2025, 6, 1), max_value=datetime(2026, 1, 1)), st.sampled_from([SEOUL, NEW_YORK, "UTC"]))  # noqa: DTZ001
def test_every_moment_that_is_written_is_read_back(when: datetime, zone: str) -> None:
    local = when.replace(tzinfo=ZoneInfo(zone), microsecond=0)
    assert PRESENT.at(local.isoformat()) == local.timestamp()
