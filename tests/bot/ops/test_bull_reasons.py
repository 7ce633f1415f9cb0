"""Reasons that are the same but for their particulars are one; a person finds them by a part of either form."""

from __future__ import annotations

from bot.ops.bull_reasons import ReasonGroup, grouped, matching

FAILED = [
    ("1", "code 500 for job 17"),
    ("2", "code 502 for job 18"),
    ("3", ""),
    ("4", "connect ECONNREFUSED 10.0.0.1:8188"),
    ("5", "code 500 for job 3"),
]


def test_the_most_frequent_stands_first_with_its_newest_example() -> None:
    first, *others = grouped(FAILED)
    assert first == ReasonGroup("code <n> for job <n>", 3, "code 500 for job 17")
    assert {(group.reason, group.count) for group in others} == {("", 1), ("connect ECONNREFUSED <address>", 1)}
    assert grouped([]) == ()


def test_a_part_of_the_reason_finds_it_as_it_stands_or_as_it_is_grouped() -> None:
    assert matching(FAILED, "code <N>") == ["1", "2", "5"]
    assert matching(FAILED, "CODE 500") == ["1", "5"]
    assert matching(FAILED, "econnrefused") == ["4"]
    assert matching(FAILED, "nonsense") == []
