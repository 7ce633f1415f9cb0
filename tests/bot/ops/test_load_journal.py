"""The journal of a swap: what is stored is what was meant, with any name and any option."""

from __future__ import annotations

import bson

from bot.ops.dump_values import Definition
from bot.ops.load_indexes import Expiry
from bot.ops.load_journal import Journal, journal_of


def test_a_journal_comes_back_from_the_database_as_it_was() -> None:
    view = Definition("v.w", "view", {"viewOn": "a", "pipeline": [{"$match": {"a.b": {"$gt": bson.Int64(1)}}}]})
    journal = Journal("r1", "swapping", ("a.b", "$c"), ("한글",), (view,), (), (Expiry("s", "e_1", bson.Int64(0)), Expiry("c", "", 1.5)))
    stored = bson.decode(bson.encode(journal.document()))
    assert journal_of(stored) == journal
    assert journal_of({**stored, "phase": "settling"}).phase == "settling"
