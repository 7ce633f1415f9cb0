"""Long work on backups: threads that are waited for, steps that are told, and the wish that it should end. Knows no backup.

Whatever ends the work (somebody, a time limit, the bot's stop), no thread still writes when its directory is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from bot.errors import Conflict
from bot.ops.bounded import Workers

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
LOOK_EVERY = 0.4


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done, and how far: ``done`` of ``total`` (0: unknown) in ``unit`` (``files``, ``documents``, ``bytes``, ``jobs``)."""

    name: str
    done: float = 0
    total: float = 0
    unit: str = ""


class EndedBy(Conflict):
    """Somebody wanted it to end; nothing of it is left."""

    def __init__(self, person: str) -> None:
        super().__init__("backup.ended_by", person=person)
        self.person = person


def _say_nothing(step: Step) -> None:
    return None


async def _nobody() -> str:
    return ""


async def _promise_nothing(*queues: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Hooks:
    """What whoever asked for the work hears of it. ``holding`` is told which queues are about to be held, before they are:
    it must see to it that they are let go after a crash. ``asked_to_end`` gives who wants it to end."""

    say: Callable[[Step], None] = _say_nothing
    asked_to_end: Callable[[], Awaitable[str]] = _nobody
    holding: Callable[..., Awaitable[None]] = _promise_nothing


@dataclass(slots=True)
class Threads:
    """Blocking work in threads. ``stopping`` tells it that it should end: it is waited for in any case."""

    _workers: Workers = field(default_factory=lambda: Workers("backup", 2))
    _stop: threading.Event = field(default_factory=threading.Event)

    def stopping(self) -> bool:
        """For the work to ask."""
        return self._stop.is_set()

    async def run(self, function: Callable[Arguments, Result], *arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        """Call it in a thread. When this is cancelled, the work is told to end, and has ended before the cancellation goes on."""
        return await self.follow(self._workers.run(function, *arguments, **options))

    async def follow(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await what has threads of its own; when this is cancelled, these are told to end by ``stopping``, and waited for."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._stop.set()
            await until_over(task)
            raise

    def close(self) -> None:
        """Let the threads go."""
        self._workers.close()


async def until_over(task: asyncio.Future[Any]) -> None:
    """Wait until it has ended, however often somebody wants to end the waiting; what it came to is not looked at."""
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


async def to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Finish even when the caller is cancelled; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await until_over(task)
        raise


async def endable(work: Coroutine[Any, Any, Result], hooks: Hooks, may_end: Callable[[], bool]) -> Result:
    """The work, ended with ``EndedBy`` when somebody wants that while it ``may_end``; it has cleaned up after itself by then."""
    task = asyncio.ensure_future(work)
    who = ""
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_EVERY))[0]:
            if not who and may_end():
                who = await hooks.asked_to_end()
                if who and may_end():
                    task.cancel()
    finally:
        if not task.done():
            task.cancel()
            await until_over(task)
    if task.cancelled() and who:
        raise EndedBy(who)
    return task.result()
