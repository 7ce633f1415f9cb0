"""Whether the page's server still finds the backend behind it: nginx looks its address up once, when it starts, and a container that
was stopped may come back with another. Restarts the page's server when that is so, and nothing else.
"""

from __future__ import annotations

import asyncio
import time

from bot.errors import NotFound
from bot.ops.bundle import Ops
from bot.ops.deep_health import Verdict, measure

PATIENCE = 30.0
# So long the backend must answer by itself while the page's server does not reach it.
STALE_FOR = 4.0
FRONTEND = "frontend"
_POLL = 0.5
_WELL_WITHIN = 60.0


async def reconnect(ops: Ops, patience: float = PATIENCE) -> bool:
    """Wait until requests through the page reach the backend, restarting the page's server if need be; whether they do, as far as
    anybody can tell. OutsideError from the engine."""
    if await _reaches(ops, patience) is not False:
        return True
    try:
        servers = await ops.containers.replicas(FRONTEND)
    except NotFound:
        return False
    for each in servers:
        if each.running:
            await ops.containers.restart(each.container_id)
            await ops.containers.wait_healthy(each.container_id, _WELL_WITHIN)
    return await _reaches(ops, patience) is not False


async def _reaches(ops: Ops, patience: float) -> bool | None:
    """False when the backend answers by itself and not through the page; None when that cannot be told, or the backend is down."""
    ends, since = time.monotonic() + patience, None
    while True:
        checks = {check.kind: check.verdict for check in (await measure(ops, time.time(), only=("backend", "page", "proxy"))).checks}
        proxy, backend = checks.get("proxy"), checks.get("backend")
        if proxy is not Verdict.BAD:
            return True if proxy is Verdict.OK else None
        since = (since or time.monotonic()) if backend is Verdict.OK else None
        if since is not None and time.monotonic() - since >= STALE_FOR:
            return False
        if time.monotonic() >= ends:
            return None
        await asyncio.sleep(_POLL)
