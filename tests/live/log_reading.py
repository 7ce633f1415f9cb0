"""One container's log read both ways: out of the engine's files, and through its API."""

from __future__ import annotations

from pathlib import Path

from bot.ops.container_logs import LogWindow
from bot.ops.container_values import LogLine, Service
from bot.ops.containers import Containers
from bot.ops.error_log import ErrorGroup, ErrorGrouper
from bot.ops.log_position import LogPosition
from bot.ops.logs import Logs


async def both(containers: Containers, service: Service, data: Path, window: LogWindow) -> tuple[list[LogLine], list[LogLine]]:
    """The lines by file, and by API."""
    by_file, by_api = Logs(containers, data), Logs(containers, None)
    try:
        assert await by_file.source(service) == "file"
        first, second = await by_file.read(service, window), await by_api.read(service, window)
        return [line async for line in first], [line async for line in second]
    finally:
        by_file.close()
        by_api.close()


async def errors(
    containers: Containers, service: Service, data: Path | None, after: LogPosition | None = None
) -> tuple[tuple[ErrorGroup, ...], LogPosition]:
    logs, grouper = Logs(containers, data), ErrorGrouper()
    try:
        position = await logs.errors(service, grouper, after=after)
    finally:
        logs.close()
    return grouper.groups(known=True), position
