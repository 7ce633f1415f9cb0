"""``backup list`` and ``backup show``: which backups there are, here and in the second place, and what is in one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from bot.backup.drill import NOT_RESTORABLE
from bot.backup.glance import finished_at
from bot.backup.prune import is_good
from bot.backup.remote_copy import is_damaged, look
from bot.backup.shelf import Backup, order_of, time_of
from bot.command import Between
from bot.context import Context
from bot.errors import OutsideError, VccError
from bot.figures import NONE
from bot.model import Button, Reply, Risk, Table, Tone
from bot.ops.overview import probe
from bot.ops.remote_values import RemoteBackup, RemoteBackups
from commands.backup.group import group
from commands.backup.page import button, figures_of, line, parts_fields, raw, shelf_of, shown_names, state, tone_of

# The list is no place to wait: whoever does not answer by then is told as not answering.
_PATIENCE = 4.0
_COLLECTIONS = 12


@dataclass(frozen=True, slots=True)
class _Row:
    """One backup, where it is."""

    id: str
    here: Backup | None
    there: RemoteBackup | None


@group.command("list", Risk.READ, timeout=30, examples=("backup list", "backup list --limit 50"))
async def listed(ctx: Context, *, limit: Annotated[int, Between(1, 200)] = 15) -> Reply:
    """Backups here and in the second place, side by side. With one of the two gone the other is still told."""
    here, there = await asyncio.gather(_here(ctx), _there(ctx))
    if isinstance(here, VccError) and not isinstance(there, RemoteBackups):
        raise here
    rows = _rows(here, there)
    words = ctx.words
    title = words("backup.list_title", count=len(rows)) if rows else words("backup.list_none")
    columns = tuple(words(f"backup.column.{name}") for name in ("id", "age", "size", "state", "where"))
    told_all = not isinstance(here, VccError) and not isinstance(there, VccError)
    return Reply(
        title=title,
        text="\n".join(_sentences(ctx, here, there, rows, limit)),
        tone=Tone.GOOD if told_all and _newest_good(rows) else Tone.WARN,
        tables=(Table(columns, tuple(_cells(ctx, row, there) for row in rows[:limit])),) if rows else (),
        buttons=(*((button(ctx, "show", rows[0].id),) if rows else ()), *_undrilled(ctx, _newest_good(rows))),
        data={"backups": [_raw(row) for row in rows], "remote": _remote_state(ctx, there)},
    )


async def _here(ctx: Context) -> tuple[Backup, ...] | VccError:
    return await probe("backup", lambda: ctx.ops.shelf_threads.run(shelf_of(ctx).backups), _PATIENCE)


async def _there(ctx: Context) -> RemoteBackups | VccError | None:
    """None without a second place."""
    return await look(ctx.ops, _PATIENCE) if ctx.settings.vcc_backup_s3_url else None


def _rows(here: tuple[Backup, ...] | VccError, there: RemoteBackups | VccError | None) -> list[_Row]:
    remote = {each.id: each for each in there.backups} if isinstance(there, RemoteBackups) else {}
    rows = [] if isinstance(here, VccError) else [_Row(each.id, each, remote.pop(each.id, None)) for each in here]
    rows += [_Row(identity, None, each) for identity, each in remote.items()]
    return sorted(rows, key=lambda row: order_of(row.id), reverse=True)


def _newest_good(rows: list[_Row]) -> Backup | None:
    return next((row.here for row in rows if row.here is not None and is_good(row.here)), None)


def _only_here(rows: list[_Row]) -> list[Backup]:
    """The good ones that never left this machine, though newer than all that did. Those that a restore makes are never sent."""
    newer = itertools.takewhile(lambda row: row.there is None, rows)
    good = (row.here for row in newer if row.here is not None and is_good(row.here))
    return [each for each in good if each.manifest is not None and each.manifest.reason != "safety"]


def _undrilled(ctx: Context, good: Backup | None) -> Iterator[Button]:
    """The newest good one is to be restorable too."""
    if good is not None and state(good) == "good":
        yield button(ctx, "drill", good.id)


def _sentences(
    ctx: Context, here: tuple[Backup, ...] | VccError, there: RemoteBackups | VccError | None, rows: list[_Row], limit: int
) -> list[str]:
    words, said, good = ctx.words, list[str](), _newest_good(rows)
    if isinstance(here, VccError):
        said.append(words("backup.remote_here_unknown", reason=words(here.key, **here.values)))
    if isinstance(there, VccError):
        said.append(words("backup.remote_unknown", reason=words(there.key, **there.values)))
    elif there is not None and there.unreadable:
        said.append(words("backup.remote_unreadable", names=shown_names(ctx, there.unreadable, len(there.unreadable))))
    elif there is not None and (alone := _only_here(rows)):
        said.append("! " + words("backup.only_here", count=len(alone), id=alone[0].id))
    if good is not None:
        said.append(words("backup.newest_good", id=good.id, ago=figures_of(ctx).since(finished_at(good), ctx.clock())))
    return said + ([words("backup.shown_of", shown=limit, count=len(rows))] if len(rows) > limit else [])


def _cells(ctx: Context, row: _Row, there: RemoteBackups | VccError | None) -> tuple[str, ...]:
    words, figures = ctx.words, figures_of(ctx)
    manifest = row.here.manifest if row.here else None
    at = manifest.finished_at if manifest else time_of(row.id)
    size = manifest.bytes if manifest else row.there.bytes if row.there else None
    sent = isinstance(there, VccError) and row.here is not None and row.here.proof.remote_at is not None
    places = [words(f"backup.where.{name}") for name, is_so in (("here", row.here), ("there", row.there), ("sent", sent)) if is_so]
    told = words(f"backup.state.{state(row.here)}") if row.here else words("backup.state.remote_only")
    return row.id, figures.since(at, ctx.clock()), NONE if size is None else figures.size(size), told, " + ".join(places)


def _raw(row: _Row) -> dict[str, Any]:
    remote = row.there and {"stored_at": row.there.stored_at, "bytes": row.there.bytes, "sealed": row.there.sealed}
    return {**(raw(row.here) if row.here else {"id": row.id, "state": "remote_only"}), "here": row.here is not None, "remote": remote}


def _remote_state(ctx: Context, there: RemoteBackups | VccError | None) -> dict[str, Any]:
    return {
        "configured": there is not None,
        "reachable": isinstance(there, RemoteBackups),
        "unreadable": list(there.unreadable) if isinstance(there, RemoteBackups) else [],
    }


@group.command("show", Risk.READ, timeout=30, examples=("backup show", "backup show 2026-01-22T10-00-00Z"))
async def show(ctx: Context, id: str | None = None) -> Reply:
    """What one backup holds, and what is known of it."""
    try:
        backup = await ctx.ops.shelf_threads.run(shelf_of(ctx).get, id or "")
    except OutsideError:
        there = await _only_there(ctx, id or "")
        if there is None:
            raise
        return _shown_there(ctx, there)
    words = ctx.words
    told = words(f"backup.state.{state(backup)}")
    may_fetch = is_damaged(backup) and backup.proof.remote_at is not None
    return Reply(
        title=words("backup.show_title", id=backup.id, state=told),
        text="\n".join(_known(ctx, backup)),
        tone=tone_of(backup),
        fields=tuple(_fields(ctx, backup)),
        tables=_collections(ctx, backup),
        buttons=(
            *((button(ctx, "fetch", backup.id),) if may_fetch else ()),
            *_proofs(ctx, backup),
            Button(words("backup.button.list"), line("list")),
        ),
        data=raw(backup),
    )


async def _only_there(ctx: Context, identity: str) -> RemoteBackup | None:
    there = await _there(ctx)
    found = there.backups if isinstance(there, RemoteBackups) else ()
    return next((each for each in found if identity in ("", each.id)), None)


def _shown_there(ctx: Context, there: RemoteBackup) -> Reply:
    """All that is known without fetching it."""
    words, figures, now = ctx.words, figures_of(ctx), ctx.clock()
    made, content = time_of(there.id), words("backup.fetch_content", files=figures.count(there.files), size=figures.size(there.bytes))
    sealed = words("backup.fetch_sealed") if there.sealed else words("backup.fetch_open")
    return Reply(
        title=words("backup.show_title", id=there.id, state=words("backup.state.remote_only")),
        text=words("backup.remote_only_text", id=there.id),
        fields=(
            (words("backup.field.made"), words("backup.remote_made", at=figures.moment(made), ago=figures.since(made, now))),
            (words("backup.field.size"), f"{content} · {sealed}"),
            (words("backup.field.remote"), figures.moment(there.stored_at)),
        ),
        buttons=(button(ctx, "fetch", there.id, "primary"), Button(words("backup.button.list"), line("list"))),
        data={"id": there.id, "state": "remote_only", "here": False, "remote": asdict(there)},
    )


def _proofs(ctx: Context, backup: Backup) -> Iterator[Button]:
    """What would tell more of it than is known."""
    yield button(ctx, "verify", backup.id)
    if state(backup) in ("good", "unproven") or backup.proof.fault == NOT_RESTORABLE:
        yield button(ctx, "drill", backup.id)


def _known(ctx: Context, backup: Backup) -> list[str]:
    """What is against it, and what was told when it was made."""
    words, said = ctx.words, list[str]()
    if backup.trouble is not None:
        said.append(words(backup.trouble.key, **backup.trouble.values))
    elif backup.proof.fault:
        key = NOT_RESTORABLE if backup.proof.fault == NOT_RESTORABLE else "backup.known_fault"
        said.append(words(key, at=figures_of(ctx).moment(backup.proof.fault_at), id=backup.id))
    return said + [f"! {each}" for each in (backup.manifest.warnings if backup.manifest else ())]


def _fields(ctx: Context, backup: Backup) -> list[tuple[str, str]]:
    words, figures, manifest, proof = ctx.words, figures_of(ctx), backup.manifest, backup.proof
    if manifest is None:
        return []
    made = words(
        "backup.made",
        at=figures.moment(manifest.finished_at),
        ago=figures.since(manifest.finished_at, ctx.clock()),
        took=figures.duration(manifest.finished_at - manifest.started_at),
    )
    asked = words("backup.asked", person=manifest.asked_by or NONE, reason=words(f"backup.reason.{manifest.reason}"))
    fields = [(words("backup.field.made"), made), (words("backup.field.asked"), asked), *parts_fields(ctx, manifest)]
    fields.append((words("backup.field.size"), figures.size(manifest.bytes)))
    for name, at in (("verified", proof.verified_at), ("restorable", proof.restorable_at), ("remote", proof.remote_at)):
        fields.append((words(f"backup.field.{name}"), figures.moment(at) if at else words("backup.never")))
    return fields


def _collections(ctx: Context, backup: Backup) -> tuple[Table, ...]:
    database = backup.manifest.database if backup.manifest else None
    if database is None:
        return ()
    figures = figures_of(ctx)
    largest = sorted(database.collections, key=lambda each: -each.bytes)[:_COLLECTIONS]
    rows = tuple((each.name, figures.count(each.documents), figures.size(each.bytes)) for each in largest)
    return (Table(tuple(ctx.words(f"backup.column.{name}") for name in ("collection", "documents", "size")), rows),)
