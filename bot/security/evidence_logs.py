"""The logs of all services into a bundle, whole and streamed; on the way errors are grouped and access lines of trouble counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.errors import OutsideError
from bot.ops.container_logs import LogWindow
from bot.ops.container_values import LogLine, Service
from bot.ops.error_log import ErrorGroup, ErrorGrouper
from bot.ops.logs import Logs
from bot.plain_text import harmless
from bot.security.access_marks import AccessMarks
from bot.security.bundle import Bundle, Lines

_BATCH_LINES, _BATCH_CHARACTERS = 400, 1 << 18
# A line that was cut may end in the middle of a secret, which then looks like none.
_LONGEST_SECRET = 512
_PAGES = frozenset({"frontend", "nginx"})

Say = Callable[[str, int, int], None]


@dataclass(slots=True)
class LogFindings:
    """What the logs told: lines by container, groups of errors, marks of trouble in the access lines."""

    lines: dict[str, int] = field(default_factory=dict)
    errors: ErrorGrouper = field(default_factory=ErrorGrouper)
    access: AccessMarks = field(default_factory=AccessMarks)


async def keep_logs(bundle: Bundle, logs: Logs, services: Sequence[Service], until: float, say: Say) -> LogFindings:
    """Every log up to ``until``, one after the other; one that cannot be read is noted as missing."""
    findings = LogFindings()
    for number, service in enumerate(services):
        name = f"logs/{service.container_name}.log.gz"
        say(service.container_name, number, len(services))
        try:
            findings.lines[service.container_name] = await _keep(bundle, logs, service, name, until, findings)
        except OutsideError as error:
            bundle.without(name, error.key)
    await asyncio.to_thread(_write_findings, bundle, findings)
    return findings


async def _keep(bundle: Bundle, logs: Logs, service: Service, name: str, until: float, findings: LogFindings) -> int:
    count = 0
    async with AsyncExitStack() as stack:
        file = stack.enter_context(bundle.lines(name))
        watched = service.name in _PAGES
        marked = stack.enter_context(bundle.lines(f"access/{service.container_name}.log.gz")) if watched else None
        batches = await stack.enter_async_context(aclosing(_batches(logs, service, until)))
        async for batch in batches:
            await asyncio.to_thread(_take, batch, file, marked, findings)
            count += len(batch)
    return count


async def _batches(logs: Logs, service: Service, until: float) -> AsyncGenerator[list[LogLine], None]:
    stream, batch, room = await logs.read(service, LogWindow(until=until)), list[LogLine](), _BATCH_CHARACTERS
    try:
        async for line in stream:
            batch.append(line)
            room -= len(line.text)
            if len(batch) >= _BATCH_LINES or room <= 0:
                yield batch
                batch, room = [], _BATCH_CHARACTERS
        if batch:
            yield batch
    finally:
        await stream.aclose()


def _take(batch: Sequence[LogLine], file: Lines, marked: Lines | None, findings: LogFindings) -> None:
    file.add(_written(line) for line in batch)
    for line in batch:
        findings.errors.feed(line)
    if marked is not None:
        marked.add(_written(line) for line in batch if findings.access.feed(line.text))


def _written(line: LogLine) -> str:
    stamp = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="milliseconds")
    text = harmless(line.text, limit=len(line.text), newlines=False)
    return f"{stamp} {line.stream} {text[:-_LONGEST_SECRET] + ' [cut]' if line.truncated else text}"


def _write_findings(bundle: Bundle, findings: LogFindings) -> None:
    groups = findings.errors.groups()
    bundle.document("errors.json", {"overflow": findings.errors.overflow, "groups": [_raw(group) for group in groups]})
    bundle.text("errors.md", "\n".join(["# Errors", "", *(line for group in groups for line in _told(group))]) + "\n")
    told = [{"address": address, **counts} for address, counts in findings.access.worst()]
    bundle.document("access/addresses.json", {"lines": findings.access.lines, "overflow": findings.access.overflow, "addresses": told})


def _raw(group: ErrorGroup) -> dict[str, Any]:
    return {
        "fingerprint": group.fingerprint,
        "service": group.service,
        "kind": str(group.kind),
        "count": group.count,
        "first_seen": _iso(group.first_seen),
        "last_seen": _iso(group.last_seen),
        "example": group.example,
        "newest_example": group.newest_example,
        "trace": list(group.trace),
    }


def _told(group: ErrorGroup) -> list[str]:
    head = f"## {group.count} × {group.service} · {group.kind} · {group.fingerprint}"
    block = [f"    {line}" for line in (group.newest_example, *group.trace)]
    return [head, "", f"{_iso(group.first_seen)} – {_iso(group.last_seen)}", "", *block, ""]


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
