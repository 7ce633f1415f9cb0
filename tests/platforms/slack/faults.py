"""Faults a test orders for the next calls: error answers, silence, dropped connections.

Knows no method; a fault matches by the name of the call, or ``*``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass
class Fault:
    """``what`` is an HTTP status, ``"hang"`` or ``"drop"``. ``after`` lets the work happen first: only the answer is lost."""

    method: str
    what: int | str
    times: int
    retry_after: int = 1
    after: bool = False
    error: str = ""


class Faults:
    """The orders still open, oldest first."""

    def __init__(self) -> None:
        self._open: list[Fault] = []
        self._healed = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Order one more."""
        self._open.append(fault)

    def take(self, method: str) -> Fault | None:
        """The fault this call meets, used up by one."""
        for fault in self._open:
            if fault.method in (method, "*"):
                fault.times -= 1
                if fault.times <= 0:
                    self._open.remove(fault)
                return fault
        return None

    async def hang(self) -> None:
        """Answer nothing until healed."""
        await self._healed.wait()

    def heal(self) -> None:
        """Forget all orders and let go of what hangs."""
        self._open.clear()
        self._healed.set()
        self._healed = asyncio.Event()
