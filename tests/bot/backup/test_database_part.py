"""A dump agrees with what the server held before and after, and with what it says was written meanwhile; else it is no backup."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.backup.database_part import Dumped, Look, compare
from bot.errors import OutsideError
from bot.ops.dump_values import DumpedCollection, DumpResult
from bot.ops.mongo_moves import Moves


def dumped(documents: int, before: int, after: int, inserted: int = 0, deleted: int = 0, process: str = "a") -> Dumped:
    """A dump of ``users`` with so many documents, where the server counted so many and wrote so many meanwhile."""
    users = DumpedCollection("users", "collection", documents, 1, "0", "0", 1, "users")
    result = DumpResult("vcc-manager", (users,), "none", "6", None, 0.1)
    first = Look({"users": before}, Moves("a", 100, 50), None)
    return Dumped(result, (), first, Look({"users": after}, Moves(process, 100 + inserted, 50 + deleted), None))


@pytest.mark.parametrize(
    "sound",
    [dumped(5, 5, 5), dumped(6, 5, 7), dumped(6, 5, 5, inserted=1, deleted=1), dumped(4, 5, 5, inserted=1, deleted=1)],
    ids=["equal", "between", "one came and went", "one went and came"],
)
def test_what_the_server_can_explain_is_sound(sound: Dumped) -> None:
    assert compare(sound) == ()


@pytest.mark.parametrize("wrong", [dumped(4, 5, 5), dumped(6, 5, 5), dumped(0, 5, 5, inserted=9), dumped(9, 5, 5, inserted=3)])
def test_a_difference_that_the_server_cannot_explain_is_named(wrong: Dumped) -> None:
    with pytest.raises(OutsideError) as failure:
        compare(wrong)
    assert (failure.value.key, failure.value.values["name"]) == ("backup.miscounted", "users")


def test_where_nobody_knows_what_was_written_it_is_told_and_not_guessed() -> None:
    assert compare(dumped(4, 5, 5, process="restarted")) == ("users",)
    denied = replace(dumped(4, 5, 5), before=Look({"users": 5}, None, None))
    assert compare(denied) == ("users",)
    assert compare(replace(denied, before=Look({"users": 4}, None, None))) == ()


def test_a_collection_that_is_there_all_the_time_and_not_in_the_dump_is_named() -> None:
    lost = dumped(5, 5, 5)
    lost = replace(
        lost, before=replace(lost.before, counts={"users": 5, "jobs": 1}), after=replace(lost.after, counts={"users": 5, "jobs": 1})
    )
    with pytest.raises(OutsideError, match="not_dumped"):
        compare(lost)
    assert compare(replace(lost, after=replace(lost.after, counts={"users": 5}))) == ()
