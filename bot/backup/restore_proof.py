"""Whether a service works on what was restored: its containers are well, and its health address says so itself. Changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bot.errors import OutsideError
from bot.ops.bundle import Ops

WELL_WITHIN = 150.0
POLL = 1.0
# What ``answering`` says of a service that was asked; anything else says nothing of it.
ILL = frozenset({"error.unhealthy", "restore.not_answering"})


async def answering(ops: Ops, containers: Sequence[str], service: str) -> None:
    """Wait until they are well and the service's address answers so, where one is known. OutsideError when it does not in time."""
    ends = time.monotonic() + WELL_WITHIN
    for container in containers:
        await ops.containers.wait_healthy(container, max(1.0, ends - time.monotonic()))
    while True:
        down = [each for each in await ops.health.check() if each.name == service and not each.up]
        if not down:
            return
        if time.monotonic() >= ends:
            raise OutsideError("restore.not_answering", system="http", service=service, address=down[0].address)
        await asyncio.sleep(POLL)
