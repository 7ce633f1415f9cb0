"""``check health``: every part asked for something real at once, and one verdict. What is well is judged elsewhere."""

from __future__ import annotations

from bot.context import Context
from bot.figures import Figures
from bot.model import Reply, Risk, Table
from bot.ops.deep_health import DeepHealth, Verdict, measure
from bot.ops.deep_telling import SIGNS, TONES, DeepTelling
from commands.check.group import group


@group.command("health", Risk.READ, timeout=10, examples=("check health",))
async def health(ctx: Context) -> Reply:
    """The worst first in words; every check with its figure and how long it took."""
    seen = await measure(ctx.ops, ctx.clock())
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    telling = DeepTelling(ctx.words, figures)
    columns = ("", *(ctx.words(f"check.column.{name}") for name in ("part", "text", "took")))
    rows = tuple((SIGNS[each.verdict], each.name, telling.sentence(each), figures.milliseconds(each.took_ms)) for each in seen.checks)
    return Reply(
        title=_title(ctx, telling, seen),
        text=telling.lines(seen),
        tone=TONES[seen.verdict],
        tables=(Table(columns, rows),),
        footer=ctx.words("check.health_footer"),
        data={"verdict": seen.verdict.name.lower(), "checks": [telling.data(each) for each in seen.checks]},
    )


def _title(ctx: Context, telling: DeepTelling, seen: DeepHealth) -> str:
    """The verdict; what is worst stands in it, so that a phone's notification tells it."""
    count = sum(each.verdict is seen.verdict for each in seen.checks)
    if seen.verdict is Verdict.OK:
        return ctx.words("check.health_ok", count=count)
    worst = max(seen.checks, key=lambda each: each.verdict)
    return ctx.words(f"check.health_{seen.verdict.name.lower()}", count=count, worst=f"{worst.name}: {telling.sentence(worst)}")
