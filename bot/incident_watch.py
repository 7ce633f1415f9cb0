"""Looks after incidents: their rooms, the status now and then, steps that wait too long, containers that start meanwhile.

All that it has done is in rows, each written in one commit with what it says of it: killed at any point it goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlite_utils import Database

from bot.errors import OutsideError, VccError
from bot.incident_page import waits_since
from bot.incident_telling import IncidentTelling
from bot.incidents import Entry, Incident, Room, RoomState, Step, StepState, What
from bot.model import Account, Invocation, Outcome, Place, Reply, Tone
from bot.ops.container_values import Service
from bot.rooms import RoomMaker, RoomWish
from bot.runbooks import MINUTE, Kind
from bot.store import incident_rows, notice_rows
from bot.store.engine import Store
from bot.words import Words

_LOG = logging.getLogger("vcc.incidents")
_EVERY, _SOON = 10.0, 1.0
_ASKED_WITHIN = 40.0
# A platform that cannot be reached for so long gets a thread; what is said must not wait for a channel for ever.
_ROOM_WITHIN = 10 * MINUTE
# What started so long before an incident may have been its cause.
_BEFORE = 60 * MINUTE
_STATUS = "status"
_WE = "vcc"


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watch works with. ``ask`` is a reading line asked in somebody's name; ``makers`` are the platforms that have channels,
    ``members`` who is let into them; ``accounts`` are those of a person by name."""

    store: Store
    telling: IncidentTelling
    words: Words
    ask: Callable[[Invocation, str, float], Awaitable[Reply]]
    services: Callable[[], Awaitable[Sequence[Service]]]
    makers: Callable[[], Mapping[str, RoomMaker]]
    members: Callable[[str], Sequence[Account]]
    accounts: Callable[[str], Sequence[Account]]
    wake: Callable[[], None]


class IncidentWatch:
    """Looks after what goes on, by ``clock``."""

    def __init__(self, watched: Watched, clock: Callable[[], float]) -> None:
        self._with = watched
        self._clock = clock
        self._opened = asyncio.Event()

    def hurry(self) -> None:
        """Something changed: look now."""
        self._opened.set()

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            self._opened.clear()
            settled = await self.round()
            try:
                async with asyncio.timeout(_EVERY if settled else _SOON):
                    await self._opened.wait()
            except TimeoutError:
                continue

    async def round(self) -> bool:
        """Whatever is due now, for every incident that goes on; whether every new one has its rooms."""
        going_on = await self._with.store.read(incident_rows.open_ones)
        for incident in going_on:
            await self._settle(incident)
            await self._leave_lost(incident)
        if going_on:
            await self._see_starts(going_on)
        going_on = await self._with.store.read(incident_rows.open_ones)
        for incident in going_on:
            await self._at_once(incident)
            await self._status(incident)
            await self._remind(incident)
        new = [incident for incident in going_on if self._clock() - incident.opened_at < MINUTE]
        return all(room.state is not RoomState.WANTED for incident in new for room in incident.rooms)

    # ------------------------------------------------------------ rooms
    async def _settle(self, incident: Incident) -> None:
        """Make the rooms that are wanted, or settle for the thread."""
        for room in incident.rooms:
            if room.state is RoomState.WANTED:
                settled = await self._made(incident, room)
                if settled is not None:
                    await self._keep_room(incident.number, room, settled)

    async def _made(self, incident: Incident, room: Room) -> Room | None:
        maker = self._with.makers().get(room.platform)
        if maker is None:
            return replace(room, state=RoomState.THREAD, why="none")
        topic = self._with.telling.page.title(incident)
        wish = RoomWish(room.name, topic, self._members(incident, room.platform), private=incident.kind is Kind.SECURITY)
        try:
            place = await maker.open_room(wish)
        except OutsideError as error:
            late = self._clock() - incident.opened_at > _ROOM_WITHIN
            _LOG.warning("no room for incident %s on %s yet: %s", incident.number, room.platform, error.detail)
            return replace(room, state=RoomState.THREAD, why="unreachable") if late else None
        if place is None:
            return replace(room, state=RoomState.THREAD, why="forbidden")
        return replace(room, state=RoomState.CHANNEL, channel=place.channel)

    def _members(self, incident: Incident, platform: str) -> tuple[Account, ...]:
        asker = incident.invocation.account
        people = [*([asker] if asker.platform == platform else []), *self._with.members(platform)]
        return tuple(dict.fromkeys(people))

    async def _keep_room(self, number: int, wanted: Room, settled: Room) -> None:
        """The room, and the overview in it."""
        telling, words = self._with.telling, self._with.words
        platform = words(f"incident.platform.{settled.platform}")
        key = f"incident.entry.room_{settled.state}"
        said = words(key, platform=platform, name=settled.name)

        def work(db: Database) -> None:
            if wanted not in incident_rows.known(db, number).rooms:
                return
            incident_rows.set_room(db, number, settled)
            incident_rows.add(db, number, Entry(self._clock(), What.ROOM, said, key=f"room:{settled.platform}"))
            incident = incident_rows.known(db, number)
            telling.furnish(db, incident, settled)
            telling.refresh(db, incident)

        await self._written(work)

    async def _leave_lost(self, incident: Incident) -> None:
        """A channel that was deleted, archived, or closed to us: it goes on below the announcement."""
        for room in incident.rooms:
            maker = self._with.makers().get(room.platform)
            if room.state is RoomState.CHANNEL and maker is not None and any(map(maker.room_lost, await self._given_up(room))):
                await self._leave(incident.number, room)
            elif room.state is RoomState.GONE:
                await self._bring_after(incident, room)

    async def _bring_after(self, incident: Incident, room: Room) -> None:
        """What was on its way to the channel when it was left."""
        place = Place(room.platform, room.channel)
        if await self._with.store.read(lambda db: notice_rows.was_never_said(db, place)):
            await self._written(lambda db: self._with.telling.leave(db, incident, room))

    async def _given_up(self, room: Room) -> list[str]:
        return await self._with.store.read(lambda db: notice_rows.given_up(db, Place(room.platform, room.channel)))

    async def _leave(self, number: int, room: Room) -> None:
        telling, words = self._with.telling, self._with.words
        gone = replace(room, state=RoomState.GONE)
        said = words("incident.entry.room_gone", platform=words(f"incident.platform.{room.platform}"), name=room.name)

        def work(db: Database) -> None:
            if room not in incident_rows.known(db, number).rooms:
                return
            incident_rows.set_room(db, number, gone)
            incident_rows.add(db, number, Entry(self._clock(), What.ROOM, said, key=f"gone:{room.platform}"))
            incident = incident_rows.known(db, number)
            telling.leave(db, incident, room)
            telling.say_below(db, incident, room.platform, Reply(said, words("incident.goes_on_here"), tone=Tone.WARN))
            telling.furnish(db, incident, gone)
            telling.refresh(db, incident)

        await self._written(work)

    # ------------------------------------------------------------ what happens meanwhile
    async def _see_starts(self, incidents: Sequence[Incident]) -> None:
        """Containers that started, in the timeline: also shortly before, which may have been the cause."""
        try:
            services = await self._with.services()
        except VccError:
            return
        for incident in incidents:
            since = incident.opened_at - _BEFORE
            started = [each for each in services if each.started_at is not None and each.started_at >= since]
            known = await self._with.store.read(partial(incident_rows.keys, number=incident.number))
            entries = [entry for each in started if (entry := self._start(each, each.started_at or 0.0)).key not in known]
            if entries:
                await self._with.store.write(partial(_add_all, number=incident.number, entries=entries))

    def _start(self, service: Service, at: float) -> Entry:
        said = self._with.words("incident.entry.started", service=service.name, image=service.image)
        return Entry(at, What.SERVICE, said, key=f"start:{service.container_id[:12]}:{at:.3f}")

    # ------------------------------------------------------------ what is due
    async def _at_once(self, incident: Incident) -> None:
        """The steps that only take a look: the look is posted, and the step is done."""
        if not self._ready(incident):
            return
        for step in incident.steps:
            if step.text.at_once and step.state is StepState.OPEN and not step.at:
                answer = await self._asked(incident, step.text.at_once)
                await self._took(incident.number, step, answer)

    async def _took(self, number: int, step: Step, answer: Reply) -> None:
        telling, now = self._with.telling, self._clock()
        done = answer.outcome is Outcome.DONE
        taken = replace(step, state=StepState.DONE if done else StepState.OPEN, person=_WE if done else "", at=now)
        said = self._with.words("incident.entry.step_done", step=telling.page.named(step))

        def work(db: Database) -> None:
            before = incident_rows.known(db, number)
            if before.step(step.number) != step or not before.is_open:
                return
            incident_rows.set_step(db, number, taken)
            if step.text.at_once == _STATUS:
                incident_rows.change(db, number, {"next_status_at": self._next_status(before)})
            if done:
                incident_rows.add(db, number, Entry(now, What.STEP, said, _WE))
            incident = incident_rows.known(db, number)
            telling.say(db, incident, _as_posted(answer))
            telling.refresh(db, incident)

        await self._written(work)

    async def _status(self, incident: Incident) -> None:
        """How things are, at the interval of the runbook; what was missed while we were down is said once."""
        number, due = incident.number, incident.next_status_at
        if not due or due > self._clock() or not self._ready(incident):
            return
        answer = _as_posted(await self._asked(incident, _STATUS))

        def work(db: Database) -> None:
            now = incident_rows.known(db, number)
            if now.next_status_at != due or not now.is_open:
                return
            incident_rows.change(db, number, {"next_status_at": self._next_status(now)})
            incident_rows.add(db, number, Entry(self._clock(), What.STATUS, answer.title, _WE))
            self._with.telling.say(db, now, answer)

        await self._written(work)

    def _next_status(self, incident: Incident) -> float:
        every = incident.runbook.status_every * MINUTE
        return self._clock() + every if every else 0.0

    async def _remind(self, incident: Incident) -> None:
        """The next step, when it waits for longer than its time, and again each time as long."""
        step = next(iter(incident.open_steps), None)
        if step is None or not step.text.remind_after or not self._ready(incident):
            return
        waited_since = max(waits_since(incident, step), step.reminded_at)
        if self._clock() < waited_since + step.text.remind_after * MINUTE:
            return

        def work(db: Database) -> None:
            now = incident_rows.known(db, incident.number)
            if now.step(step.number) != step or not now.is_open:
                return
            incident_rows.set_step(db, incident.number, replace(step, reminded_at=self._clock()))
            said = replace(self._with.telling.page.reminder(now, step), mentions=tuple(self._with.accounts(now.lead)))
            self._with.telling.say(db, now, said)

        await self._written(work)

    def _ready(self, incident: Incident) -> bool:
        """Whether there is a room to say it in: every one is settled, or one is and the others keep us waiting."""
        wanted = [room for room in incident.rooms if room.state is RoomState.WANTED]
        return not wanted or (len(wanted) < len(incident.rooms) and self._clock() - incident.opened_at > MINUTE)

    async def _asked(self, incident: Incident, line: str) -> Reply:
        """What a line answers that is asked in the name of whoever opened the incident; why not, when it does not."""
        asker = replace(incident.invocation, at=self._clock())
        try:
            return await self._with.ask(asker, line, _ASKED_WITHIN)
        except VccError as error:
            return Reply(line, self._with.words(error.key, **error.values), Outcome.FAILED, Tone.WARN)

    async def _written(self, work: Callable[[Database], None]) -> None:
        await self._with.store.write(work)
        self._with.wake()


def _add_all(db: Database, number: int, entries: Sequence[Entry]) -> None:
    for entry in entries:
        incident_rows.add(db, number, entry)


def _as_posted(answer: Reply) -> Reply:
    """An answer said to a room belongs to no request; of one that was for the asker alone only the title."""
    if answer.private and answer.outcome is Outcome.DONE:
        return Reply(answer.title, tone=answer.tone)
    return replace(answer, private=False, reference="", ticket=None)
