"""Waiting for a condition without holding the event loop, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.testing.waiting import PATIENCE


async def until(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE) -> None:
    """Come back when the condition holds; says ``what`` never came true."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds:g} s: {what}")
