"""A container's log as lines of text with their times, from the engine's raw stream, in bounded memory."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from bot.errors import Rejected, TimedOut
from bot.ops.bounded import describe
from bot.ops.container_errors import DOCKER, SYSTEM
from bot.ops.container_frames import FrameError, FrameSplitter, LineSplitter, RawLine
from bot.ops.container_values import CONTAINER_LOG_LINE_CAP, LogLine, Service


@dataclass(frozen=True, slots=True)
class LogWindow:
    """Which part of a log: ``since`` and ``until`` in seconds since the epoch, ``tail`` the last N lines of that (0: all).

    ``max_bytes`` (0: no limit) ends the reading; ``follow`` keeps it open for what comes. ``idle`` is the longest silence
    in seconds that is not an error when not following.
    """

    since: float | None = None
    until: float | None = None
    tail: int = 0
    follow: bool = False
    max_bytes: int = 0
    idle: float = 30.0

    def query(self) -> dict[str, str]:
        """As the engine wants it asked."""
        asked = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if self.follow else "0"}
        if self.since is not None:
            asked["since"] = f"{self.since:.9f}"
        if self.until is not None:
            asked["until"] = f"{self.until:.9f}"
        asked["tail"] = str(self.tail) if self.tail else "all"
        return asked


class StampReader:
    """Takes the stamp off a line. Lines come by the thousand in one minute, so that minute is reckoned once."""

    def __init__(self) -> None:
        self._minute = b""
        self._base = 0.0
        self._last = 0.0

    def split(self, content: bytes) -> tuple[float, bytes]:
        """When, and the line without its stamp; a line that has none takes the time of the one before."""
        stamp, space, text = content.partition(b" ")
        if not space and not stamp.endswith(b"Z"):
            return self._last, content
        try:
            self._last = self._moment(stamp)
        except ValueError:
            return self._last, content
        return self._last, text

    def moment(self, stamp: bytes) -> float:
        """The time of a stamp by itself; that of the one before for what is none."""
        try:
            self._last = self._moment(stamp)
        except ValueError:  # not suppressed by a context: that would take as long as all the rest
            return self._last
        return self._last

    def _moment(self, stamp: bytes) -> float:
        if stamp[:17] != self._minute:
            if len(stamp) < 20 or stamp[4:5] != b"-":
                raise ValueError(stamp)
            self._base = datetime.fromisoformat(stamp[:17].decode("ascii") + "00+00:00").timestamp()
            self._minute = stamp[:17]
        second = stamp[17:-1]
        if not stamp[17:19].isdigit() or second >= b"60" or second[2:3] not in (b".", b"") or stamp[-1:] != b"Z":
            raise ValueError(stamp)
        return self._base + float(second)


class Limit:
    """The most that one reading may cost: bytes (0: no limit) and seconds from now. ``passed`` once it has cost more."""

    def __init__(self, bytes_at_most: int, seconds_at_most: float = math.inf) -> None:
        self._left = bytes_at_most
        self._bounded = bytes_at_most > 0
        self._ends = time.monotonic() + seconds_at_most
        self.passed = False

    def spend(self, count: int) -> bool:
        """Whether the limit is passed now."""
        self._left -= count
        self.passed = self.passed or (self._bounded and self._left < 0) or time.monotonic() > self._ends
        return self.passed


class LogStream:
    """An iterator of log lines. ``clipped`` turns true when ``max_bytes`` ended it; ``aclose`` ends it early."""

    def __init__(self, lines: AsyncGenerator[LogLine, None], limit: Limit) -> None:
        self._lines = lines
        self._limit = limit

    @property
    def clipped(self) -> bool:
        """Whether there was more than ``max_bytes``."""
        return self._limit.passed

    def __aiter__(self) -> LogStream:
        return self

    async def __anext__(self) -> LogLine:
        return await anext(self._lines)

    async def aclose(self) -> None:
        """Close the connection now."""
        await self._lines.aclose()


Opened = AbstractAsyncContextManager[AsyncIterator[bytes]]


def log_stream(service: Service, opened: Opened, window: LogWindow) -> LogStream:
    """The lines of the stream that ``opened`` opens; nothing is asked before the first line is."""
    limit = Limit(window.max_bytes)
    return LogStream(_lines(service, opened, window, limit), limit)


async def _lines(service: Service, opened: Opened, window: LogWindow, limit: Limit) -> AsyncGenerator[LogLine, None]:
    splitter = FrameSplitter(LineSplitter(CONTAINER_LOG_LINE_CAP), terminal=service.terminal)
    stamps = StampReader()
    with translated(window):
        async with opened as chunks:
            async for chunk in chunks:
                for line in _worded(service, splitter.feed(chunk), stamps):
                    yield line
                if limit.spend(len(chunk)):
                    return
            for line in _worded(service, splitter.rest(), stamps):
                yield line


@contextlib.contextmanager
def translated(window: LogWindow) -> Iterator[None]:
    """What goes wrong while a log is read, in our words."""
    try:
        yield
    except FrameError as error:
        raise Rejected(SYSTEM, describe(error)) from error
    except TimeoutError as error:
        raise TimedOut(SYSTEM, window.idle, describe(error)) from error
    except DOCKER.errors as error:
        raise DOCKER.translate(error, window.idle) from error


def _worded(service: Service, raw: Iterable[RawLine], stamps: StampReader) -> Iterable[LogLine]:
    for stream, content, truncated in raw:
        at, text = stamps.split(content)
        yield LogLine(service.name, service.container_name, stream, at, text.decode("utf-8", "replace"), truncated)
