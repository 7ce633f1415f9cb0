"""The incidents: opened, worked through and resolved, each change in one commit with the messages that tell of it.

Knows no platform and makes no rooms; it only notes which are wanted.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlite_utils import Database

from bot.alert_book import AlertBook
from bot.alerts import AlertState
from bot.errors import Conflict
from bot.incident_telling import IncidentTelling
from bot.incident_timeline import Source, merged
from bot.incidents import Action, Entry, Incident, Opening, Report, Room, RoomState, Step, What
from bot.model import Place, Reply, Tone
from bot.runbooks import MINUTE, Kind, Runbooks
from bot.store import alert_rows, incident_rows
from bot.store.engine import Store
from bot.team_files import TeamFile
from bot.words import Words

_LONGEST_ROOM_NAME = 80


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the book works with. ``sources`` add to the timeline what others keep; ``wake`` lets messages go out and rooms be made."""

    store: Store
    file: TeamFile[Runbooks]
    telling: IncidentTelling
    alerts: AlertBook
    words: Words
    sources: Sequence[Source]
    wake: Callable[[], None]
    clean: Callable[[str], str]


class IncidentBook:
    """What ``incident`` commands work on. ``clock`` says when."""

    def __init__(self, shelf: Shelf, clock: Callable[[], float]) -> None:
        self._shelf = shelf
        self._clock = clock

    async def runbooks(self) -> Runbooks:
        """The runbooks in force now."""
        return await asyncio.to_thread(self._shelf.file.read)

    async def open(self, opening: Opening) -> Incident:
        """Begin one, and announce it: one commit. Its rooms are made afterwards, by whoever holds the connectors."""
        shelf, runbook = self._shelf, (await self.runbooks())[opening.kind]
        first = opening.at if opening.kind is Kind.SERVICE else opening.at + runbook.status_every * MINUTE
        opening = replace(opening, title=shelf.clean(opening.title))
        said = shelf.words("incident.entry.opened", title=opening.title)

        def work(db: Database) -> Incident:
            number = incident_rows.insert(db, opening, runbook, first if runbook.status_every else 0.0)
            if opening.alert:
                self._link(db, opening, number)
            for platform in shelf.telling.platforms():
                incident_rows.set_room(db, number, Room(platform, RoomState.WANTED, room_name(number, opening)))
            incident_rows.add(db, number, Entry(opening.at, What.OPENED, said, opening.person))
            incident = incident_rows.known(db, number)
            shelf.telling.announce(db, incident)
            return incident

        return await self._woken(work)

    def _link(self, db: Database, opening: Opening, number: int) -> None:
        """Its alert belongs to it from now on, and whoever opened it has acknowledged that."""
        alert = alert_rows.get(db, opening.alert)
        if alert is None:
            raise Conflict("alerts.no_alert", number=opening.alert)
        known = incident_rows.get(db, alert.incident) if alert.incident is not None else None
        if known is not None and known.is_open:  # two people pressed its button
            raise Conflict("incident.alert_has_one", alert=alert.id, number=known.number)
        if alert.state is AlertState.OPEN:
            alert = replace(
                alert, state=AlertState.ACKNOWLEDGED, acknowledged_by=opening.person, acknowledged_at=opening.at, repeat_at=None
            )
        self._shelf.alerts.show(db, replace(alert, incident=number))

    async def get(self, number: int) -> Incident | None:
        """One of them."""
        return await self._shelf.store.read(lambda db: incident_rows.get(db, number))

    async def open_ones(self) -> Sequence[Incident]:
        """Those that go on, oldest first."""
        return await self._shelf.store.read(incident_rows.open_ones)

    async def newest(self, limit: int) -> Sequence[Incident]:
        """The newest, also resolved ones, newest first."""
        return await self._shelf.store.read(lambda db: incident_rows.newest(db, limit))

    async def of_place(self, place: Place) -> Incident | None:
        """The one whose channel or thread this is."""
        return await self._shelf.store.read(lambda db: incident_rows.of_place(db, place))

    async def goes_on_at(self, place: Place) -> bool:
        """Whether this channel or thread belongs to an incident that is open."""
        found = await self.of_place(place)
        return found is not None and found.is_open

    async def is_room(self, place: Place) -> bool:
        """Whether this channel was made for an incident."""
        return await self._shelf.store.read(lambda db: incident_rows.is_room(db, place))

    async def add(self, number: int, entry: Entry, origin: Place | None = None) -> Incident:
        """Something happened; with an ``origin`` it is told in every room but that one. Conflict when there is no such incident."""
        entry = replace(entry, text=self._shelf.clean(entry.text))

        def work(db: Database) -> Incident:
            incident = incident_rows.known(db, number)
            if incident_rows.add(db, number, entry) and origin is not None:
                said = Reply(self._shelf.words("incident.said", person=entry.person), entry.text)
                self._shelf.telling.say(db, incident, said, without=origin)
            return incident

        return await self._woken(work)

    async def set_step(self, number: int, step: Step) -> Incident:
        """A step stands differently now. Conflict when it stood so before, or the incident is over."""
        words, page = self._shelf.words, self._shelf.telling.page

        def work(db: Database) -> Incident:
            before = incident_rows.going_on(db, number).step(step.number)
            if before is None:
                raise Conflict("incident.no_step", number=number, step=step.number)
            if before.state is step.state:
                raise Conflict("incident.step_before", step=page.named(before), person=before.person or "-")
            incident_rows.set_step(db, number, step)
            said = words(f"incident.entry.step_{step.state}", step=page.named(step))
            told = " — ".join(part for part in (said, step.note) if part)
            incident_rows.add(db, number, Entry(self._clock(), What.STEP, told, step.person))
            return self._told(db, number)

        return await self._woken(work)

    async def assign(self, number: int, lead: str, person: str) -> Incident:
        """Somebody leads from now on. Conflict when they do, or the incident is over."""
        words = self._shelf.words

        def work(db: Database) -> Incident:
            if incident_rows.going_on(db, number).lead == lead:
                raise Conflict("incident.leads_already", person=lead)
            incident_rows.change(db, number, {"lead": lead})
            said = words("incident.entry.lead", person=lead)
            incident_rows.add(db, number, Entry(self._clock(), What.LEAD, said, person))
            incident = self._told(db, number)
            self._shelf.telling.say(db, incident, Reply(said, tone=Tone.NEUTRAL))
            return incident

        return await self._woken(work)

    async def act_later(self, number: int, action: Action) -> Incident:
        """Something to do afterwards; also once the incident is over."""
        words = self._shelf.words

        def work(db: Database) -> Incident:
            incident_rows.known(db, number)
            incident_rows.act_later(db, number, action)
            said = words("incident.entry.action", text=action.text, owner=action.owner or "-")
            incident_rows.add(db, number, Entry(action.at, What.ACTION, said, action.person))
            return incident_rows.known(db, number)

        return await self._woken(work)

    async def resolve(self, incident: Incident, report: Report) -> Incident:
        """It is over: told everywhere, with its report. Conflict when it was over before."""
        shelf, number = self._shelf, incident.number

        def work(db: Database) -> Incident:
            incident_rows.going_on(db, number)
            incident_rows.resolve(db, number, report.at, report.person, report.summary)
            over = self._told(db, number)
            incident_rows.add(db, number, self._end(over))
            shelf.telling.say(db, over, Reply(shelf.words("incident.report_follows"), report.summary, tone=Tone.GOOD, files=report.files))
            shelf.telling.announce_below(db, over, Reply(shelf.words("incident.report_follows"), tone=Tone.GOOD, files=report.files))
            return over

        return await self._woken(work)

    async def timeline(self, incident: Incident) -> Sequence[Entry]:
        """All that happened, oldest first: what was added, commands and approvals of the record, and alerts."""

        def work(db: Database) -> list[Entry]:
            parts = [incident_rows.entries(db, incident.number), *(source(db, incident) for source in self._shelf.sources)]
            if not incident.is_open:
                parts.append([self._end(incident)])
            return merged(parts)

        return await self._shelf.store.read(work)

    def _end(self, incident: Incident) -> Entry:
        """The last line; also of one that is about to end, whose report is written before."""
        said = self._shelf.words("incident.entry.resolved")
        told = " — ".join(part for part in (said, incident.summary) if part)
        return Entry(incident.resolved_at, What.RESOLVED, told, incident.resolved_by, key="resolved")

    def _told(self, db: Database, number: int) -> Incident:
        incident = incident_rows.known(db, number)
        self._shelf.telling.refresh(db, incident)
        return incident

    async def _woken(self, work: Callable[[Database], Incident]) -> Incident:
        incident = await self._shelf.store.write(work)
        self._shelf.wake()
        return incident


def room_name(number: int, opening: Opening) -> str:
    """``inc-3-backend-20261129``: the same whoever computes it, small letters, digits and dashes, as the platforms want it."""
    about = re.sub(r"[^a-z0-9]+", "-", (opening.service or opening.kind).lower()).strip("-") or opening.kind
    day = datetime.fromtimestamp(opening.at, UTC).strftime("%Y%m%d")
    ends = f"-{day}"
    return f"inc-{number}-{about}"[: _LONGEST_ROOM_NAME - len(ends)] + ends
