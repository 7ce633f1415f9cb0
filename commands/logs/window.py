"""``logs window``: what was written between two moments."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated

from bot.command import Between, Moment, ServiceName
from bot.context import Context
from bot.model import Button, Reply, Risk, Tone
from bot.moments import Period, Present
from bot.ops.container_logs import LogWindow
from bot.ops.container_values import LogLine
from bot.ops.log_merge import MergedLogs
from bot.ops.named import chosen
from commands.logs.group import group
from commands.logs.page import Page, attached, failures, first_that_fit, iso, kept, merged, name_of, raise_if_all_failed, several

_READING = 100.0


@group.command(
    "window",
    Risk.READ,
    timeout=130,
    examples=("logs window backend --since 2h", "logs window --since 2026-01-22T10:00:00 --until 2026-01-22T10:30:00"),
)
async def window(
    ctx: Context,
    service: ServiceName | None = None,
    *,
    since: Moment = Moment("1h"),
    until: Moment | None = None,
    lines: Annotated[int, Between(1, 2000)] = 300,
) -> Reply:
    """The first lines of the window, in the order of time."""
    period = Present(ctx.clock(), ctx.settings.vcc_tz).period(since, until)
    containers = await chosen(ctx.ops.containers, service)
    logs = merged(ctx, containers, LogWindow(since=period.since, until=period.until))
    read, late = await _first(logs, lines + 1)
    raise_if_all_failed(containers, logs.failed)
    page, named = Page(ctx), several(containers)
    written = [page.written(line, named) for line in read[:lines]]
    shown = first_that_fit(written)
    more = len(read) > lines
    name = name_of(ctx, containers, service)
    begin, end = page.ends(period.since, period.until)
    spoken = {"name": name, "since": begin, "until": end}
    return Reply(
        title=ctx.words("logs.window_title" if written else "logs.window_empty", count=page.figures.count(len(written)), **spoken),
        text="\n".join((*failures(ctx, logs.failed), *_notes(ctx, page, (len(shown), len(written)), more=more, late=late))),
        tone=Tone.WARN if logs.failed or late else Tone.NEUTRAL,
        code="\n".join(shown),
        files=await attached(ctx, "window.log", written, wanted=len(shown) < len(written)),
        buttons=(_file_button(ctx, "" if service is None else name, period),) if more else (),
        data={
            "since": period.since,
            "until": period.until,
            "lines": [page.raw(line) for line in read[:lines]],
            "more": more,
            "partial": late,
            "unreadable": sorted(logs.failed),
        },
    )


async def _first(logs: MergedLogs, count: int) -> tuple[Sequence[LogLine], bool]:
    """So many lines at most, and whether there was no time for them."""
    read: list[LogLine] = []
    try:
        async with asyncio.timeout(_READING), aclosing(logs.lines()) as found:
            async for line in found:
                read.append(kept(line))
                if len(read) == count:
                    break
    except TimeoutError:
        return read, True
    return read, False


def _notes(ctx: Context, page: Page, counts: tuple[int, int], *, more: bool, late: bool) -> list[str]:
    (shown, written), count, notes = counts, page.figures.count, list[str]()
    if shown < written:
        notes.append(ctx.words("logs.first_shown", shown=count(shown), count=count(written)))
    if more:
        notes.append(ctx.words("logs.more_lines", count=count(written)))
    if late:
        notes.append(ctx.words("logs.late"))
    return notes


def _file_button(ctx: Context, service: str, period: Period) -> Button:
    line = " ".join(part for part in ("logs file", service, f"--since {iso(period.since)}", f"--until {iso(period.until + 1)}") if part)
    return Button(ctx.words("logs.as_file"), line)
