"""``disk``: the one command of the group. Each part has its own deadline and may fail alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.context import Context
from bot.errors import VccError
from bot.figures import Figures
from bot.model import Reply, Risk
from bot.ops.container_values import DockerDisk
from bot.ops.host import FileSystem
from bot.ops.mongo_values import CollectionCount
from bot.ops.overview import probe
from bot.ops.placement import Placement, placement, uploads_problems
from bot.ops.telling import Telling, tone
from bot.ops.trend_telling import Period, Range
from bot.ops.uploads import UploadsUsage
from bot.ops.verdict import Problem, Severity, disk_problems
from commands.disk.filling import Filling, charts, filling
from commands.disk.group import group
from commands.disk.page import Page
from commands.disk.root import DockerRoot, docker_root

_HOST, _DOCKER, _UPLOADS, _MONGODB, _RECORD = 3.0, 20.0, 10.0, 3.0, 5.0
_WITH_FILES = frozenset({"generatedimages", "uploadedimages", "generatedvideos"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What each part answered, or why it did not."""

    systems: tuple[FileSystem, ...] | VccError
    docker: DockerDisk | VccError
    root: DockerRoot | VccError
    uploads: UploadsUsage | VccError
    place: Placement | VccError
    counts: tuple[CollectionCount, ...] | VccError


@group.command("disk", Risk.READ, timeout=60, examples=("disk", "disk --range 7d"))
async def disk(ctx: Context, *, range: Range | None = None) -> Reply:
    """All parts at once; then how fast each file system fills."""
    seen = await _look(ctx)
    systems = () if isinstance(seen.systems, VccError) else seen.systems
    filled = await probe("store", lambda: filling(ctx.services.history, systems, ctx.clock()), _RECORD)
    found = _found(seen)
    page, telling = Page(ctx), Telling(ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz))
    reply = Reply(
        title=ctx.words("disk.title_bad" if found else "disk.title_good"),
        text=telling.lines(found),
        tone=tone(found),
        fields=(*page.growth(filled), *page.root(seen.root), *page.docker(seen.docker)),
        tables=(*page.file_systems(systems), *page.uploads(seen.uploads)),
        data={"problems": telling.data(found), **_raw(seen, {} if isinstance(filled, VccError) else filled)},
    )
    return reply if range is None else await _illustrated(ctx, reply, systems, Period.until_now(range, ctx.clock()))


async def _look(ctx: Context) -> _Seen:
    (systems, docker, root), (uploads, place, counts) = await asyncio.gather(
        asyncio.gather(
            probe("host", ctx.ops.host.file_systems, _HOST),
            probe("docker", lambda: ctx.ops.containers.disk_usage(_DOCKER), _DOCKER),
            probe("docker", lambda: docker_root(ctx.ops, ctx.settings.vcc_docker_data_dir), _HOST * 2),
        ),
        asyncio.gather(
            probe("uploads", lambda: ctx.ops.uploads.usage(_UPLOADS), _UPLOADS + 2),
            probe("uploads", lambda: placement(ctx.ops), _UPLOADS),
            probe("mongodb", lambda: ctx.ops.mongo.counts(), _MONGODB),
        ),
    )
    return _Seen(systems, docker, root, uploads, place, counts)


async def _illustrated(ctx: Context, reply: Reply, systems: Sequence[FileSystem], period: Period) -> Reply:
    drawn = await charts(ctx, systems, period)
    return await ctx.illustrated(reply, "disk", *drawn) if drawn else reply


def _raw(seen: _Seen, filled: dict[str, Filling]) -> dict[str, Any]:
    """Every part raw, null when it did not answer."""
    systems = None if isinstance(seen.systems, VccError) else seen.systems
    return {
        "file_systems": systems and [{**asdict(entry), "growth": _growth(filled.get(entry.path))} for entry in systems],
        "docker": None if isinstance(seen.docker, VccError) else {**asdict(seen.docker), "volumes_bytes": seen.docker.volumes_bytes},
        "docker_root": None if isinstance(seen.root, VccError) else asdict(seen.root),
        "uploads": None if isinstance(seen.uploads, VccError) else asdict(seen.uploads),
        "placement": None if isinstance(seen.place, VccError) else asdict(seen.place),
        "documents_with_files": None if isinstance(seen.counts, VccError) else _documents(seen.counts),
    }


def _growth(filled: Filling | None) -> dict[str, Any] | None:
    return None if filled is None else {**asdict(filled.growth), "measured_since": filled.since}


def _found(seen: _Seen) -> tuple[Problem, ...]:
    """What is wrong, the worst first."""
    parts: dict[str, object] = {"host": seen.systems, "docker": seen.docker, "uploads": seen.uploads}
    failed = {part: answer for part, answer in parts.items() if isinstance(answer, VccError)}
    found = [Problem(Severity.WARN, part, "down", {"part": part, "error": error}) for part, error in failed.items()]
    if not isinstance(seen.systems, VccError):
        found += [problem for entry in seen.systems for problem in disk_problems(entry)]
    if not isinstance(seen.uploads, VccError):
        documents = 0 if isinstance(seen.counts, VccError) else _documents(seen.counts)
        found += uploads_problems(seen.uploads, documents, None if isinstance(seen.place, VccError) else seen.place)
    return tuple(sorted(found, key=lambda problem: -problem.severity))


def _documents(counts: Sequence[CollectionCount]) -> int:
    return sum(count.count for count in counts if count.name in _WITH_FILES)
