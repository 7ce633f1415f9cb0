"""``checklist history``: earlier runs at a glance, and every item of them as a file: CSV or Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from bot.checklists import Result, Run
from bot.command import Between, Duration
from bot.context import Context
from bot.model import Reply, Risk, Table
from bot.plain_text import harmless
from commands.checklist.group import group, list_of
from commands.checklist.page import SIGNS, Page

_DAY = 86_400.0
_SHOWN, _CELL = 10, 300
_COLUMNS = ("run", "name", "at", "item", "verdict", "figure", "unit", "detail", "person", "signed_at", "note")
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
_MARKUP = str.maketrans({each: f"\\{each}" for each in "\\`*_[]<>|#~"})


@group.command("history", Risk.READ, timeout=60, examples=("checklist.history_title", "checklist history daily --format csv --since 365d"))
async def history(
    ctx: Context,
    name: str = "",
    *,
    format: Literal["csv", "markdown"] | None = None,
    since: Annotated[Duration, Between(_DAY, 400 * _DAY)] = Duration(90 * _DAY),
) -> Reply:
    """The newest runs as a table; all of the period in the file."""
    wanted = (await list_of(ctx, name))[0] if name else ""
    runs, page = await ctx.services.checklists.since(ctx.clock() - since, wanted), Page(ctx)
    period = page.figures.duration(since)
    if not runs:
        return Reply(ctx.words("checklist.history_none", period=period), data={"runs": []})
    lines = _csv(ctx, page, runs) if format == "csv" else _markdown(ctx, page, runs)
    suffix = "csv" if format == "csv" else "md"
    return Reply(
        title=ctx.words("checklist.history_title", period=period, count=page.figures.count(len(runs))),
        tables=(_table(ctx, page, runs[:_SHOWN]),),
        files=(await ctx.attach(f"checklist.{suffix}", lines),) if format else (),
        footer=ctx.words("checklist.history_shown", shown=_SHOWN) if len(runs) > _SHOWN else "",
        data={"runs": [page.raw(run, None) for run in runs[:_SHOWN]], "runs_total": len(runs)},
    )


def _table(ctx: Context, page: Page, runs: Sequence[Run]) -> Table:
    columns = tuple(ctx.words(f"checklist.column.{name}") for name in ("run", "name", "at", "verdict"))
    rows = tuple((f"#{run.id}", run.title.of(ctx.words.language), page.figures.moment(run.at), _counts(run)) for run in runs)
    return Table(columns, rows)


def _counts(run: Run) -> str:
    """Short: ``✘1 ✔3``."""
    return " ".join(f"{sign}{count}" for verdict, sign in SIGNS.items() if (count := run.count(verdict)))


def _cells(page: Page, run: Run, result: Result) -> tuple[str, ...]:
    signature = result.signature
    return (
        str(run.id),
        run.name,
        page.figures.exact(run.at)[:19],
        page.name(result),
        page.verdict(result.verdict),
        "" if result.value is None else f"{result.value:.10g}",
        result.unit if result.value is not None else "",
        result.detail,
        signature.person if signature else "",
        page.figures.exact(signature.at)[:19] if signature else "",
        signature.note if signature else "",
    )


def _header(ctx: Context) -> list[str]:
    return [ctx.words(f"checklist.column.{name}") for name in _COLUMNS]


def _csv(ctx: Context, page: Page, runs: Sequence[Run]) -> Iterator[str]:
    """One row for each item. The mark at the beginning lets spreadsheets read Korean."""
    yield "\ufeff" + _row(_header(ctx))
    for run in runs:
        for result in run.results:
            yield _row([_unformulated(each) for each in _cells(page, run, result)])


def _unformulated(cell: str) -> str:
    cell = harmless(cell, limit=_CELL, newlines=False)
    return f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdigit()


def _row(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()


def _markdown(ctx: Context, page: Page, runs: Sequence[Run]) -> Iterator[str]:
    header = _header(ctx)
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for run in runs:
        for result in run.results:
            cells = (harmless(each, limit=_CELL, newlines=False).translate(_MARKUP) for each in _cells(page, run, result))
            yield f"| {' | '.join(cells)} |"
