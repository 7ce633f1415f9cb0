"""What the commands on logs share: lines as they are shown, what fits into a message, what could not be read. Reads nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.context import Context
from bot.errors import OutsideError
from bot.figures import Figures
from bot.model import Attachment
from bot.ops.container_logs import LogStream, LogWindow
from bot.ops.container_values import LogLine, Service
from bot.ops.log_merge import MergedLogs
from bot.ops.log_text import LOOK_AT, LogText
from bot.ops.verdict import label

SHOWN = 2_600  # characters: what fits into one message on every platform
LINE = 600


class Page:
    """Lines as they are shown, and raw."""

    def __init__(self, ctx: Context) -> None:
        self.figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self.text = LogText(ctx.settings.secrets)
        self._now = ctx.clock()

    def written(self, line: LogLine, named: bool, limit: int = LINE) -> str:
        """With its time; ``named`` with its service."""
        return self.with_time(line, self.text.line(line.text, limit), named)

    def with_time(self, line: LogLine, text: str, named: bool) -> str:
        """The same, of a line whose text was made fit to show already."""
        source = f"{line.service} | " if named else ""
        return f"{self.figures.clock(line.at, self._now)} {source}{text}"

    def filed(self, line: LogLine, named: bool) -> str:
        """As in a file: all that there is of it, with its date."""
        source, rest = f"{line.service} | " if named else "", "…" if line.truncated else ""
        return f"{self.figures.exact(line.at)} {source}{self.text.whole(line.text, cut=line.truncated)}{rest}"

    def moment(self, at: float) -> str:
        """To the second."""
        return self.figures.clock(at, self._now)

    def ends(self, since: float, until: float) -> tuple[str, str]:
        """Both ends of a period alike: with their dates when one of them needs its own."""
        furthest = max(since, until, key=lambda at: abs(self._now - at))
        return self.figures.clock(since, self._now + since - furthest), self.figures.clock(until, self._now + until - furthest)

    def raw(self, line: LogLine) -> dict[str, Any]:
        """For ``--json``."""
        return {"service": line.service, "stream": line.stream, "at": line.at, "text": self.text.line(line.text)}


def kept(line: LogLine) -> LogLine:
    """The line to keep in memory: of one of many thousand characters only as much as is ever shown."""
    return line if len(line.text) <= LOOK_AT else line._replace(text=line.text[: LOOK_AT + 1], truncated=True)


def several(containers: Sequence[Service]) -> bool:
    """Whether lines need their service's name to be told apart."""
    return len({each.name for each in containers}) > 1


def merged(ctx: Context, containers: Sequence[Service], window: LogWindow) -> MergedLogs:
    """The logs of all of them in the order of time."""

    def opener(each: Service) -> Callable[[], Awaitable[LogStream]]:
        return partial(ctx.ops.logs.read, each, window)

    return MergedLogs({label(each): opener(each) for each in containers})


def name_of(ctx: Context, containers: Sequence[Service], service: str | None) -> str:
    """How what was asked for is called."""
    return ctx.words("logs.all") if service is None else containers[0].name


def newest_that_fit(written: Sequence[str]) -> list[str]:
    """As many of the last lines as one message holds; one at least."""
    return first_that_fit(written[::-1])[::-1]


def first_that_fit(written: Sequence[str]) -> list[str]:
    """As many of the first lines as one message holds; one at least."""
    room, shown = SHOWN, list[str]()
    for line in written:
        room -= len(line) + 1
        if room < 0 and shown:
            break
        shown.append(line)
    return shown


def failures(ctx: Context, failed: Mapping[str, OutsideError]) -> list[str]:
    """A sentence for each log that could not be read."""
    return [ctx.words("logs.unreadable", name=name, reason=ctx.words(error.key, **error.values)) for name, error in sorted(failed.items())]


def raise_if_all_failed(containers: Sequence[Service], failed: Mapping[str, OutsideError]) -> None:
    """Without a single log that could be read there is no answer."""
    if containers and len(failed) == len(containers):
        raise next(iter(failed.values()))


def iso(at: float) -> str:
    """A moment that can be typed as an option, whatever the reader's zone."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def attached(ctx: Context, name: str, lines: Iterable[str], *, wanted: bool) -> tuple[Attachment, ...]:
    """The lines as a file of the answer, where there is more than it shows."""
    return (await ctx.attach(name, lines),) if wanted else ()
