"""``logs file``: everything that was written between two moments, as one compressed file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from bot.command import Moment, ServiceName
from bot.context import Context
from bot.model import Button, Progress, Reply, Risk, Tone
from bot.moments import Period, Present
from bot.ops.container_logs import LogWindow
from bot.ops.container_values import LogLine
from bot.ops.log_merge import MergedLogs
from bot.ops.named import chosen
from commands.logs.group import group
from commands.logs.page import Page, failures, iso, merged, name_of, raise_if_all_failed, several

_READING = 150.0


class WholeLog:
    """The lines of a window as they are written to a file; ``complete`` once the last of them was taken."""

    def __init__(self, ctx: Context, logs: MergedLogs, *, named: bool, seconds: float = _READING) -> None:
        self._page = Page(ctx)
        self._logs = logs
        self._named = named
        self._seconds = seconds
        self.lines = 0
        self.complete = False
        self.reached = 0.0

    async def written(self) -> AsyncGenerator[str, None]:
        """Ends early when its time is over, or when nobody takes any more."""
        ends = time.monotonic() + self._seconds
        async with aclosing(self._logs.batches()) as batches:
            async for batch in batches:
                # Taking secrets out is work: it is done beside everything else that the bot does.
                for line, text in zip(batch, await asyncio.to_thread(self._texts, batch), strict=True):
                    # Counted before it is given: who takes no more after it has it in the file.
                    self.lines += 1
                    self.reached = line.at
                    yield text
                if time.monotonic() > ends:
                    return
        self.complete = not self._logs.clipped

    def _texts(self, batch: Sequence[LogLine]) -> list[str]:
        return [self._page.filed(line, self._named) for line in batch]


@group.command(
    "file", Risk.READ, timeout=200, examples=("logs file backend --since 6h", "logs file --since 2026-01-22T10:00:00 --until 11:00")
)
async def file(ctx: Context, service: ServiceName | None = None, *, since: Moment = Moment("1h"), until: Moment | None = None) -> Reply:
    """A window as a file, of one service or of all in the order of time."""
    period = Present(ctx.clock(), ctx.settings.vcc_tz).period(since, until)
    containers = await chosen(ctx.ops.containers, service)
    name = name_of(ctx, containers, service)
    logs = merged(ctx, containers, LogWindow(since=period.since, until=period.until))
    whole = WholeLog(ctx, logs, named=several(containers))
    ctx.say(Progress(ctx.words("logs.reading")))
    packed = await ctx.attach(f"{containers[0].name if service else 'all'}-{_stamp(period)}.log.gz", whole.written())
    raise_if_all_failed(containers, logs.failed)
    page, size = Page(ctx), (await asyncio.to_thread(packed.path.stat)).st_size
    cut = not whole.complete
    rest = [ctx.words("logs.file_cut", reached=page.moment(whole.reached))] if cut and whole.lines else []
    begin, end = page.ends(period.since, period.until)
    spoken = {"name": name, "since": begin, "until": end}
    counted = {"count": page.figures.count(whole.lines), "size": page.figures.size(size)}
    return Reply(
        title=ctx.words("logs.file_title" if whole.lines else "logs.window_empty", **spoken, **counted),
        text="\n".join((*failures(ctx, logs.failed), *rest)),
        tone=Tone.WARN if cut or logs.failed else Tone.NEUTRAL,
        files=(packed,) if whole.lines else (),
        buttons=(_rest_button(ctx, service, whole.reached, period),) if rest else (),
        data={
            "since": period.since,
            "until": period.until,
            "lines": whole.lines,
            "bytes": size,
            "complete": whole.complete,
            "reached": whole.reached or None,
            "unreadable": sorted(logs.failed),
        },
    )


def _stamp(period: Period) -> str:
    return iso(period.since).replace(":", "").replace("-", "")


def _rest_button(ctx: Context, service: str | None, reached: float, period: Period) -> Button:
    # To the microsecond: of a log that fills a file within a second the rest would begin at the same lines again and again.
    begin = (datetime.fromtimestamp(int(reached), UTC) + timedelta(microseconds=int(reached % 1 * 1e6))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    line = " ".join(part for part in ("logs file", service, f"--since {begin}", f"--until {iso(period.until + 1)}") if part)
    return Button(ctx.words("logs.rest_as_file"), line)
