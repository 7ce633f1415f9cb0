"""What a card says, and which changes of a plan it does not tolerate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.cards import Cards, changes, digest
from bot.model import Account, Fact, Invocation, Outcome, Place, Plan, Reply, Tolerance, Tone
from bot.store.ticket_rows import Ticket
from bot.words import Words

PLAN = Plan("Wipe", "Removes files.", (Fact("files", "Files", "2", ["a", "b"]),), ("uploads",), True, "trash restore")
ASKED = Invocation("clean files", Account("slack", "O"), Place("slack", "OPS"), "k", 0.0)
TICKET = Ticket(4, "open", ASKED, "olga", PLAN, digest(PLAN), "", "clean files", 0.0, 1_800.0, "", None, None, "R-1")


def cards(language: str = "en") -> Cards:
    """Cards that are clean already."""
    return Cards(Words(language), "UTC", lambda reply: reply)


def fact(value: object, tolerance: Tolerance = Tolerance.EXACT) -> Plan:
    """A plan of one fact."""
    return replace(PLAN, facts=(Fact("it", "It", str(value), value, tolerance),))


def test_the_same_plan_has_not_changed() -> None:
    assert changes(PLAN, PLAN) == ()
    assert changes(PLAN, replace(PLAN, text="Other words.", title="Other")) == ()


@pytest.mark.parametrize(
    ("before", "after", "tolerance", "moved"),
    [
        (1, 1, Tolerance.EXACT, False),
        (1, 2, Tolerance.EXACT, True),
        (2, 1, Tolerance.EXACT, True),
        ([1, 2], [2, 1], Tolerance.EXACT, True),
        (2, 1, Tolerance.MAY_SHRINK, False),
        (1, 2, Tolerance.MAY_SHRINK, True),
        (["a", "b"], ["b"], Tolerance.MAY_SHRINK, False),
        (["b", "a"], ["a", "b"], Tolerance.MAY_SHRINK, False),
        (["a"], ["b"], Tolerance.MAY_SHRINK, True),
        ([{"id": 1, "size": 2}], [{"size": 2, "id": 1}], Tolerance.MAY_SHRINK, False),
        (1, "anything", Tolerance.ANY, False),
    ],
)
def test_a_fact_may_move_only_as_its_card_allows(before: object, after: object, tolerance: Tolerance, moved: bool) -> None:
    assert bool(changes(fact(before, tolerance), fact(after, tolerance))) is moved


def test_a_fact_that_came_or_went_is_a_change_whatever_its_tolerance() -> None:
    none = replace(PLAN, facts=())
    assert len(changes(none, fact(1, Tolerance.ANY))) == 1
    assert len(changes(fact(1, Tolerance.ANY), none)) == 1


def test_other_targets_are_a_change_and_their_order_is_none() -> None:
    assert changes(replace(PLAN, targets=("a", "b")), replace(PLAN, targets=("b", "a"))) == ()
    assert len(changes(PLAN, replace(PLAN, targets=("uploads", "mongodb")))) == 1
    assert len(changes(PLAN, replace(PLAN, targets=()))) == 1


def test_a_plan_that_can_no_longer_be_undone_is_a_change_and_the_reverse_is_none() -> None:
    lasting = replace(PLAN, reversible=False)
    assert len(changes(PLAN, lasting)) == 1
    assert changes(lasting, PLAN) == ()


def test_any_difference_of_a_plan_gives_another_digest() -> None:
    others = [replace(PLAN, title="x"), replace(PLAN, targets=()), replace(PLAN, reversible=False), fact(1), replace(PLAN, warnings=("w",))]
    assert len({digest(plan) for plan in (PLAN, *others)}) == len(others) + 1
    assert digest(PLAN) == digest(replace(PLAN))


def test_the_card_shows_who_what_how_to_undo_and_until_when() -> None:
    reply = cards().asking(TICKET, "ada, ben")
    assert reply.title == "Approval #4 — Wipe"
    assert dict(reply.fields) == {"Asked by": "olga", "Command": "clean files", "Files": "2", "Undo": "trash restore"}
    assert reply.footer == "Valid until 01-01 00:30 · who can approve: ada, ben"
    assert reply.outcome is Outcome.PENDING
    assert [button.types for button in reply.buttons] == [f"approve 4 --plan {digest(PLAN)}", f"deny 4 --plan {digest(PLAN)}"]


def test_the_card_says_which_facts_may_move_and_warns() -> None:
    facts = (Fact("a", "A", "1", 1, Tolerance.MAY_SHRINK), Fact("b", "B", "2", 2, Tolerance.ANY), Fact("hidden", "", "", 3))
    plan = replace(PLAN, facts=facts, warnings=("the queue is busy",))
    reply = cards().asking(replace(TICKET, plan=plan), "ada")
    shown = dict(reply.fields)
    assert (shown["A"], shown["B"]) == ("1 (more voids the approval)", "2 (may change)")
    assert "Warning: the queue is busy" in reply.text
    assert "" not in shown


def test_the_card_says_what_changed() -> None:
    moved = changes(fact(1), replace(fact(2), targets=("uploads", "mongodb")))
    text = cards().asking(TICKET, "ada", moved).text
    assert text.startswith("The earlier approval is void. What changed: It: 1 → 2; ")
    assert "mongodb" in text


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("state", ["granted", "denied", "withdrawn", "expired", "void"])
@pytest.mark.parametrize("outcome", ["", *(outcome.value for outcome in Outcome)])
def test_a_decided_card_has_words_and_no_buttons(language: str, state: str, outcome: str) -> None:
    reply = cards(language).decided(TICKET, state, "ada", outcome, successor=5)
    assert reply.buttons == ()
    assert "cards." not in reply.text
    assert "{" not in reply.text


def test_every_card_goes_through_the_cleaning() -> None:
    seen: list[Reply] = []

    def clean(reply: Reply) -> Reply:
        seen.append(reply)
        return replace(reply, tone=Tone.BAD)

    washing = Cards(Words("en"), "UTC", clean)
    assert washing.asking(TICKET, "ada").tone is Tone.BAD
    assert washing.decided(TICKET, "granted", "ada").tone is Tone.BAD
    assert len(seen) == 2
