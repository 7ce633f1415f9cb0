"""What an approval card says, from the asking to the end. Pure: tickets and plans in, replies out."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.model import Button, Fact, Outcome, Plan, Reply, Tolerance, Tone
from bot.store.codec import noun_to_text, plan_from
from bot.store.ticket_rows import Ticket
from bot.words import Words


def digest(plan: Plan) -> str:
    """A short hash of all a plan says, carried by its buttons: a press on an older card is seen."""
    return hashlib.sha256(noun_to_text(plan).encode()).hexdigest()[:10]


def changes(approved: Plan, now: Plan) -> tuple[tuple[Fact | None, Fact | None], ...]:
    """Facts that moved further than the card tolerates, as (approved, now); other targets count as a change too."""
    # Both as JSON gives them back, so that a tuple or a set is not taken for a change.
    approved, now = (plan_from(noun_to_text(plan)) for plan in (approved, now))
    before, after = ({fact.key: fact for fact in plan.facts} for plan in (approved, now))
    moved: list[tuple[Fact | None, Fact | None]] = [
        (before.get(key), after.get(key)) for key in {**before, **after} if not _tolerated(before.get(key), after.get(key))
    ]
    unseen = [warning for warning in now.warnings if warning not in approved.warnings]
    if unseen:
        moved.append((None, Fact("warnings", "!", "; ".join(unseen), unseen)))
    if set(approved.targets) != set(now.targets):
        moved.append((_targets(approved), _targets(now)))
    if approved.reversible and not now.reversible:
        moved.append((_undo(approved), _undo(now)))
    return tuple(moved)


def _targets(plan: Plan) -> Fact:
    return Fact("targets", "targets", ", ".join(plan.targets), list(plan.targets))


def _undo(plan: Plan) -> Fact:
    return Fact("undo", "undo", plan.undo, plan.reversible)


def _tolerated(before: Fact | None, after: Fact | None) -> bool:
    if before is None or after is None:
        return False
    if before.tolerance is Tolerance.ANY:
        return True
    if before.tolerance is Tolerance.EXACT:
        return bool(before.value == after.value)
    if isinstance(before.value, list):
        return set(map(str, after.value)) <= set(map(str, before.value))
    return bool(after.value <= before.value)


class Cards:
    """Writes cards in the team's language and time zone. ``clean`` takes secrets and hidden signs out of each."""

    def __init__(self, words: Words, zone: str, clean: Callable[[Reply], Reply]) -> None:
        self._words = words
        self._zone = ZoneInfo(zone)
        self._clean = clean

    def time(self, at: float) -> str:
        """A moment as people here read it."""
        return datetime.datetime.fromtimestamp(at, self._zone).strftime("%m-%d %H:%M")

    def asking(self, ticket: Ticket, approvers: str, moved: Sequence[tuple[Fact | None, Fact | None]] = ()) -> Reply:
        """The card with its buttons."""
        words, plan = self._words, ticket.plan
        fields = [(words("cards.asked_by"), ticket.asker), (words("cards.command"), ticket.invocation.line)]
        fields += [(fact.label, self._shown(fact)) for fact in plan.facts if fact.label]
        fields.append((words("cards.undo"), plan.undo))
        lines = [plan.text, *(words("cards.warning", text=warning) for warning in plan.warnings)]
        if moved:
            lines.insert(0, words("cards.replaces", changes="; ".join(self.moved(*pair) for pair in moved)))
        if ticket.code:
            lines.append(words("cards.solo", number=ticket.id, code=ticket.code))
        card = Reply(
            title=words("cards.title", number=ticket.id, title=plan.title),
            text="\n".join(line for line in lines if line),
            outcome=Outcome.PENDING,
            tone=Tone.WARN,
            fields=tuple(fields),
            buttons=self._buttons(ticket),
            ticket=ticket.id,
            footer=words("cards.expires", at=self.time(ticket.expires_at), approvers=approvers),
            data={"ticket": ticket.id, "facts": {fact.key: fact.value for fact in plan.facts}},
        )
        return self._clean(card)

    def _buttons(self, ticket: Ticket) -> tuple[Button, ...]:
        deny = Button(self._words("cards.deny"), f"deny {ticket.id} --plan {ticket.digest}", "danger")
        if ticket.code:
            return (deny,)
        return (Button(self._words("cards.approve"), f"approve {ticket.id} --plan {ticket.digest}", "primary"), deny)

    def _shown(self, fact: Fact) -> str:
        if fact.tolerance is Tolerance.MAY_SHRINK:
            return f"{fact.shown} {self._words('cards.may_shrink')}"
        return f"{fact.shown} {self._words('cards.any')}" if fact.tolerance is Tolerance.ANY else fact.shown

    def moved(self, before: Fact | None, after: Fact | None) -> str:
        """One fact that changed, in a sentence."""
        label = (before or after or Fact("", "", "", None)).label
        return self._words("cards.moved", label=label, before=before.shown if before else "-", after=after.shown if after else "-")

    def with_reason(self, card: Reply, reason: str) -> Reply:
        """The card with the reason somebody gave."""
        return self._clean(replace(card, fields=(*card.fields, (self._words("cards.reason"), reason)))) if reason else card

    def decided(self, ticket: Ticket, state: str, by: str, outcome: str = "", successor: int | None = None) -> Reply:
        """The card when nothing can be pressed any more: granted, denied, withdrawn, expired or void."""
        words = self._words
        text = words(f"cards.state.{state}", by=by, number=ticket.id, successor=successor or "-")
        if outcome:
            text = f"{text} {words(f'cards.outcome.{outcome}')}"
        tones = {"granted": Tone.GOOD, "denied": Tone.BAD, "void": Tone.WARN}
        card = Reply(
            title=words("cards.title", number=ticket.id, title=ticket.plan.title),
            text=text,
            tone=tones.get(state, Tone.NEUTRAL),
            fields=((words("cards.asked_by"), ticket.asker), (words("cards.command"), ticket.invocation.line)),
            ticket=ticket.id,
        )
        return self._clean(card)
