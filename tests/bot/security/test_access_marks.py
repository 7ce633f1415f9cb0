"""Access lines of trouble, counted by address."""

from __future__ import annotations

import pytest

from bot.security import access_marks
from bot.security.access_marks import AccessMarks, address_of


def line(status: int, forwarded: str = "203.0.113.7", agent: str = "curl") -> str:
    return f'172.18.0.1 - - [22/Jan/2026:10:00:01 +0000] "GET /wp-login.php HTTP/1.1" {status} 153 "-" "{agent}" "{forwarded}"'


def test_trouble_is_counted_by_the_address_that_was_forwarded_the_worst_first() -> None:
    marks = AccessMarks()
    kept = [marks.feed(line(status)) for status in (200, 404, 404, 401, 502, 503, 304)]
    assert kept == [False, True, True, True, True, True, False]
    marks.feed(line(429, "198.51.100.2, 203.0.113.7"))
    assert marks.worst() == [("203.0.113.7", {"401": 1, "404": 2, "5xx": 2}), ("198.51.100.2", {"429": 1})]
    assert not marks.feed("2026/01/25 11:10:30 [error] 33#33: *8 connect() failed")


@pytest.mark.parametrize("forwarded", ["-", "", "<script>", "x" * 200])
def test_what_is_no_address_is_not_taken_for_one(forwarded: str) -> None:
    assert address_of(line(404, forwarded)) == "172.18.0.1"


def test_a_flood_of_addresses_is_bounded_and_its_lines_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_marks, "ADDRESSES_AT_MOST", 3)
    marks = AccessMarks()
    assert all(marks.feed(line(404, f"10.0.0.{number}")) for number in range(10))
    assert (len(marks.addresses), marks.overflow) == (3, 7)
