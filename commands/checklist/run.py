"""``checklist run``: measures a list, writes down what was found, and reports; what is not well is told in full in the thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot import chart
from bot.chart import Chart
from bot.checklists import WORST_FIRST, Checklist, Item, Result, Run, Unit, Verdict
from bot.context import Context
from bot.model import Progress, Reply, Risk
from bot.ops.trend_telling import Period, TrendTelling
from bot.series import Series
from commands.checklist.group import REMIND_AFTER, about, group, list_of
from commands.checklist.measure import Measured, measure
from commands.checklist.page import TONES, Page

_MOST_CHARTS, _MOST_LINES = 4, 6
_DAY = 86_400.0
_TOLD = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN)
_UNITS: dict[Unit, chart.Unit] = {"percent": chart.Unit.PERCENT, "bytes": chart.Unit.BYTES}


def _held(name: str, **rest: Any) -> tuple[str, ...]:
    return (about(name.lower()),)


@group.command("run", Risk.CHANGE, timeout=300, examples=("checklist run daily", "checklist run predeploy"), locks=_held)
async def run(ctx: Context, name: str) -> Reply:
    """Every item at once; then one message, and the rest in its thread."""
    wanted, checklist = await list_of(ctx, name)
    page, book = Page(ctx), ctx.services.checklists
    found = await measure(ctx, checklist.items, page, _progress(ctx, checklist))
    invocation = ctx.invocation
    made = Run(0, wanted, checklist.title, ctx.clock(), ctx.person.name, invocation.reference, found.results)
    kept = await book.keep(made)
    await _await_signatures(ctx, kept)
    for reply in _details(page, checklist, found):
        await ctx.post(reply)
    charts = await _charts(ctx, checklist)
    if charts:
        shown = Reply(ctx.words("checklist.trend", name=checklist.title.of(ctx.words.language)))
        await ctx.post(await ctx.illustrated(shown, "checklist", *charts))
    return page.report(kept, await book.newest(wanted, before=kept.id), await book.fault())


def _progress(ctx: Context, checklist: Checklist) -> Any:
    total, done = len({item.line for item in checklist.items if item.line}), 0

    def step() -> None:
        nonlocal done
        done += 1
        ctx.say(Progress(ctx.words("checklist.measuring"), done, total))

    return step


async def _await_signatures(ctx: Context, kept: Run) -> None:
    """Remind of what nobody signed; it replaces the reminder of an older run of the same list."""
    if kept.unsigned:
        await ctx.promise_at(kept.at + REMIND_AFTER, f"checklist remind {kept.id}", about(kept.name), {"run": kept.id})
    else:
        await ctx.release(about(kept.name))


def _details(page: Page, checklist: Checklist, found: Measured) -> list[Reply]:
    """The whole answers of what is not well, each once, under the names of the items they are about.

    Not of what is judged by a figure alone: the answer around it is about something else.
    """
    told: dict[int, tuple[Reply, list[Result]]] = {}
    for item, result, answer in zip(checklist.items, found.results, found.answers, strict=True):
        if answer is None or answer.private or result.verdict not in _TOLD or item.judge == "figure":
            continue
        told.setdefault(id(answer), (answer, []))[1].append(result)
    return [
        replace(
            answer,
            title=f"{' · '.join(map(page.name, results))} — {answer.title}",
            tone=TONES[min((each.verdict for each in results), key=WORST_FIRST.index)],
            reference="",
            ticket=None,
        )
        for answer, results in told.values()
    ]


async def _charts(ctx: Context, checklist: Checklist) -> list[Chart]:
    """The course of what has one on record."""
    history, now = ctx.services.history, ctx.clock()
    period = Period(f"{checklist.days}d", now - checklist.days * _DAY, now)
    known, telling = await history.known(), TrendTelling(ctx.words, Page(ctx).figures)
    drawn: list[Chart] = []
    for item in checklist.items:
        series = [each for each in sorted(known) if _belongs(each, item) and known[each].latest >= period.since][:_MOST_LINES]
        if series:
            found = await history.read(series, period.since, period.until)
            title = ((item.trend and item.trend.title) or item.title).of(ctx.words.language)
            lines = {each.subject or title: found[each] for each in series}
            drawn.append(telling.chart(title, _unit(item), lines, period))
    return [each for each in drawn if any(line.points for line in each.lines)][:_MOST_CHARTS]


def _belongs(series: Series, item: Item) -> bool:
    return item.trend is not None and (series.part, series.figure) == (item.trend.part, item.trend.figure)


def _unit(item: Item) -> chart.Unit:
    """A series in bytes or percent says so by its name; what else is drawn is counted."""
    figure = item.trend.figure if item.trend else ""
    if figure.endswith(("bytes", "memory")):
        return chart.Unit.BYTES
    return chart.Unit.PERCENT if figure.endswith("percent") else _UNITS.get(item.unit, chart.Unit.COUNT)
