"""``logs search``: the lines that hold a text, or match a pattern."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bot.command import Moment, ServiceName
from bot.context import Context
from bot.errors import Usage
from bot.model import Progress, Reply, Risk, Tone
from bot.moments import Period, Present
from bot.ops.container_logs import LogStream, LogWindow
from bot.ops.container_values import LogLine, Service
from bot.ops.log_match import Matcher
from bot.ops.log_merge import MergedLogs
from bot.ops.log_text import LogText
from bot.ops.named import chosen
from bot.ops.verdict import label
from bot.secret_names import MARK
from commands.logs.group import group
from commands.logs.page import Page, attached, failures, name_of, newest_that_fit, raise_if_all_failed, several

_READING = 100.0
_KEPT = 1_000
_EXCERPT = 500
_BLOT = "█"


def matcher_of(text: str, *, pattern: bool) -> Matcher:
    """What to look for; Usage when it is no pattern."""
    try:
        return Matcher(text, pattern=pattern)
    except ValueError as error:
        raise Usage("logs.bad_pattern", text=text, reason=str(error)) from error


class Finder:
    """What of a line may be shown of what was found in it.

    Whether a line counts depends on nothing but what is left of it when the secrets (and what stands for them) are taken out:
    else whoever searches for one letter after the other could find them out.
    """

    def __init__(self, matcher: Matcher, text: LogText) -> None:
        self._matcher = matcher
        self._text = text

    def found(self, line: LogLine) -> str | None:
        """The line, of a long one the part with the find; None when only a secret was found."""
        text = self._text.whole(line.text, cut=line.truncated)
        return self._around(text) if self._matcher.matches(MARK.sub(_BLOT, text)) else None

    def all_found(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """Those in which something was found, as they may be shown. It is work: not for the thread that everybody waits for."""
        shown = ((line, self.found(line)) for line in lines)
        return [line._replace(text=text) for line, text in shown if text is not None]

    def _around(self, text: str) -> str:
        if len(text) <= _EXCERPT:
            return text
        for begin in range(0, len(text), _EXCERPT // 2):
            part = text[begin : begin + _EXCERPT]
            if self._matcher.matches(part):
                return f"{'…' if begin else ''}{part}{'…' if begin + _EXCERPT < len(text) else ''}"
        return f"{text[:_EXCERPT]}…"


@dataclass(slots=True)
class _Found:
    """How many lines were found, and the newest of them."""

    count: int = 0
    late: bool = False
    newest: deque[LogLine] = field(default_factory=lambda: deque(maxlen=_KEPT))


@group.command(
    "search",
    Risk.READ,
    timeout=130,
    examples=("logs search ECONNREFUSED backend", 'logs search "status (500|502)" --regex --since 2d'),
)
async def search(
    ctx: Context,
    text: str,
    service: ServiceName | None = None,
    *,
    regex: bool = False,
    since: Moment = Moment("24h"),
    until: Moment | None = None,
) -> Reply:
    """The newest lines that match, in the order of time."""
    matcher = matcher_of(text, pattern=regex)
    period = Present(ctx.clock(), ctx.settings.vcc_tz).period(since, until)
    containers = await chosen(ctx.ops.containers, service)
    logs = _searched(ctx, containers, period, None if regex else matcher)
    ctx.say(Progress(ctx.words("logs.reading")))
    page = Page(ctx)
    found = await _find(logs, Finder(matcher, page.text))
    raise_if_all_failed(containers, logs.failed)
    named = several(containers)
    written = [page.with_time(line, line.text, named) for line in found.newest]
    shown = newest_that_fit(written)
    cut = len(shown) < found.count
    name = name_of(ctx, containers, service)
    title = ctx.words("logs.search_title" if written else "logs.search_empty", text=text, name=name, count=page.figures.count(found.count))
    return Reply(
        title=title,
        text="\n".join(
            (*failures(ctx, logs.failed), *_notes(ctx, page, found, period, clipped=logs.clipped), *_cut(ctx, page, shown, written))
        ),
        tone=Tone.WARN if logs.failed or logs.clipped or found.late else Tone.NEUTRAL,
        code="\n".join(shown),
        files=await attached(ctx, "search.log", written, wanted=cut),
        data=_data(period, found, logs),
    )


def _searched(ctx: Context, containers: Sequence[Service], period: Period, words: Matcher | None) -> MergedLogs:
    """The lines that hold these ``words``; without any, every line.

    A pattern is never tried on lines as they are: in ``guess|what-is-shown`` the second half would find every line again
    that the first one, the guess at a secret, had let through.
    """
    window = LogWindow(since=period.since, until=period.until)

    def opener(each: Service) -> Callable[[], Awaitable[LogStream]]:
        return partial(ctx.ops.logs.search, each, window, words) if words else partial(ctx.ops.logs.read, each, window)

    return MergedLogs({label(each): opener(each) for each in containers})


async def _find(logs: MergedLogs, finder: Finder) -> _Found:
    found = _Found()
    try:
        async with asyncio.timeout(_READING), aclosing(logs.batches()) as batches:
            async for batch in batches:
                for line in await asyncio.to_thread(finder.all_found, batch):
                    found.count += 1
                    found.newest.append(line)
    except TimeoutError:
        found.late = True
    return found


def _notes(ctx: Context, page: Page, found: _Found, period: Period, *, clipped: bool) -> list[str]:
    since, until = page.ends(period.since, period.until)
    notes = [ctx.words("logs.searched", since=since, until=until)]
    if clipped or found.late:
        notes.append(ctx.words("logs.search_clipped"))
    return notes


def _cut(ctx: Context, page: Page, shown: Sequence[str], written: Sequence[str]) -> list[str]:
    if len(shown) == len(written):
        return []
    return [ctx.words("logs.search_in_file", shown=page.figures.count(len(shown)), count=page.figures.count(len(written)))]


def _data(period: Period, found: _Found, logs: MergedLogs) -> dict[str, Any]:
    lines = [{"service": line.service, "stream": line.stream, "at": line.at, "text": line.text} for line in found.newest]
    return {
        "since": period.since,
        "until": period.until,
        "count": found.count,
        "lines": lines,
        "clipped": logs.clipped or found.late,
        "unreadable": sorted(logs.failed),
    }
