"""Every noun comes back from its row as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Account, Attachment, Button, Fact, Invocation, Outcome, Place, Plan, Reply, Table, Tolerance, Tone
from bot.store.codec import dumps, invocation_from, loads, noun_to_text, plan_from, reply_from

REPLY = Reply(
    "title",
    "text",
    Outcome.FAILED,
    Tone.BAD,
    (("a", "b"),),
    (Table(("c",), (("1",), ("2",)), "t"),),
    "code",
    (Attachment("f", Path("x/f"), "text/csv"),),
    (Button("B", "approve 1", "primary"),),
    7,
    "R-1",
    "footer",
    private=True,
    data={"k": [1, None, "ㅎ"]},
    mentions=(Account("slack", "U1"),),
)


def test_a_reply_comes_back_as_it_was() -> None:
    assert reply_from(noun_to_text(REPLY)) == REPLY


def test_a_reply_written_before_there_were_mentions_is_read_still() -> None:
    raw = loads(noun_to_text(REPLY))
    del raw["mentions"]
    assert reply_from(dumps(raw)) == replace(REPLY, mentions=())


@pytest.mark.parametrize("approved_by", [None, Account("slack", "ada")])
def test_an_invocation_comes_back_as_it_was(approved_by: Account | None) -> None:
    place = Place("slack", "C1", "17.3", direct=True)
    invocation = Invocation("restart", Account("slack", "U1"), place, "k", 1.5, "Olga", {"url": "u"}, "R-1", approved_by, 3)
    assert invocation_from(noun_to_text(invocation)) == invocation


def test_a_plan_comes_back_as_it_was() -> None:
    facts = (Fact("a", "A", "1", [1, {"b": None}], Tolerance.MAY_SHRINK), Fact("c", "", "", "d"))
    plan = Plan("t", "x", facts, ("uploads",), True, "undo", ("w",))
    assert plan_from(noun_to_text(plan)) == plan


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it), max_leaves=8
    )
)
def test_any_json_value_comes_back(value: object) -> None:
    assert loads(dumps(value)) == value


def test_equal_values_give_equal_text() -> None:
    assert dumps({"b": 1, "a": {3, 1, 2}}) == dumps({"a": frozenset({2, 3, 1}), "b": 1}) == '{"a":[1,2,3],"b":1}'


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dumps({"it": object()})
