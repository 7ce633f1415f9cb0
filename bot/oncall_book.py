"""Who is on call, kept and told: what is set by hand, handing over, pages; every change is one commit with what is said of it.

The file is read beside the store and remembered here, so that no commit ever waits for a disk that hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlite_utils import Database

from bot.errors import Conflict
from bot.model import Account, Place, Reply
from bot.notices import Notices
from bot.oncall import Contact, OnCallState, Override, Page, Roster, Shift, shift_at
from bot.oncall_telling import OnCallTelling
from bot.places import Places
from bot.store import oncall_rows
from bot.store.engine import Store
from bot.team_files import TeamFile
from bot.words import Words

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OnCallDesk:
    """What the book works with. ``stand_ins`` are called while the team's file names nobody; ``wake`` lets messages go out."""

    store: Store
    notices: Notices
    places: Places
    words: Words
    telling: OnCallTelling
    stand_ins: Callable[[], Sequence[Contact]]
    wake: Callable[[], None]
    clock: Callable[[], float]


class OnCallBook:
    """The calls of one house, by the roster in ``file``."""

    def __init__(self, desk: OnCallDesk, file: TeamFile[Roster]) -> None:
        self._desk = desk
        self._file = file
        self._planned = Roster()
        self.telling = desk.telling

    async def refresh(self) -> None:
        """Look at the file again."""
        self._planned = await asyncio.to_thread(self._file.read)

    @property
    def roster(self) -> Roster:
        """Who is called, as the file was when it was last looked at."""
        planned = self._planned
        return planned if planned.contacts else replace(planned, contacts=tuple(self._desk.stand_ins()), order=(), rotation=None)

    # ------------------------------------------------------------ inside somebody's commit
    def shift(self, db: Database, at: float | None = None) -> Shift | None:
        """Who is on call now, or was at a moment."""
        at = self._desk.clock() if at is None else at
        override = oncall_rows.override_at(db, at)
        known = self.roster.named(override.contact.name) if override is not None else None
        if override is not None and known is not None:  # what the file says of them now, a new number say
            override = replace(override, contact=known)
        return shift_at(at, self.roster, override)

    def name(self, db: Database) -> str:
        """Who is on call now; empty for nobody."""
        shift = self.shift(db)
        return shift.contact.name if shift is not None else ""

    def accounts(self, db: Database) -> tuple[Account, ...]:
        """Where whoever is on call now is called by name."""
        shift = self.shift(db)
        return shift.contact.accounts if shift is not None else ()

    def letters(self, db: Database) -> tuple[Place, ...]:
        """Where whoever is on call now gets letters, when they have no account to be called by."""
        shift = self.shift(db)
        return self.mailboxes(shift.contact) if shift is not None and not shift.contact.accounts else ()

    def line_up(self, db: Database, at: float) -> tuple[Contact, ...]:
        """Who is called about what began at a moment, one after the other."""
        shift = self.shift(db, at)
        return self.roster.line_up(shift.contact) if shift is not None else self.roster.contacts

    def mailboxes(self, contact: Contact) -> tuple[Place, ...]:
        """Where this one gets letters."""
        return self._desk.places.mail([contact.mail] if contact.mail else [])

    # ------------------------------------------------------------ handing over
    async def hand_over(self) -> None:
        """Tell who is on call from now on, when that is somebody else than was told last."""
        await self.refresh()
        if await self._desk.store.read(self._is_told):
            return
        await self._written(self._hand_over)

    def _is_told(self, db: Database) -> bool:
        shift = self.shift(db)
        return oncall_rows.told(db) == (shift.contact.name if shift is not None else "")

    def _hand_over(self, db: Database) -> Shift | None:
        """Whoever was the first ever is not announced: nobody was relieved."""
        shift, before = self.shift(db), oncall_rows.told(db)
        name = shift.contact.name if shift is not None else ""
        if before == name:
            return shift
        number = oncall_rows.tell(db, name, self._desk.clock())
        if before is not None:
            self._announce(db, number, shift)
        return shift

    def _announce(self, db: Database, number: int, shift: Shift | None) -> None:
        said = self.telling.handed_over(shift) if shift is not None else self.telling.nobody()
        mailboxes = self.mailboxes(shift.contact) if shift is not None else ()
        self._desk.notices.show(db, f"oncall:{number}", (*self._desk.places.alert_channels(), *mailboxes), said)

    # ------------------------------------------------------------ what commands ask
    async def state(self) -> OnCallState:
        """How it stands now."""
        await self.refresh()
        shift, following = await self._desk.store.read(self._now_and_then)
        fault = await asyncio.to_thread(lambda: self._file.fault)
        told = "" if fault is None else fault.sentence(self._desk.words)
        return OnCallState(shift, following, self.roster, bool(self._planned.contacts), told)

    def _now_and_then(self, db: Database) -> tuple[Shift | None, Contact | None]:
        shift = self.shift(db)
        if shift is None or shift.until is None:
            return shift, None
        return shift, self.roster.turn(shift.until)[0]

    async def put(self, contact: Contact, person: str, until: float | None) -> Shift:
        """Somebody is on call from now on; as it stands then. Whose turn it is anyway is on call by the plan again."""
        await self.refresh()

        def work(db: Database) -> Shift:
            now = self._desk.clock()
            turn, ends = self.roster.turn(now)
            if turn == contact and until is None:
                oncall_rows.clear(db, now)
            else:
                oncall_rows.put(db, Override(contact, person, now, ends if until is None else until))
            shift = self.shift(db) or Shift(contact, until, person)
            self._announce(db, oncall_rows.tell(db, shift.contact.name, now), replace(shift, set_by=person))
            return shift

        return await self._written(work)

    async def page(self, message: str, person: str) -> Page:
        """Call whoever is on call. Conflict when nobody is known, or there is nowhere to call them."""
        await self.refresh()

        def work(db: Database) -> Page:
            now = self._desk.clock()
            line_up = self.line_up(db, now)
            if not line_up:
                raise Conflict("oncall.nobody")
            places = self._page_places(line_up[0])
            if not places:
                raise Conflict("oncall.nowhere", name=line_up[0].name)
            page = Page(0, message, person, now, line_up[0].name)
            page = replace(page, id=oncall_rows.insert(db, page))
            self._desk.notices.show(db, page.key, places, self._said(db, page))
            return page

        return await self._written(work)

    async def acknowledge(self, number: int, person: str) -> Page:
        """Somebody is at it. Conflict when there is no such page, or somebody was before."""

        def work(db: Database) -> Page:
            page = oncall_rows.page(db, number)
            if page is None:
                raise Conflict("oncall.no_page", number=number)
            if page.acknowledged_at is not None:
                raise Conflict("oncall.answered_before", number=number, person=page.acknowledged_by)
            now = self._desk.clock()
            oncall_rows.acknowledge(db, number, person, now)
            page = replace(page, acknowledged_by=person, acknowledged_at=now)
            self._desk.notices.show(db, page.key, (), self._said(db, page))
            self._desk.notices.hush(db, page.key)
            return page

        return await self._written(work)

    def _page_places(self, contact: Contact) -> tuple[Place, ...]:
        return (*self._desk.places.alerts(), *self.mailboxes(contact))

    def _said(self, db: Database, page: Page) -> Reply:
        line_up = self.line_up(db, page.at)
        contact = self.roster.named(page.called) or next(iter(line_up), Contact(page.called))
        following = next((each for each in line_up[1:2]), None)
        return self.telling.page(page, contact, following, self.roster.escalate_after)

    async def _written(self, work: Callable[[Database], T]) -> T:
        done = await self._desk.store.write(work)
        self._desk.wake()
        return done
