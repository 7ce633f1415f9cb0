"""Deadlines and threads for the adapters: every outside call ends in time and in our own errors.

Knows no vendor: each adapter hands in its vendor's exception classes and the translation of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from bot.errors import OutsideError, TimedOut

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Vendor:
    """One outside system as its adapter sees it: its name for people, what it throws, and what that means to us.

    ``translate`` gets the vendor's error and the deadline in seconds that applied.
    """

    system: str
    errors: tuple[type[Exception], ...]
    translate: Callable[[Exception, float], OutsideError]


@contextlib.asynccontextmanager
async def within(vendor: Vendor, seconds: float) -> AsyncIterator[None]:
    """Run the block with a deadline; what the vendor throws leaves as an ``OutsideError``."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TimedOut(vendor.system, seconds, describe(error)) from error
    except vendor.errors as error:
        raise vendor.translate(error, seconds) from error


def describe(error: BaseException) -> str:
    """The vendor's own wording with its class, for the log only: it may hold secrets."""
    return f"{type(error).__name__}: {error}"


async def to_the_end(work: Awaitable[None]) -> None:
    """Finish even when the caller is cancelled; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class Workers:
    """A few threads of an adapter's own, so that one that hangs cannot take the threads of all the others."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix=name)

    async def run(self, function: Callable[Arguments, Result], *arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        """Call ``function`` in a thread. A cancelled call that has not begun is dropped from the queue."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*arguments, **options))

    def close(self) -> None:
        """Let running calls end by themselves; nothing queued begins any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
