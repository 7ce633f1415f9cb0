"""``audit``: the record of every request: its newest rows, the proof that none was changed, and a copy to keep."""

from __future__ import annotations

import json
from typing import Annotated

from bot.command import Between, Duration, Group
from bot.context import Context
from bot.figures import Figures
from bot.model import Outcome, Reply, Risk, Role, Table, Tone

group = Group("audit", default="tail")
_YEAR = 366 * 86_400


@group.command("tail", Risk.READ, examples=("audit tail", "audit tail --lines 50 --about restart"))
async def tail(ctx: Context, *, lines: Annotated[int, Between(1, 200)] = 15, about: str = "") -> Reply:
    """The newest rows, newest first."""
    words = ctx.words
    figures = Figures(words.language, ctx.settings.vcc_tz)
    rows = await ctx.services.audit.tail(lines, about)
    table = Table(
        tuple(words(f"audit.column.{name}") for name in ("seq", "at", "event", "who", "line", "outcome")),
        tuple(
            (
                str(row["seq"]),
                figures.moment(row["at"]),
                words(f"audit.event.{row['event']}"),
                row["person"] or row["account"],
                row["line"],
                words(f"audit.outcome.{row['outcome']}") if row["outcome"] else "",
            )
            for row in rows
        ),
    )
    data = [{**row, "detail": json.loads(row["detail"])} for row in rows]
    return Reply(words("audit.tail_title", count=len(rows)), tables=(table,), data=data)


@group.command("verify", Risk.READ, timeout=300, examples=("audit verify",))
async def verify(ctx: Context) -> Reply:
    """Walk the whole chain; name the first broken row."""
    words = ctx.words
    good, broken = await ctx.services.audit.verify()
    data = {"rows": good, "broken": broken or None, "valid": not broken}
    if broken:
        text = words("audit.broken", row=broken, good=good)
        return Reply(words("audit.broken_title"), text, Outcome.FAILED, Tone.BAD, data=data)
    return Reply(words("audit.valid_title"), words("audit.valid", rows=good), Outcome.DONE, Tone.GOOD, data=data)


@group.command("export", Risk.READ, open_to=Role.ADMIN, timeout=300, examples=("audit export", "audit export --since 30d"))
async def export(ctx: Context, *, since: Annotated[Duration, Between(60, 10 * _YEAR)] = Duration(7 * 86_400)) -> Reply:
    """Rows as JSON lines, with their hashes, so that a copy can be checked without us."""
    rows = await ctx.services.audit.export(ctx.clock() - since)
    file = await ctx.attach("audit.jsonl", (json.dumps(dict(row), ensure_ascii=False, sort_keys=True) for row in rows))
    return Reply(ctx.words("audit.export_title", count=len(rows)), files=(file,), data={"rows": len(rows)})
