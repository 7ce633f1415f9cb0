"""Keeps a long-running part alive: what dies is started again, later each time, and touches nothing beside it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

_LOG = logging.getLogger("vcc.supervisor")
_FIRST = 1.0
_LONGEST = 60.0
_STEADY = 120.0
_INSIST = 10.0


async def supervise(name: str, run: Callable[[], Awaitable[None]], first: float = _FIRST, insist: float = _INSIST) -> None:
    """Run until cancelled; after a failure wait, doubling up to a minute; a long good run starts the count anew."""
    wait = first
    while True:
        begun = time.monotonic()
        try:
            await _until_ended(asyncio.ensure_future(run()), insist)
            _LOG.warning("%s ended; starting it again", name)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - one part's death must not touch the others
            _LOG.exception("%s died; starting it again in %.0f s", name, wait)
        if time.monotonic() - begun > _STEADY:
            wait = first
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))
        wait = min(_LONGEST, wait * 2)


async def _until_ended(running: asyncio.Future[None], insist: float) -> None:
    """Wait for it; cancelled, cancel it until it really ends: a cancellation that meets an answer can be lost on the way.

    ``asyncio.wait_for``, which libraries use, loses one like that before Python 3.12.
    """
    try:
        await asyncio.wait({running})
    finally:
        while not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=insist)
        failure = None if running.cancelled() else running.exception()
    if failure is not None:
        raise failure
