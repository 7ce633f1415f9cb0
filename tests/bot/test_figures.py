"""Figures as people read them, in both languages."""

from __future__ import annotations

import pytest

from bot.figures import Figures

KO, EN = Figures("ko", "Asia/Seoul"), Figures("en", "UTC")


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        ((1 << 20) - 1, "1.0 MiB"),
        (3 << 60, "3072.0 PiB"),
    ],
)
def test_sizes_are_in_powers_of_1024(count: int, shown: str) -> None:
    assert KO.size(count) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.04, "0.0%"), (9.94, "9.9%"), (9.96, "10%"), (42.4, "42%"), (99.6, "99.6%"), (99.97, "99.9%"), (100.0, "100%"), (None, "-")],
)
def test_a_share_is_never_rounded_up_to_all(share: float | None, shown: str) -> None:
    assert KO.percent(share) == shown


@pytest.mark.parametrize(
    ("seconds", "korean", "english"),
    [
        (0, "0초", "0s"),
        (0.4, "0.4초", "0.4s"),
        (9.97, "10초", "10s"),
        (61, "1분 1초", "1m 1s"),
        (3600, "1시간", "1h"),
        (3661, "1시간 1분", "1h 1m"),
        (86_400 * 3 + 4 * 3600 + 59, "3일 4시간", "3d 4h"),
        (86_400 + 61, "1일", "1d"),
        (86_400 * 156 + 21 * 3600, "156일", "156d"),
        (-5, "0초", "0s"),
        (None, "-", "-"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units_or_many_days(seconds: float | None, korean: str, english: str) -> None:
    assert (KO.duration(seconds), EN.duration(seconds)) == (korean, english)


def test_moments_are_told_in_the_readers_time_zone() -> None:
    assert (KO.moment(0), EN.moment(0)) == ("01-01 09:00", "01-01 00:00")
    assert KO.moment(None) == "-"


def test_a_moment_of_another_day_is_told_with_its_date() -> None:
    assert EN.clock(0, 60) == "00:00:00"
    assert EN.clock(0, 86_400) == "01-01 00:00:00"


def test_how_long_ago_is_never_in_the_future() -> None:
    assert (KO.since(100, 160), EN.since(160, 100), KO.since(None, 1)) == ("1분 전", "0s ago", "-")


def test_numbers_have_their_thousands_apart() -> None:
    assert KO.count(1234567) == "1,234,567"


def test_short_times_are_in_milliseconds() -> None:
    assert (KO.milliseconds(0.84), KO.milliseconds(12.4)) == ("0.8 ms", "12 ms")


def test_a_moment_for_a_file_is_whole() -> None:
    assert Figures("ko", "Asia/Seoul").exact(1_769_076_001.25) == "2026-01-22 19:00:01.250"
