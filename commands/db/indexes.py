"""``db indexes``: what each index costs and whether anybody uses it. Judges only what the server's own counts prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from bot.context import Context
from bot.figures import NONE
from bot.model import Reply, Risk, Table, Tone
from bot.ops.mongo_indexes import Index
from commands.db.group import group
from commands.db.telling import Telling, collection_named

_DEADLINE = 15.0


@group.command("indexes", Risk.READ, timeout=25, examples=("db indexes", "db indexes imagegenerationjobs"))
async def indexes(ctx: Context, collection: str | None = None) -> Reply:
    """Every index with its size and its use."""
    names = (await collection_named(ctx, collection),) if collection else await ctx.ops.mongo.collections()
    found = await ctx.ops.mongo.indexes.look(names, _DEADLINE)
    now, telling = ctx.clock(), Telling(ctx)
    unused = [each for each in found if not each.special and each.unused(now)]
    repeated = [each for each in found if each.covered_by]
    unknown = [each for each in found if not each.special and each.unused(now) is None]
    size = telling.figures.size(sum(each.size_bytes for each in found))
    return Reply(
        title=ctx.words("db.indexes_title", count=len(found), size=size, unused=len(unused), repeated=len(repeated)),
        text="\n".join(_notes(ctx, found, unknown, bool(unused or repeated))),
        tone=Tone.WARN if unused or repeated else Tone.GOOD,
        tables=(_table(telling, found, now, several=len(names) > 1),) if found else (),
        data={
            "indexes": [{**asdict(each), "keys": [list(key) for key in each.keys], "unused": each.unused(now)} for each in found],
            "unused": [f"{each.collection}.{each.name}" for each in unused],
            "redundant": [f"{each.collection}.{each.name}" for each in repeated],
            "size_bytes": sum(each.size_bytes for each in found),
        },
    )


def _notes(ctx: Context, found: Sequence[Index], unknown: Sequence[Index], doubtful: bool) -> list[str]:
    notes = [ctx.words("db.indexes_doubt")] if doubtful else []
    if any(each.uses is None for each in found):
        notes.append(ctx.words("db.indexes_unseen"))
    elif unknown:
        notes.append(ctx.words("db.indexes_early", count=len(unknown)))
    return notes


def _table(telling: Telling, found: Sequence[Index], now: float, *, several: bool) -> Table:
    names = (*(("collection",) if several else ()), "index", "keys", "size", "uses", "since", "notes")
    rows = tuple(
        (
            *((each.collection,) if several else ()),
            telling.line(each.name, 80),
            telling.keys(each.keys),
            telling.figures.size(each.size_bytes),
            NONE if each.uses is None else telling.figures.count(each.uses),
            telling.figures.moment(each.since),
            _flags(telling, each, now),
        )
        for each in found
    )
    return Table(tuple(telling.words(f"db.column.{name}") for name in names), rows)


def _flags(telling: Telling, index: Index, now: float) -> str:
    words = telling.words
    flags = [words(f"db.flag.{name}") for name in ("unique", "sparse", "partial", "hidden") if getattr(index, name)]
    if index.expires_s is not None:
        after = telling.figures.duration(index.expires_s)
        flags.append(words("db.flag.ttl_after", after=after) if index.expires_s else words("db.flag.ttl"))
    if index.covered_by:
        flags.append(words("db.flag.repeats", name=telling.line(index.covered_by, 80)))
    if not index.special:
        unused = index.unused(now)
        flags += [words("db.flag.unused")] if unused else [words("db.flag.early")] if unused is None and index.uses == 0 else []
    return " · ".join(flags) or NONE
