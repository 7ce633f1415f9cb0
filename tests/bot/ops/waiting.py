"""Waiting for a condition without holding the event loop, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], what: str, *, seconds: float = 10.0) -> None:
    """Come back when the condition holds; says ``what`` never came true."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds:g} s: {what}")
