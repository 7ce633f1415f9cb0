"""How the commands of this group write plans, names and key patterns. Asks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.context import Context
from bot.errors import Usage
from bot.figures import NONE, Figures
from bot.line import closest
from bot.ops.log_text import LogText
from bot.plain_text import harmless

_PLAN, _PATTERN = 80, 300
_BY_ID = ("IDHACK", "EXPRESS")


class Telling:
    """Writes in the words of one reader; nothing of what it writes holds a secret or moves the cursor."""

    def __init__(self, ctx: Context) -> None:
        self.words = ctx.words
        self.figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._text = LogText(ctx.settings.secrets)

    def plan(self, summary: str) -> str:
        """The server's summary of a plan: which index, or that it reads everything."""
        if not summary:
            return NONE
        if "COLLSCAN" in summary:
            return self.words("db.plan.scan")
        if summary.startswith(_BY_ID):
            return self.words("db.plan.id")
        if summary.startswith("IXSCAN"):
            return self.words("db.plan.index", keys=self.line(summary.removeprefix("IXSCAN").strip(), _PLAN))
        return self.line(summary, _PLAN)

    def keys(self, keys: Sequence[tuple[str, Any]]) -> str:
        """A key pattern: ``{userId: 1, createdAt: -1}``."""
        return self.line("{" + ", ".join(f"{name}: {direction}" for name, direction in keys) + "}", _PATTERN)

    def ratio(self, number: float | None) -> str:
        """Documents read for one that was wanted."""
        return NONE if number is None else self.figures.count(round(number)) if number >= 10 else f"{number:.1f}".removesuffix(".0")

    def line(self, text: str, limit: int = _PATTERN) -> str:
        """Foreign text as one line that may be shown."""
        return self._text.line(text, limit)


async def collection_named(ctx: Context, name: str) -> str:
    """The collection that was meant; Usage with the nearest one when there is none of this name."""
    names = await ctx.ops.mongo.collections()
    if name in names:
        return name
    near = closest(name, names) or " · ".join(names[:12]) or NONE
    raise Usage("db.unknown_collection", name=harmless(name, limit=60, newlines=False), near=harmless(near, limit=300, newlines=False))
