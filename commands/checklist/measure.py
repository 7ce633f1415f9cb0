"""Measures the items of a list: each line asked once, all side by side, each with a deadline of its own; a person's items wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.checklists import Item, Result, Verdict, judged
from bot.context import Context
from bot.errors import Usage, VccError
from bot.line import normalise, split
from bot.model import Outcome, Reply, Tone
from bot.plain_text import harmless
from commands.checklist.page import Page

_DETAIL = 90
_SIGNS = ("✘ ", "! ")


@dataclass(frozen=True, slots=True)
class Measured:
    """What each item gave, and what its line answered (None: it was not asked)."""

    results: tuple[Result, ...]
    answers: tuple[Reply | None, ...]


async def measure(ctx: Context, items: Sequence[Item], page: Page, step: Callable[[], None]) -> Measured:
    """Ask everything at once; ``step`` is called for each line that answered."""
    within: dict[str, float] = {}
    for item in items:
        if _exists(ctx, item.line):
            within[item.line] = max(item.within, within.get(item.line, 0.0))
    asked = await asyncio.gather(*(_ask(ctx, line, seconds, step) for line, seconds in within.items()))
    answers = dict(zip(within, asked, strict=True))
    found = [answers.get(item.line) for item in items]
    return Measured(tuple(_result(ctx, item, answer, page) for item, answer in zip(items, found, strict=True)), tuple(found))


def _exists(ctx: Context, line: str) -> bool:
    """Whether there is such a command: one that is still to come is a person's work until then."""
    if not line:
        return False
    try:
        ctx.services.catalogue.resolve(split(normalise(line)))
    except Usage:
        return False
    return True


async def _ask(ctx: Context, line: str, within: float, step: Callable[[], None]) -> Reply:
    """The answer; one that could not even be asked for is an answer that says so."""
    try:
        answer = await ctx.ask(line, within)
    except VccError as error:
        answer = Reply(
            ctx.words("checklist.verdict.unknown"), ctx.words(error.key, **error.values), Outcome.REFUSED, Tone.WARN, private=True
        )
    step()
    return answer


def _result(ctx: Context, item: Item, answer: Reply | None, page: Page) -> Result:
    if answer is None:
        return Result(item.id, item.title, Verdict.UNSIGNED, unit=item.unit, signer=item.by or "operator")
    verdict, value = judged(item, answer)
    detail = (
        "" if verdict is Verdict.WELL and (value is not None or item.figure is None) else _why(ctx, item, answer, (verdict, value), page)
    )
    if item.by is not None:
        return Result(item.id, item.title, Verdict.UNSIGNED, value, item.unit, detail if value is None else "", item.by)
    return Result(item.id, item.title, verdict, value, item.unit, detail)


def _why(ctx: Context, item: Item, answer: Reply, found: tuple[Verdict, float | None], page: Page) -> str:
    """In a few words: what could not be measured, which limit was reached, or what the answer says is worst."""
    verdict, value = found
    if verdict is Verdict.UNKNOWN and answer.outcome is not Outcome.DONE:
        return _short((answer.text or answer.title).partition(". ")[0])
    if item.figure is not None and value is None:
        return ctx.words("checklist.no_figure") if item.nothing is None else item.nothing.of(ctx.words.language)
    limit = _reached(ctx, item, value, page)
    said = item.judge == "both" and answer.tone not in (Tone.GOOD, Tone.NEUTRAL) and not answer.private
    worst = _worst(ctx, answer, value) if said else ""
    return " · ".join(part for part in (worst, limit) if part)


def _reached(ctx: Context, item: Item, value: float | None, page: Page) -> str:
    above = [limit for limit in (item.fail_above, item.warn_above) if limit is not None and value is not None and value >= limit]
    below = [limit for limit in (item.fail_below, item.warn_below) if limit is not None and value is not None and value <= limit]
    if above:
        return ctx.words("checklist.above", limit=page.value(item.unit, above[0]))
    return ctx.words("checklist.below", limit=page.value(item.unit, below[0])) if below else ""


def _worst(ctx: Context, answer: Reply, value: float | None) -> str:
    """The first of its problems without what to do about it, which stands in the thread. Where it lists none, the figure or its title."""
    problems = [line[2:].partition(" → ")[0] for line in answer.text.split("\n") if line.startswith(_SIGNS)]
    if not problems:
        return "" if value else _short(answer.title)
    told = _short(problems[0])
    return told if len(problems) == 1 else ctx.words("checklist.and_more", worst=told, count=len(problems) - 1)


def _short(text: str) -> str:
    return harmless(text.strip().partition("\n")[0], limit=_DETAIL, newlines=False)
