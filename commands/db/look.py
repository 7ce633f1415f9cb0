"""``db ping`` and ``db counts``: whether MongoDB answers, and how many documents it holds. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from bot.context import Context
from bot.errors import VccError
from bot.figures import NONE, Figures
from bot.model import Progress, Reply, Risk, Table, Tone
from bot.ops.mongo_values import CollectionCount, MongoPing
from bot.ops.overview import probe
from commands.db.group import group

_DEADLINE = 3.0
_FEW_CONNECTIONS_LEFT = 50


@group.command("ping", Risk.READ, timeout=10, examples=("db ping",))
async def ping(ctx: Context) -> Reply:
    """The server at this moment, and its database as a whole."""
    answer = await ctx.ops.mongo.ping()
    stats = await probe("mongodb", ctx.ops.mongo.stats, _DEADLINE)
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    fields = [*_server(ctx, figures, answer)]
    if not isinstance(stats, VccError):
        fields.append((ctx.words("db.field.documents"), figures.count(stats.documents)))
        sizes = (figures.size(stats.data_bytes), figures.size(stats.storage_bytes), figures.size(stats.index_bytes))
        fields.append((ctx.words("db.field.sizes"), ctx.words("db.sizes", data=sizes[0], storage=sizes[1], indexes=sizes[2])))
    few = answer.full and answer.connections_available < _FEW_CONNECTIONS_LEFT
    return Reply(
        title=ctx.words("db.answers", took=figures.milliseconds(answer.latency_ms)),
        text=ctx.words("db.few_connections") if few else "" if answer.full else ctx.words("db.not_full"),
        tone=Tone.WARN if few else Tone.GOOD,
        fields=tuple(fields),
        data={**asdict(answer), "stats": None if isinstance(stats, VccError) else asdict(stats)},
    )


def _server(ctx: Context, figures: Figures, answer: MongoPing) -> tuple[tuple[str, str], ...]:
    words = ctx.words
    rows = [("version", answer.version), ("database", ctx.ops.mongo.database)]
    if answer.full:
        cache = words("db.cache", used=figures.size(answer.cache_bytes), limit=figures.size(answer.cache_limit_bytes))
        connections = words(
            "db.connections", current=figures.count(answer.connections), available=figures.count(answer.connections_available)
        )
        rows += [("uptime", figures.duration(answer.uptime_s)), ("connections", connections), ("cache", cache)]
    rows.append(("set", answer.replica_set or words("db.standalone")))
    return tuple((words(f"db.field.{name}"), value) for name, value in rows)


@group.command("counts", Risk.READ, timeout=90, examples=("db counts", "db counts --exact"))
async def counts(ctx: Context, *, exact: bool = False) -> Reply:
    """Every collection's documents; jobs by status beside it."""
    if exact:
        ctx.say(Progress(ctx.words("db.counting")))
    found = await ctx.ops.mongo.counts(exact)
    jobs = await probe("mongodb", ctx.ops.mongo.jobs_by_status, _DEADLINE)
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    total = figures.count(sum(count.count for count in found))
    by_status = {} if isinstance(jobs, VccError) else jobs
    shown = " · ".join(f"{status} {figures.count(number)}" for status, number in by_status.items())
    title = "db.empty" if not found else "db.counted" if exact else "db.counted_about"
    return Reply(
        title=ctx.words(title, total=total, collections=len(found)),
        text=ctx.words("db.exact" if exact else "db.estimated") if found else "",
        tone=Tone.GOOD if found else Tone.WARN,
        fields=((ctx.words("db.field.jobs"), shown or NONE),),
        tables=(_table(ctx, figures, found, exact),) if found else (),
        data={"exact": exact, "collections": [asdict(count) for count in found], "jobs_by_status": by_status},
    )


def _table(ctx: Context, figures: Figures, found: Sequence[CollectionCount], exact: bool) -> Table:
    counted = ("exact", "estimate") if exact else ("estimate",)
    names = ("collection", *counted, "data", "storage", "indexes")
    rows = tuple(
        (
            count.name,
            *(figures.count(number) for number in ((count.count, count.estimate) if exact else (count.estimate,))),
            figures.size(count.data_bytes),
            figures.size(count.storage_bytes),
            ctx.words("db.index_count", count=count.indexes, size=figures.size(count.index_bytes)),
        )
        for count in sorted(found, key=lambda count: -count.count)
    )
    return Table(tuple(ctx.words(f"db.column.{name}") for name in names), rows)
