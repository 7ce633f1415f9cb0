"""Restarting (or stopping) without losing work: close the queues, let jobs end, restart, wait until all is well, open the queues.

A queue that was closed by somebody else before stays closed; one that this closed is opened again however it ends. Knows
nothing of chat or of who asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import Conflict, OutsideError, TimedOut, VccError
from bot.ops.bounded import to_the_end
from bot.ops.bull import BullQueues
from bot.ops.bull_values import QueueStatus
from bot.ops.container_errors import SYSTEM
from bot.ops.container_values import Service
from bot.ops.containers import Containers

WELL_WITHIN = 150.0
ANSWERS_WITHIN = 60.0
OPENED_WITHIN = 60.0
SETTLED_FOR = 2.0
POLL = 1.0
GRACE = {"mongodb": 30, "redis": 30}
DEFAULT_GRACE = 10

Say = Callable[[str, Mapping[str, object]], None]
Answers = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done: ``name`` is what, ``subject`` to what, ``seconds`` how long it took."""

    name: str
    subject: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Order:
    """What to do, as it was approved. ``containers`` are restarted in this order, ``dependents`` come back by themselves.

    ``queues`` are closed meanwhile; ``wait`` is the longest to let active jobs end, after which it is given up unless ``force``.
    With ``stop`` they are stopped and stay so, and with ``leave_closed`` so do the queues.
    """

    containers: Sequence[tuple[str, str]]
    dependents: Sequence[tuple[str, str]] = ()
    queues: Sequence[str] = ()
    closed_before: Sequence[str] = ()
    wait: float = 300.0
    force: bool = False
    stop: bool = False
    leave_closed: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it. ``failure`` is what ended it early; ``still_closed`` the queues that could not be opened again."""

    steps: list[Step] = field(default_factory=list)
    restarted: list[tuple[Service, Service]] = field(default_factory=list)
    failure: VccError | None = None
    jobs_left: int = 0
    jobs_stalled: int = 0
    jobs_before: int | None = None
    jobs_after: int | None = None
    still_closed: tuple[str, ...] = ()
    queues: tuple[QueueStatus, ...] = ()

    @property
    def jobs_missing(self) -> int:
        """Jobs that were in the closed queues before and are not there afterwards, nobody having worked on them."""
        if self.jobs_before is None or self.jobs_after is None:
            return 0
        # Jobs cut off while active may rightly have ended meanwhile, so these prove nothing.
        return max(0, self.jobs_before - self.jobs_after - self.jobs_left - self.jobs_stalled)


class SafeRestart:
    """One restart of one deployment. ``answers`` are questions that a restarted service must answer before it counts as back."""

    def __init__(self, containers: Containers, bull: BullQueues | None, answers: Mapping[str, Answers], say: Say) -> None:
        self._containers = containers
        self._bull = bull
        self._answers = answers
        self._say = say
        self._outcome = Outcome()
        self._closed: list[str] = []

    async def run(self, order: Order) -> Outcome:
        """Do it. Raises nothing of the outside: what went wrong is in the outcome, after the queues were opened again."""
        try:
            await self._work(order)
        except VccError as failure:
            self._outcome.failure = failure
        finally:
            await to_the_end(self._open())
        await self._look_again(order)
        return self._outcome

    async def _work(self, order: Order) -> None:
        if order.queues or order.closed_before:
            await self._close(order.queues)
            await self._drain(order)
            if self._outcome.jobs_left and not order.force:
                return
            self._outcome.jobs_before = await self._jobs(order)
        for service, container_id in order.containers:
            await (self._stop if order.stop else self._restart)(service, container_id)
            if order.leave_closed:  # from the first that is down, jobs would only fail
                self._closed.clear()
        for service, container_id in order.dependents:
            await self._timed("follow", service, self._settled(container_id))
        if self._outcome.jobs_before is not None and not order.stop:
            self._outcome.jobs_after = await self._jobs(order)

    async def _timed(self, name: str, subject: str, work: Awaitable[object], **values: object) -> None:
        """Do one step and note how long it took; one that fails is not noted."""
        self._say(name, {"subject": subject, **values})
        began = time.monotonic()
        await work
        self._outcome.steps.append(Step(name, subject, time.monotonic() - began))

    async def _close(self, queues: Sequence[str]) -> None:
        for name in queues:
            # Noted before it is done: were it closed and the answer lost, it must be opened all the same.
            self._closed.append(name)
            await self._timed("pause", name, self._queue_tool().pause(name))

    def _queue_tool(self) -> BullQueues:
        if self._bull is None:
            raise OutsideError("error.not_configured", system="redis", setting="REDIS_URL")
        return self._bull

    async def _drain(self, order: Order) -> None:
        names = _queues(order)
        await self._timed("drain", ", ".join(names), self._drained(names, order.wait))

    async def _drained(self, names: Sequence[str], wait: float) -> None:
        """Until nothing is worked on. A job whose worker is gone never ends, so it is not waited for, but it is looked at twice."""
        ends, quiet = time.monotonic() + wait, 0
        while True:
            queues = [await self._queue_tool().queue(name) for name in names]
            stalled = sum(queue.stalled for queue in queues)
            left = sum(queue.active for queue in queues) - stalled
            quiet = quiet + 1 if left <= 0 else 0
            self._outcome.jobs_left, self._outcome.jobs_stalled = max(0, left), stalled
            if quiet and (not stalled or quiet > 1):
                return
            if time.monotonic() >= ends:
                return
            self._say("draining", {"subject": ", ".join(names), "left": left, "seconds": max(0, round(ends - time.monotonic()))})
            await asyncio.sleep(min(POLL, max(0.01, ends - time.monotonic())))

    async def _jobs(self, order: Order) -> int:
        """All jobs that still have to be done. While the queues are closed and nobody works, this can only grow."""
        queues = [await self._queue_tool().queue(name) for name in _queues(order)]
        return sum(queue.waiting + queue.paused + queue.active + queue.delayed for queue in queues)

    async def _restart(self, service: str, container_id: str) -> None:
        before = await self._containers.container(container_id)
        grace = GRACE.get(service, DEFAULT_GRACE)
        await self._timed("restart", service, self._containers.restart(container_id, timeout=grace))
        await self._timed("healthy", service, self._containers.wait_healthy(container_id, WELL_WITHIN))
        if service in self._answers:
            await self._timed("answers", service, self._answered(self._answers[service]))
        self._outcome.restarted.append((before, await self._containers.container(container_id)))

    async def _stop(self, service: str, container_id: str) -> None:
        before = await self._containers.container(container_id)
        await self._timed("stop", service, self._containers.stop(container_id, timeout=GRACE.get(service, DEFAULT_GRACE)))
        self._outcome.restarted.append((before, await self._containers.container(container_id)))

    async def _answered(self, ask: Answers) -> None:
        ends = time.monotonic() + ANSWERS_WITHIN
        while True:
            try:
                await ask()
            except OutsideError:
                if time.monotonic() >= ends:
                    raise
            else:
                return
            await asyncio.sleep(POLL)

    async def _settled(self, container_id: str) -> None:
        """Until it is well and stays the same process for a while: it may die a moment after what it depends on did."""
        ends = time.monotonic() + WELL_WITHIN
        while True:
            first = await self._containers.wait_healthy(container_id, max(1.0, ends - time.monotonic()))
            await asyncio.sleep(SETTLED_FOR)
            second = await self._containers.container(container_id)
            if second.running and second.started_at == first.started_at and second.health in ("", "healthy"):
                return
            if time.monotonic() >= ends:
                raise TimedOut(SYSTEM, WELL_WITHIN, f"{second.container_name} keeps restarting")

    async def _open(self) -> None:
        """Open every queue that this closed, trying again while Redis is still coming up."""
        ends = time.monotonic() + OPENED_WITHIN
        left = []
        for name in self._closed:
            try:
                await self._timed("resume", name, self._opened(name, ends))
            except VccError:
                left.append(name)
        self._outcome.still_closed = tuple(left)

    async def _opened(self, name: str, ends: float) -> None:
        while True:
            try:
                await self._queue_tool().resume(name)
                if not (await self._queue_tool().queue(name)).is_paused:
                    return
            except OutsideError:
                if time.monotonic() >= ends:
                    raise
            if time.monotonic() >= ends:
                raise Conflict("service.closed_again", queue=name)
            await asyncio.sleep(POLL)

    async def _look_again(self, order: Order) -> None:
        """The queues as they are in the end; nothing when they cannot be asked."""
        try:
            self._outcome.queues = tuple([await self._queue_tool().queue(name) for name in _queues(order)])
        except VccError:
            self._outcome.queues = ()


def _queues(order: Order) -> list[str]:
    return [*order.queues, *order.closed_before]
