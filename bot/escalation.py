"""Calls the next one when nobody answers: about pages, and about whatever else waits for a person. Rounds by the clock.

How far each has come is a row, written in one commit with the message that calls: a restart calls nobody twice and forgets nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlite_utils import Database

from bot.errors import VccError
from bot.model import Button, Place, Reply
from bot.notices import Notices
from bot.oncall import Contact
from bot.oncall_book import OnCallBook
from bot.places import Places
from bot.store import notice_rows, oncall_rows
from bot.store.engine import Store

_LOG = logging.getLogger("vcc.escalation")
EVERY = 15.0
_KEPT = 400 * 86_400.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person ``since`` a moment: its notice stands under ``key``; ``buttons`` are how one answers.

    ``again``: when it last ceased to be kept quiet. Whoever is called has all their time from then on.
    """

    key: str
    since: float
    about: str
    buttons: tuple[Button, ...] = ()
    again: float = 0.0


class Source(Protocol):
    """Whatever people are called about."""

    def waiting(self, db: Database) -> Sequence[Waiting]:
        """What nobody has answered yet."""

    def called(self, db: Database, waiting: Waiting, level: int) -> None:
        """So many were called about it after the first: in the same commit."""


class PageSource:
    """Pages that nobody answered."""

    def __init__(self, book: OnCallBook) -> None:
        self._telling = book.telling

    def waiting(self, db: Database) -> Sequence[Waiting]:
        """The oldest first."""
        telling = self._telling
        return [Waiting(page.key, page.at, telling.page_name(page), (telling.button(page),)) for page in oncall_rows.waiting(db)]

    def called(self, db: Database, waiting: Waiting, level: int) -> None:
        """A page keeps nothing of it."""


@dataclass(frozen=True, slots=True)
class EscalationDesk:
    """What it works with. ``wake`` lets messages go out."""

    store: Store
    notices: Notices
    places: Places
    book: OnCallBook
    wake: Callable[[], None]
    clock: Callable[[], float] = time.time


class Escalation:
    """Looks at what waits in ``sources``."""

    def __init__(self, desk: EscalationDesk, sources: Sequence[Source], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._desk = desk
        self._sources = list(sources)
        self._sleep = sleep
        self.rounded_at = float("-inf")

    def add(self, source: Source) -> None:
        """Look at this too."""
        self._sources.append(source)

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            await self.round()
            await self._sleep(EVERY)

    async def round(self) -> None:
        """Tell who is on call now, then call whoever is next about what waited too long. ``rounded_at`` is when that last went well."""
        desk = self._desk
        try:
            await desk.book.hand_over()
            if await desk.store.read(self._due):
                await desk.store.write(self._call)
                desk.wake()
        except VccError as error:  # a record that cannot be written now; all stays due
            _LOG.error("escalation: %s", error)
        else:
            self.rounded_at = desk.clock()

    def _due(self, db: Database) -> list[tuple[Source, Waiting, int, tuple[Contact, ...]]]:
        """What waited too long, with how many were called after the first then, and the whole line-up."""
        found = []
        for source in self._sources:
            for waiting in source.waiting(db):
                level, at = oncall_rows.level(db, waiting.key)
                line_up = self._desk.book.line_up(db, waiting.since)
                if level + 1 < len(line_up) and self._waited(self._begun(waiting, at)):
                    found.append((source, waiting, level + 1, line_up))
        return found

    def _begun(self, waiting: Waiting, called_at: float | None) -> float:
        begun = waiting.since if called_at is None else called_at
        return max(begun, waiting.again) if waiting.again <= self._desk.clock() else begun

    def _waited(self, since: float) -> bool:
        """Too long; also when the clock jumped so far back that it would take too long to see that."""
        return abs(self._desk.clock() - since) >= self._desk.book.roster.escalate_after

    def _call(self, db: Database) -> None:
        """Calls are rare, so what is old is forgotten on the way."""
        oncall_rows.prune(db, self._desk.clock() - _KEPT)
        for source, waiting, level, line_up in self._due(db):
            said = self._said(waiting, level, line_up)
            oncall_rows.raise_to(db, waiting.key, level, self._desk.clock())
            source.called(db, waiting, level)
            self._desk.notices.below(db, waiting.key, said)
            self._desk.notices.show(db, notice_rows.call(waiting.key, level), self._letters(line_up[level]), said)

    def _said(self, waiting: Waiting, level: int, line_up: Sequence[Contact]) -> Reply:
        following = line_up[level + 1] if level + 1 < len(line_up) else None
        waited = max(0.0, self._desk.clock() - waiting.since)
        return self._desk.book.telling.calls(line_up[level], waiting.about, waited, following, waiting.buttons)

    def _letters(self, contact: Contact) -> Sequence[Place]:
        """A letter of their own, unless what is said below the notice reaches their mailbox anyway."""
        known = set(self._desk.places.alerts()) if contact.accounts else set()
        return [place for place in self._desk.book.mailboxes(contact) if place not in known]
