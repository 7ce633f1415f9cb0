"""The services' logs, read whichever way is nearest: the engine's own files where they can be read, else its API.

The lines are the same either way. Knows neither what a file looks like inside nor what the engine sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from bot.ops.bounded import Workers
from bot.ops.container_logs import Limit, LogStream, LogWindow, translated
from bot.ops.container_values import LogLine, Service
from bot.ops.containers import Containers
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_candidates import candidates
from bot.ops.log_chunked import ChunkedFrames
from bot.ops.log_chunks import FrameChunk
from bot.ops.log_entries import Between, exactly, stamp_of
from bot.ops.log_errors import ErrorFinder
from bot.ops.log_file_reading import find_errors, lines
from bot.ops.log_files import LogFile, opened
from bot.ops.log_frames import Recent, Resume
from bot.ops.log_match import Matcher
from bot.ops.log_position import LogPosition
from bot.ops.log_resuming import position, resumed
from bot.ops.log_spans import spans

Source = Literal["file", "api"]
Result = TypeVar("Result")
FILE_DRIVER = "json-file"
THREADS = 4
# The engine finds its newest entries at once, but those since a time by reading all: so they are tried first.
TAILS = (8_192, 131_072)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to look through for errors."""

    since: float | None
    until: float | None
    after: LogPosition | None
    gap: bool = False


class Logs:
    """Logs of the containers of one deployment. ``data_dir`` is the engine's data root, if it can be seen from here."""

    def __init__(self, containers: Containers, data_dir: Path | None) -> None:
        self._containers = containers
        self._data_dir = data_dir
        self._workers = Workers("logs", THREADS)

    def close(self) -> None:
        """Let the threads go."""
        self._workers.close()

    async def source(self, service: Service) -> Source:
        """Where this log would be read from now."""
        async with self._files(service) as files:
            return "file" if files else "api"

    async def read(self, service: Service, window: LogWindow) -> LogStream:
        """Every line of the window, in the order of the log. Iterate it to the end or ``aclose`` it."""
        if window.follow or await self.source(service) == "api":
            return await self._containers.logs(service.container_id, window)
        limit = Limit(window.max_bytes)
        return LogStream(self._from_files(service, window, limit), limit)

    async def errors(
        self,
        service: Service,
        grouper: ErrorGrouper,
        *,
        since: float | None = None,
        until: float | None = None,
        after: LogPosition | None = None,
    ) -> LogPosition:
        """Feed the errors (and the traces under them) to ``grouper``; where it got to, to be given as ``after`` next time.

        Other lines are passed over unseen, so ``grouper.lines`` counts next to nothing. ``gap`` of the result says that lines
        after ``after`` are gone: then it begins with the oldest there is.
        """
        if after is not None and after.container_id != service.container_id:
            wanted = _Wanted(since, until, None, gap=True)
        else:
            wanted = _Wanted(since, until, after)
        async with self._files(service) as files:
            if files:
                return await self._errors_in_files(service, grouper, files, wanted)
        return await self._errors_by_api(service, grouper, wanted)

    async def search(self, service: Service, window: LogWindow, matcher: Matcher) -> LogStream:
        """The lines of the window that match; ``clipped`` when the search had cost as much as it may."""
        limit = Limit(matcher.max_bytes, matcher.max_seconds)
        if not window.follow and await self.source(service) == "file":
            return LogStream(self._from_files(service, window, limit, matcher), limit)
        return LogStream(_matching(await self.read(service, window), matcher, limit), limit)

    @contextlib.asynccontextmanager
    async def _files(self, service: Service) -> AsyncIterator[tuple[LogFile, ...]]:
        """The files of this log, open for the block; none where they cannot be read, for whatever reason there is today."""
        files: list[LogFile] = []
        try:
            if self._data_dir is not None and service.log_driver == FILE_DRIVER:
                path = self._data_dir / "containers" / service.container_id / f"{service.container_id}-json.log"
                with contextlib.suppress(OSError):
                    await self._settled(lambda: files.extend(opened(path)))  # kept here also when we are cancelled meanwhile
            yield tuple(files)
        finally:
            for file in files:
                file.close()

    async def _settled(self, work: Callable[..., Result], *arguments: object, stop: Callable[[], None] = lambda: None) -> Result:
        """Run ``work`` in a thread. When cancelled, ``stop`` it and wait for it: nothing is closed under its hands."""
        running = asyncio.ensure_future(self._workers.run(work, *arguments))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stop()
            await asyncio.wait([running])
            raise

    async def _from_files(
        self, service: Service, window: LogWindow, limit: Limit, matcher: Matcher | None = None
    ) -> AsyncGenerator[LogLine, None]:
        async with self._files(service) as files:
            if not files:  # they were there a moment ago
                async for line in await self._containers.logs(service.container_id, window):
                    if matcher is None or matcher.matches(line.text):
                        yield line
                return
            found = await self._settled(spans, files, window.since, window.until, window.tail)
            batches = lines(service, found, Between(window.since, window.until), matcher.may_be_in if matcher else None)
            while (batch := await self._settled(next, batches, None)) is not None:
                for line in batch[1]:
                    if matcher is None or matcher.matches(line.text):
                        yield line
                if limit.spend(batch[0]):
                    return

    async def _errors_in_files(self, service: Service, grouper: ErrorGrouper, files: Sequence[LogFile], wanted: _Wanted) -> LogPosition:
        stop = threading.Event()

        def work() -> LogPosition:
            chosen, begin, gap = resumed(files, wanted.after) if wanted.after else (list(files), 0, wanted.gap)
            found = spans(chosen, wanted.since, wanted.until, begin=begin)
            finder = ErrorFinder(service, grouper, Between(wanted.since, wanted.until), _unfinished(wanted.after))
            find_errors(finder, found, stop.is_set)
            file, offset = (found[-1].file, found[-1].end) if found else (chosen[0], begin) if wanted.until is not None else _end(chosen)
            return position(service.container_id, file, offset, unfinished=" ".join(sorted(finder.unfinished)), gap=gap)

        return await self._settled(work, stop=stop.set)

    async def _errors_by_api(self, service: Service, grouper: ErrorGrouper, wanted: _Wanted) -> LogPosition:
        if service.terminal:
            return await self._errors_line_by_line(service, grouper, wanted)
        after = wanted.after
        for tail in (*TAILS, 0) if after and after.seen else (0,):
            finder = ErrorFinder(service, grouper, Between(wanted.since, wanted.until), _unfinished(after))
            frames, recent, resume = ChunkedFrames(), Recent(), Resume(after, whole=tail == 0)
            window = LogWindow(since=wanted.since, until=wanted.until, tail=tail)
            asked = {"since": exactly(after.since or after.last)} if after and after.last else {}
            opening = await self._containers.log_wrapped(service, window, frames, **asked)
            with translated(window):
                await _through(opening, finder, recent, resume)
                if not resume.missed:
                    frames.close()
            _rest(finder, resume)
            if not resume.missed:
                break
        gap = resume.gap or wanted.gap
        reached = recent.anchor()
        if reached is None:
            return replace(after or LogPosition(service.container_id, "api"), gap=gap)
        return LogPosition(service.container_id, "api", **reached._asdict(), unfinished=" ".join(sorted(finder.unfinished)), gap=gap)

    async def _errors_line_by_line(self, service: Service, grouper: ErrorGrouper, wanted: _Wanted) -> LogPosition:
        """A terminal's bytes have no frames to jump between."""
        last = wanted.after.last if wanted.after else ""
        begin = float(exactly(last)) if last else wanted.since
        async for line in await self._containers.logs(service.container_id, LogWindow(since=begin, until=wanted.until)):
            stamp = stamp_of(line.at).decode()
            if stamp > last and line.at >= (wanted.since or line.at):
                grouper.feed(line)
            last = max(last, stamp)
        return LogPosition(service.container_id, "api", last=last, gap=wanted.gap)


async def _through(
    opening: AbstractAsyncContextManager[AsyncIterator[Sequence[FrameChunk]]], finder: ErrorFinder, recent: Recent, resume: Resume
) -> None:
    """Give the finder what is new of the engine's answer."""
    async with opening as received:
        async for chunks in received:
            for chunk in chunks:
                recent.add(chunk)
                fresh = resume.fresh(chunk)
                if fresh is not None:
                    finder.take(fresh, candidates(fresh.data, fresh.size))
                if resume.missed:
                    return


def _rest(finder: ErrorFinder, resume: Resume) -> None:
    """The answer has ended."""
    fresh = resume.rest()
    if fresh is not None:
        finder.take(fresh, candidates(fresh.data))
    if not resume.missed:
        finder.close()


def _unfinished(after: LogPosition | None) -> list[str]:
    return after.unfinished.split() if after else []


def _end(files: Sequence[LogFile]) -> tuple[LogFile, int]:
    return files[-1], files[-1].size


async def _matching(found: LogStream, matcher: Matcher, limit: Limit) -> AsyncGenerator[LogLine, None]:
    try:
        async for line in found:
            if matcher.matches(line.text):
                yield line
            if limit.spend(len(line.text)):
                return
    finally:
        await found.aclose()
    limit.passed = found.clipped
