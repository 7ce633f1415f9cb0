"""``db explain``: how MongoDB would find documents, in words. Runs a filter that was checked first, for a few seconds at most."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Any

from bot.command import Between, Rest
from bot.context import Context
from bot.errors import Rejected, Usage
from bot.figures import NONE
from bot.line import normalise
from bot.model import Reply, Risk, Tone
from bot.ops import mongo_filter
from bot.ops.mongo_explain import Explained, Query
from bot.secret_names import MARK
from commands.db.group import group
from commands.db.telling import Telling, collection_named

_SECONDS = 5.0
_MANY_READ, _MANY_PER_ONE = 1_000, 100.0
# Here the ids themselves are what a browser shows to be let in.
_HIDDEN = {"sessions": ("_id",)}
_SORT = re.compile(r"(?P<name>[^\s:,$][^\s:,]{0,119})(?::(?P<direction>1|-1))?")


@group.command(
    "explain",
    Risk.READ,
    timeout=25,
    examples=('db explain imagegenerationjobs {"status":"failed"}', 'db explain users {"email":"a@b.c"} --sort createdAt:-1 --limit 20'),
)
async def explain(
    ctx: Context, collection: str, filter: Rest, *, sort: str | None = None, limit: Annotated[int | None, Between(1, 100_000)] = None
) -> Reply:
    """Which index a query takes, and how much is read for it."""
    wanted = _parsed(ctx, filter, _HIDDEN.get(collection, ()))
    query = Query(await collection_named(ctx, collection), wanted, _order(sort), limit or 0)
    try:
        plan = await ctx.ops.mongo.planner.explain(query, _SECONDS)
    except Rejected as error:  # a regular expression that is none, say: only the server knows all its rules
        raise Usage("db.filter_refused") from error
    telling = Telling(ctx)
    way = "scan" if plan.scans else "index" if plan.indexes else "id" if plan.by_id else "none"
    names = ", ".join(telling.line(index.name, 80) for index in plan.indexes)
    return Reply(
        title=ctx.words(f"db.way.{way}", collection=query.collection, names=names),
        text="\n".join(_sentences(ctx, telling, plan)),
        tone=_tone(plan),
        fields=_fields(telling, plan),
        data={**asdict(plan), "way": way, "collection": query.collection, "examined_per_returned": plan.examined_per_returned},
    )


def _parsed(ctx: Context, words: str, hidden: tuple[str, ...]) -> dict[str, Any]:
    """The filter. Typed without quotes around it, the line's words have lost the ones inside: then it is read from the line."""
    line = normalise(ctx.invocation.line)
    if MARK.search(line):
        raise Usage("db.filter_redacted")
    try:
        return mongo_filter.parse(words, hidden)
    except Usage as error:
        typed = mongo_filter.object_in(line) if error.key == "db.filter_json" else ""
        if not typed:
            raise
    return mongo_filter.parse(typed, hidden)


def _order(sort: str | None) -> tuple[tuple[str, int], ...]:
    found = [_SORT.fullmatch(part) for part in (sort.split(",") if sort else ())]
    if None in found or len(found) > 10:
        raise Usage("db.bad_sort")
    return tuple((each["name"], int(each["direction"] or 1)) for each in found if each is not None)


def _tone(plan: Explained) -> Tone:
    if not plan.ended or plan.spilled or (plan.scans and (plan.examined or 0) >= _MANY_READ):
        return Tone.WARN
    return Tone.WARN if plan.sorts or (plan.examined_per_returned or 0) >= _MANY_PER_ONE else Tone.GOOD


def _sentences(ctx: Context, telling: Telling, plan: Explained) -> list[str]:
    """What the figures mean, the most important first."""
    words, figures = ctx.words, telling.figures
    said = [] if plan.ended else [words("db.explain_late", seconds=figures.duration(_SECONDS))]
    if plan.examined is not None and plan.returned is not None:
        key = "db.explain_ratio" if plan.returned else "db.explain_nothing" if plan.examined else "db.explain_free"
        counts = {"examined": figures.count(plan.examined), "returned": figures.count(plan.returned)}
        said.append(words(key, **counts, ratio=telling.ratio(plan.examined_per_returned)))
    if plan.sorts:
        said.append(words("db.explain_spilled" if plan.spilled else "db.explain_sorts"))
    return said


def _fields(telling: Telling, plan: Explained) -> tuple[tuple[str, str], ...]:
    figures, words = telling.figures, telling.words
    rows = [("index", f"{telling.line(index.name, 80)} {telling.keys(index.keys)}") for index in plan.indexes]
    counted = (("examined", plan.examined), ("keys", plan.keys_examined), ("returned", plan.returned))
    rows += [(name, NONE if number is None else figures.count(number)) for name, number in counted]
    rows.append(("ratio", telling.ratio(plan.examined_per_returned)))
    rows.append(("took", NONE if plan.milliseconds is None else figures.milliseconds(plan.milliseconds)))
    return tuple((words(f"db.field.{name}"), value) for name, value in rows)
