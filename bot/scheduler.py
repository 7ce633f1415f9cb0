"""Types lines when they are due, each as its owner, through the same corridor as everybody: clock to invocations, and nothing else.

A moment is claimed in the commit that opens its request, so that of several programs on one state exactly one runs it, and a
crash neither loses nor repeats it. Nothing here waits for a run: none holds up another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot import binding, line
from bot.audit import Audit
from bot.errors import Busy, Refusal, VccError
from bot.model import Invocation, Reply
from bot.registry import Registry
from bot.scheduler_data import Schedule, ScheduleState
from bot.scheduler_owners import Owners
from bot.services import Finding
from bot.store import schedule_rows
from bot.store.engine import Store
from bot.store.schedule_rows import Run, ScheduleRow
from bot.team_files import TeamFile
from bot.words import Words

_LOG = logging.getLogger("vcc.scheduler")
# The clock may jump, and the file may change, while we sleep: look that often at least.
LOOK_EVERY = 15.0
_SHORTEST = 0.2
ON_TIME = 60.0

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the scheduler works with. ``start`` runs an accepted request beside the caller; ``cannot`` tells of one that
    cannot run; ``wake`` lets messages go out.
    """

    store: Store
    audit: Audit
    registry: Registry
    owners: Owners
    start: Callable[[Invocation], object]
    cannot: Callable[[str, VccError], Reply]
    wake: Callable[[], None]


class Scheduler:
    """Looks at every schedule of ``file`` in rounds by ``clock``."""

    def __init__(
        self,
        desk: Desk,
        file: TeamFile[Sequence[Schedule]],
        clock: Clock = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._desk = desk
        self._file = file
        self._clock = clock
        self._sleep = sleep
        self.rounded_at = float("-inf")

    async def run(self) -> None:
        """Rounds until cancelled; what was begun goes on."""
        while True:
            await self.round()
            await self._sleep(await self._rest())

    async def _rest(self) -> float:
        now = self._clock()
        due = [schedule.when.after(now) - now for schedule in await self._schedules()]
        return max(_SHORTEST, min([LOOK_EVERY, *due]))

    async def round(self) -> None:
        """Begin what is due and was not begun, the newest moment of each schedule only. ``rounded_at`` is when that was last done."""
        now = self._clock()
        schedules = await self._schedules()
        rows = await self._desk.store.read(schedule_rows.everything)
        names = {schedule.name for schedule in schedules}
        if rows.keys() - names and await asyncio.to_thread(lambda: self._file.fault) is None:
            await self._desk.store.write(lambda db: schedule_rows.forget_others(db, names, now))
        for schedule in schedules:
            try:
                await self._consider(schedule, rows.get(schedule.name), now)
            except VccError as error:  # a record that cannot be written now; the moment stays due
                _LOG.error("schedule %s: %s", schedule.name, error)
        self.rounded_at = now

    async def _schedules(self) -> Sequence[Schedule]:
        return await asyncio.to_thread(self._file.read)

    async def _consider(self, schedule: Schedule, row: ScheduleRow | None, now: float) -> None:
        if row is None or row.timetable != schedule.when.key:
            await self._anchor(schedule, now)
        elif not row.paused(now):
            since = await self._since(row, now)
            due = schedule.when.latest(since, now)
            if due is not None:
                await self._begin(schedule, due, now, row.outcome)

    async def _anchor(self, schedule: Schedule, now: float) -> None:
        await self._desk.store.write(lambda db: schedule_rows.anchor(db, schedule.name, schedule.when.key, now))

    async def _since(self, row: ScheduleRow, now: float) -> float:
        """From when on what was due is still to be done."""
        ended, since = row.paused_until, row.last_due
        if row.paused_by and ended is not None:  # the pause ended by itself; what was due in it is left out
            since = max(since, ended)
            await self._desk.store.write(lambda db: schedule_rows.resume(db, row.name, since))
        if since > now:  # the clock jumped back: count from here, and what ran already is known by its key
            await self._desk.store.write(lambda db: schedule_rows.count_from(db, row.name, now))
        return min(since, now)

    async def _begin(self, schedule: Schedule, due: float, now: float, outcome: str) -> None:
        late = now - due if now - due > ON_TIME else 0.0
        fault = self._fault_of(schedule)
        if fault is not None:  # once mended it is not made up for
            await self._pass_by_faulty(schedule, due, fault, told=outcome == schedule_rows.FAULTY)
            return
        if late and not schedule.catch_up:
            await self._desk.store.write(lambda db: schedule_rows.pass_by(db, schedule.name, due, now))
            return
        errand = self._desk.owners.errand(schedule)
        invocation = Invocation(schedule.line, errand.account, errand.place, f"schedule:{schedule.name}:{due:.0f}", now)
        accepted = await self._desk.audit.open(invocation, Run(schedule.name, due, late, errand.owner, errand.others))
        if accepted is None:
            _LOG.info("schedule %s: its moment is taken, or its last run goes on", schedule.name)
        else:
            self._desk.start(accepted)

    async def _pass_by_faulty(self, schedule: Schedule, due: float, fault: VccError, *, told: bool) -> None:
        """Told in the channels once; after that by "schedule list" and "check setup"."""
        _LOG.warning("schedule %s does not run: %s", schedule.name, fault)
        places = () if told else self._desk.owners.shown_in(schedule)
        await self._desk.audit.cannot_run(schedule.name, due, places, self._desk.cannot(schedule.name, fault))
        self._desk.wake()

    def _fault_of(self, schedule: Schedule) -> VccError | None:
        """Why it cannot run, by what is known of commands, people and channels; whether it may is seen in the corridor."""
        try:
            command, words = self._desk.registry.resolve(line.split(line.normalise(schedule.line)))
            binding.bind(command, words)
            self._desk.owners.errand(schedule)
        except Refusal as fault:
            return fault
        return None

    # ------------------------------------------------------------ what commands ask
    async def everything(self) -> Sequence[ScheduleState]:
        """Each schedule and how it stands."""
        now = self._clock()
        schedules = await self._schedules()
        rows = await self._desk.store.read(schedule_rows.everything)
        running = await self._desk.store.read(schedule_rows.running)
        return [self._state(each, rows.get(each.name), each.name in running, now) for each in schedules]

    def _state(self, schedule: Schedule, row: ScheduleRow | None, running: bool, now: float) -> ScheduleState:
        row = row or ScheduleRow(schedule.name, schedule.when.key, now)
        fault = self._fault_of(schedule)
        owner = "" if fault is not None else self._desk.owners.errand(schedule).owner
        begin = now if not row.paused(now) else row.paused_until
        next_at = None if fault is not None or begin is None else schedule.when.after(begin)
        return ScheduleState(schedule, row, owner, next_at, running, fault)

    async def _named(self, name: str) -> Schedule:
        return next(each for each in await self._schedules() if each.name == name)

    async def pause(self, name: str, person: str, until: float | None) -> None:
        """Let it rest."""
        now = self._clock()
        schedule = await self._named(name)
        await self._anchor(schedule, now)
        await self._desk.store.write(lambda db: schedule_rows.pause(db, name, person, now, until))

    async def resume(self, name: str) -> None:
        """Let it go on."""
        now = self._clock()
        await self._desk.store.write(lambda db: schedule_rows.resume(db, name, now))

    async def begin(self, name: str, invocation: Invocation, person: str) -> Invocation:
        """Its line as a request of whoever asks for it now."""
        schedule, now = await self._named(name), self._clock()
        await self._anchor(schedule, now)
        asked = replace(invocation, line=schedule.line, key="", reference="", at=now, reply_handle={}, approved_by=None, ticket=None)
        accepted = await self._desk.audit.open(asked, Run(name, 0.0, 0.0, person))
        if accepted is None:
            raise Busy("scheduler.busy", name=name)
        return accepted

    async def check(self, words: Words) -> Sequence[Finding]:
        """Each schedule that cannot run, or how many there are."""
        states = await self.everything()
        faulty = [
            Finding(
                "schedules", "bad", f"{each.schedule.name}: {words(each.fault.key, **each.fault.values)}", words("inspector.schedules.fix")
            )
            for each in states
            if each.fault is not None
        ]
        return faulty or [Finding("schedules", "ok", words("inspector.schedules.ok", count=len(states)))]
