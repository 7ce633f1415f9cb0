"""Waiting for a condition instead of for a time; always bounded, and patiently: a wait ends when its condition holds."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

# Seconds. Only a test that fails waits so long.
PATIENCE = 60.0


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = PATIENCE) -> None:
    """Return once the condition holds; AssertionError says ``what`` never came true."""
    limit = time.monotonic() + seconds
    while True:
        held = condition()
        if await held if inspect.isawaitable(held) else held:
            return
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.005)
