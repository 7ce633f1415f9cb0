"""Jobs taken out of a line come back where they were, whatever was taken in whatever order, and whoever came or went meanwhile."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from bot.ops.bull_line import Stood, rejoined


def taken_out(line: list[str], gone: list[str]) -> tuple[list[str], list[Stood]]:
    """The line without them, and where each stood when it left, as the script notes it."""
    rest, notes = list(line), list[Stood]()
    for job in gone:
        at = rest.index(job)
        ahead = rest[at + 1] if at + 1 < len(rest) else None
        notes.append(Stood(job, "wait", False, ahead, rest[at - 1] if at else None))
        rest.pop(at)
    return rest, notes


@given(st.integers(0, 40), st.randoms(use_true_random=False))
def test_the_line_is_as_it_was_whatever_was_taken_out_and_in_whatever_order(length: int, chance: random.Random) -> None:
    line = [str(number) for number in range(length)]
    gone = chance.sample(line, chance.randint(0, length))
    rest, notes = taken_out(line, gone)
    assert rejoined(rest, reversed(notes)) == line


@given(st.integers(1, 30), st.randoms(use_true_random=False))
def test_those_who_stayed_keep_their_order_and_those_who_left_theirs(length: int, chance: random.Random) -> None:
    line = [str(number) for number in range(length)]
    gone = sorted(chance.sample(line, chance.randint(0, length)), key=int)
    rest, notes = taken_out(line, gone)
    served = rest[: len(rest) - chance.randint(0, len(rest))]
    joined = rejoined(["new", *served], reversed(notes))
    assert [job for job in joined if job != "new"] == sorted([*served, *gone], key=int)
    assert joined[0] == "new"


def test_jobs_that_are_twice_in_a_broken_line_stay_so() -> None:
    assert rejoined(["a", "a", "b"], [Stood("x", "wait", False, "b", "a")]) == ["a", "a", "x", "b"]


def test_what_waits_belongs_into_the_list_in_force() -> None:
    waited, active = Stood("1", "wait", False, None, None), Stood("1", "active", False, None, None)
    assert (waited.target(False), waited.target(True)) == ("wait", "paused")
    assert (Stood("1", "paused", True, None, None).target(False), active.target(True)) == ("wait", "active")
    assert Stood("1", "paused", False, None, None).target(False) == "paused"
