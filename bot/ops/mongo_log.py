"""The slow operations that mongod writes to its container's log by itself. Knows which container that is, by compose's label or image."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.ops.container_logs import LogWindow
from bot.ops.container_values import Service
from bot.ops.containers import Containers
from bot.ops.logs import Logs
from bot.ops.mongo_slow import SlowOperation, from_log

_NAMES = frozenset({"mongodb", "mongo", "mongod"})
_MOST_BYTES = 64 << 20
_MOST_OPERATIONS = 50_000


@dataclass(frozen=True, slots=True)
class LoggedOperations:
    """What the log of ``service`` tells; ``partial`` when there was more of it than is read."""

    service: str
    operations: tuple[SlowOperation, ...]
    partial: bool


async def logged(containers: Containers, logs: Logs, database: str, since: float, deadline: float) -> LoggedOperations | None:
    """The slow operations since then; None when no container runs mongod. What was read until the deadline counts."""
    server = _mongod(await containers.services())
    if server is None:
        return None
    found: list[SlowOperation] = []
    stream = await logs.read(server, LogWindow(since=since, max_bytes=_MOST_BYTES))
    try:
        async with asyncio.timeout(deadline):
            async for line in stream:
                operation = None if line.truncated else from_log(line.text, database)
                if operation is not None:
                    found.append(operation)
                if len(found) >= _MOST_OPERATIONS:
                    return LoggedOperations(server.name, tuple(found), partial=True)
    except TimeoutError:
        return LoggedOperations(server.name, tuple(found), partial=True)
    finally:
        await stream.aclose()
    return LoggedOperations(server.name, tuple(found), stream.clipped)


def _mongod(services: Sequence[Service]) -> Service | None:
    """The container of mongod; of several, one that runs."""
    found = [service for service in services if service.name in _NAMES or _image(service) == "mongo"]
    return next((service for service in found if service.running), found[0] if found else None)


def _image(service: Service) -> str:
    return service.image.rpartition("/")[2].partition("@")[0].partition(":")[0]
