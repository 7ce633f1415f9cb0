"""What a restore's card shows: both sides in figures, what is lost, what goes on in the queues. Looks, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.backup import room
from bot.backup.manifest import Manifest
from bot.backup.restore_source import Origin
from bot.backup.uploads_part import UploadsSource, find_uploads, previous_of
from bot.context import Context
from bot.errors import Conflict, OutsideError
from bot.figures import NONE
from bot.model import Fact, Tolerance
from bot.ops.bull_values import QueueStatus
from bot.ops.dump_names import is_ours, is_swappable
from bot.ops.load_indexes import expiries
from bot.ops.mongo_values import CollectionCount
from bot.ops.uploads import UploadsUsage
from bot.plain_text import harmless
from commands.backup.page import figures_of, shelf_of, state

_SHOWN = 8
_LOOK = 20.0
Facts = tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """The live side, as far as it is replaced. ``collections`` are the dump's where there is no manifest to tell their documents.

    ``since``: documents made after the backup, which are lost; None when that cannot be told. In ``expiring`` collections documents
    run out by themselves; those ``left`` are in the dump and not restored.
    """

    origin: Origin
    counts: tuple[CollectionCount, ...]
    newest: float | None
    since: int | None
    queues: tuple[QueueStatus, ...]
    usage: UploadsUsage | None
    collections: tuple[str, ...]
    dump_bytes: int
    expiring: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def manifest(self) -> Manifest | None:
        """The backup's, when it is one."""
        return self.origin.backup.manifest if self.origin.backup is not None else None

    @property
    def live(self) -> str:
        """The uploads directory that is replaced."""
        return self.usage.path if self.usage is not None else ""


async def see(ctx: Context, origin: Origin) -> Sight:
    """Look at what would be replaced. What cannot be looked at cannot be restored safely either."""
    counts, newest, since = tuple[CollectionCount, ...](), None, None
    names, expiring, left, size = tuple[str, ...](), tuple[str, ...](), tuple[str, ...](), 0
    await ctx.ops.mongo.app_backups.refuse_while_running()
    if origin.dump is not None:
        source = await asyncio.to_thread(origin.opened, ctx.ops.mongo.database)
        names = tuple(each.name for each in source.definitions if is_swappable(each.name))
        size = await asyncio.to_thread(lambda: source.total_bytes)
        if origin.only and origin.only not in names:
            raise Conflict("restore.no_collection", name=origin.only, names=", ".join(names[:40]))
        wanted = {origin.only} if origin.only else None
        counts = tuple(each for each in await ctx.ops.mongo.counts() if not is_ours(each.name) and (wanted is None or each.name in wanted))
        live_names = [each.name for each in counts]
        newest = await ctx.ops.mongo.movement.newest(live_names)
        manifest = origin.backup.manifest if origin.backup is not None else None
        since = await ctx.ops.mongo.movement.made_since(live_names, manifest.started_at) if manifest is not None else None
        wanted = wanted or set(names)
        left = tuple(sorted({each.name for each in source.definitions}.difference(names))) if not origin.only else ()
        expiring = tuple(sorted({each.collection for each in expiries(source.definitions)} & wanted))
    queues = await _queues(ctx, needed=origin.dump is not None)
    if origin.snapshot is not None and ctx.settings.vcc_uploads_dir is None:
        raise Conflict("restore.no_uploads_dir")
    usage = await ctx.ops.uploads.usage(_LOOK) if origin.snapshot is not None else None
    return Sight(origin, counts, newest, since, queues, usage, names, size, expiring, left)


async def _queues(ctx: Context, *, needed: bool) -> tuple[QueueStatus, ...]:
    """Files alone can be restored where nobody tells what the queues hold."""
    try:
        return await ctx.ops.bull.queues()
    except OutsideError:
        if needed:
            raise
        return ()


async def refuse_without_room(ctx: Context, sight: Sight) -> None:
    """Conflict when the server's disk cannot hold both sides: a server that runs out of room goes down with the live data."""
    if sight.origin.dump is None:
        return
    part = sight.manifest.database if sight.manifest is not None else None
    loaded = sum(each.bytes for each in part.collections if sight.origin.only in ("", each.name)) if part else sight.dump_bytes
    stats, needed = await ctx.ops.mongo.stats(), room.needed(loaded, 0, 0)
    free = max(0, stats.disk_total_bytes - stats.disk_used_bytes)
    if stats.disk_total_bytes and free < needed:
        size = figures_of(ctx).size
        raise Conflict("restore.no_room_database", needed=size(needed), free=size(free))


async def refuse_unfit(ctx: Context, sight: Sight) -> None:
    """Conflict when the safety backup would not succeed: no room, or files that are not the real ones."""
    found = UploadsSource(None, 0, 0)
    if sight.usage is not None:
        try:
            found = await find_uploads(ctx.ops, ctx.settings.vcc_uploads_dir, with_database=sight.origin.dump is not None)
        except Conflict as refused:
            raise Conflict("restore.placeholder", **refused.values) from refused
    previous = await asyncio.to_thread(lambda: previous_of(shelf_of(ctx).backups()))
    before = previous.manifest.uploads if previous and previous.manifest else None
    data = (await ctx.ops.mongo.stats()).data_bytes if sight.origin.dump is not None else 0
    needed = room.needed(data, found.bytes, before.bytes if before else 0)
    await asyncio.to_thread(room.refuse_without, shelf_of(ctx).directory, needed, ctx.settings)


def facts(ctx: Context, sight: Sight, how: Mapping[str, Any]) -> Facts:
    """The card, the most important first."""
    origin = sight.origin
    source = {"wanted": origin.wanted, "stamp": origin.stamp}
    return (
        Fact("source", ctx.words("restore.fact.source"), _source(ctx, sight), source),
        *_database(ctx, sight),
        *_files(ctx, sight),
        *_queue(ctx, sight),
        Fact("how", ctx.words("restore.fact.how"), _how(ctx, how, queues=bool(sight.queues)), dict(how)),
    )


def _source(ctx: Context, sight: Sight) -> str:
    figures, manifest, backup = figures_of(ctx), sight.manifest, sight.origin.backup
    if manifest is None or backup is None:
        return ctx.words("restore.source_path", name=sight.origin.id, size=figures.size(sight.dump_bytes))
    at = figures.moment(manifest.started_at)
    ago = figures.since(manifest.started_at, ctx.clock())
    return ctx.words("restore.source", id=backup.id, at=at, ago=ago, state=ctx.words(f"backup.state.{state(backup)}"))


def _database(ctx: Context, sight: Sight) -> Facts:
    if sight.origin.dump is None:
        return ()
    words, figures = ctx.words, figures_of(ctx)
    part, only = sight.manifest.database if sight.manifest is not None else None, sight.origin.only
    live = {each.name: (each.count, each.data_bytes) for each in sight.counts}
    new = {each.name: (each.documents, each.bytes) for each in part.collections if each.kind != "view"} if part else {}
    new = {name: told for name, told in new.items() if only in ("", name)}

    def amount(side: Mapping[str, tuple[int, int]]) -> str:
        documents, size = (sum(each[index] for each in side.values()) for index in (0, 1))
        return words("backup.documents", count=figures.count(documents), size=figures.size(size))

    after = amount(new) if part is not None else words("restore.not_counted", size=figures.size(sight.dump_bytes))
    shown = [Fact("database", words("backup.field.database"), f"{amount(live)} → {after}", None, Tolerance.ANY)]
    if part is not None:
        differing = [name for name in {*live, *new} if live.get(name, (0, 0))[0] != new.get(name, (0, 0))[0] or only]
        differing.sort(key=lambda name: -abs(live.get(name, (0, 0))[0] - new.get(name, (0, 0))[0]))
        lines = [f"{name} {figures.count(live.get(name, (0, 0))[0])} → {figures.count(new.get(name, (0, 0))[0])}" for name in differing]
        more = [words("backup.more_names", count=len(lines) - _SHOWN)] if len(lines) > _SHOWN else []
        told = " · ".join((*lines[:_SHOWN], *more)) or words("restore.same_counts")
        shown.append(Fact("collections", words("restore.fact.collections"), told, None, Tolerance.ANY))
        newest = f"{figures.moment(sight.newest)} → {figures.moment(part.newest_document_at)}"
        shown.append(Fact("newest", words("restore.fact.newest"), newest, None, Tolerance.ANY))
    if sight.since is not None:
        lost = words("restore.lost", count=sight.since)
        shown.append(Fact("lost", words("restore.fact.lost"), lost, sight.since, Tolerance.ANY))
    return tuple(shown)


def _files(ctx: Context, sight: Sight) -> Facts:
    manifest, usage = sight.manifest, sight.usage
    if usage is None or manifest is None or manifest.uploads is None:
        return ()
    words, figures, part = ctx.words, figures_of(ctx), manifest.uploads
    live = words("restore.files", count=figures.count(usage.total.count), size=figures.size(usage.total.bytes))
    new = words("restore.files", count=figures.count(part.files), size=figures.size(part.bytes))
    shown = f"{words('restore.at_least', what=live) if usage.partial else live} → {new}"
    return (Fact("files", words("backup.field.uploads"), shown, None, Tolerance.ANY),)


def _queue(ctx: Context, sight: Sight) -> Facts:
    if not sight.queues:
        return ()
    words, active = ctx.words, sum(each.active for each in sight.queues)
    shown = " · ".join(words("service.active", queue=each.name, count=each.active) for each in sight.queues)
    waiting = sum(each.waiting + each.paused + each.delayed for each in sight.queues)
    return (
        Fact("active", words("service.fact.active"), shown, active, Tolerance.MAY_SHRINK),
        Fact("depth", words("service.fact.depth"), words("backup.jobs", count=figures_of(ctx).count(waiting)), waiting, Tolerance.ANY),
    )


def _how(ctx: Context, how: Mapping[str, Any], *, queues: bool) -> str:
    words, wait = ctx.words, figures_of(ctx).duration(how["wait"])
    told = [words("restore.with_safety" if how["safety"] else "restore.without_safety")]
    if queues:
        told.append(words("service.wait_force" if how["force"] else "service.wait", wait=wait))
    return " · ".join(told) or NONE


def warnings(ctx: Context, sight: Sight, how: Mapping[str, Any]) -> tuple[str, ...]:
    """What the approver must have read."""
    said = [ctx.words("restore.warning.down"), *_of_the_backup(ctx, sight), *_of_what_stays(ctx, sight)]
    said += [] if how["safety"] else [ctx.words("restore.warning.no_safety")]
    said += [ctx.words("service.warning.force")] if how["force"] else []
    return tuple(said)


def _of_the_backup(ctx: Context, sight: Sight) -> list[str]:
    words, backup, manifest = ctx.words, sight.origin.backup, sight.manifest
    if backup is None or manifest is None:
        return [words("restore.warning.not_ours")]
    said = [] if state(backup) == "restorable" else [words("restore.warning.no_drill")]
    said += [words("restore.warning.safety_backup")] if manifest.reason == "safety" else []
    torn = sight.origin.dump is not None and manifest.database is not None and manifest.database.consistency == "none"
    return [*said, *([words("backup.warning.not_still")] if torn else [])]


def _of_what_stays(ctx: Context, sight: Sight) -> list[str]:
    """And of what goes by itself."""
    words, origin = ctx.words, sight.origin
    if origin.dump is None:
        return [words("restore.warning.database_stays")]
    said = [words("restore.warning.files_stay")] if origin.snapshot is None and origin.only == "" else []
    said += [words("restore.warning.left", names=", ".join(sight.left))] if sight.left else []
    names = ", ".join(map(harmless, sight.expiring[:_SHOWN]))
    return [*said, *([words("restore.warning.expiring", names=names)] if names else [])]
