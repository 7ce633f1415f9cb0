"""Feeds a grouper the errors of a log and what belongs to them, and passes over all other lines without looking at them.

What the grouper learns is the same as if it had been fed every line, but that a damaged entry may end a trace. Knows neither files
nor the engine.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.ops.container_values import Service
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_chunks import LOOK_BACK, NOWHERE, Chunk
from bot.ops.log_entries import Between, Entry, LineMaker

STREAMS = ("stdout", "stderr")


class ErrorFinder:
    """Give it the chunks of one container's log in order, each with its candidates.

    ``unfinished`` names the streams whose last entry so far did not end its line.
    """

    def __init__(self, service: Service, grouper: ErrorGrouper, window: Between, unfinished: Iterable[str] = ()) -> None:
        self._container = service.container_name
        self._grouper = grouper
        self._window = window
        self._maker = LineMaker(service)
        self.unfinished = set(unfinished)
        self._next: dict[str, int] = {}
        self._fed: dict[str, int] = {}

    @property
    def ended(self) -> bool:
        """Whether the end of the window was passed."""
        return self._window.ended

    def take(self, chunk: Chunk, hits: Iterable[int]) -> None:
        """Look at what may be an error, and at what follows one."""
        self._fed = dict.fromkeys(STREAMS, 0)
        self._next = {}
        for stream in STREAMS:
            self._await(chunk, stream, 0)
        end = 0
        for hit in hits:
            if hit < end:
                continue  # in the entry that was looked at last
            start = chunk.start_of(hit)
            if self._next:
                self._follow(chunk, start)
            end = self._suspect(chunk, start)
            if self._window.ended:
                return
        self._follow(chunk, chunk.size)
        self._end(chunk)

    def close(self) -> None:
        """The log ended here: what has no end yet is taken as it is."""
        for line in self._maker.rest():
            self._grouper.feed(line)

    def _follow(self, chunk: Chunk, until: int) -> None:
        """Feed what comes before ``until`` of the streams that are waited for, in the order of the log."""
        while self._next and not self._window.ended:
            start = min(self._next.values())
            if start >= until:
                return
            stream = next(each for each, place in self._next.items() if place == start)
            if chunk.may_continue(start) or self._maker.continues(stream):
                self._feed(chunk, start)
            else:
                self._grouper.end(self._container, stream)
                del self._next[stream]

    def _suspect(self, chunk: Chunk, start: int) -> int:
        """Look at a candidate, from the beginning of its line; where the entry ends."""
        entry, end = known = chunk.entry(start)
        if entry is None or start < self._fed[entry.stream]:
            return end
        begin = self._line_start(chunk, start, entry.stream)
        if begin == NOWHERE:
            self._fed[entry.stream] = end
        elif begin == start:
            self._feed(chunk, start, known)
        else:
            self._feed(chunk, begin)
            self._follow(chunk, end)
        return end

    def _line_start(self, chunk: Chunk, start: int, stream: str) -> int:
        """Where the line begins that this entry is of; NOWHERE when that was passed over already."""
        while True:
            before = chunk.before(stream, start)
            if before is None:
                return NOWHERE if start < LOOK_BACK and stream in self.unfinished else start
            if before.finished:
                return start
            if before.start < self._fed[stream]:
                return NOWHERE
            start = before.start

    def _feed(self, chunk: Chunk, start: int, known: tuple[Entry | None, int] | None = None) -> None:
        entry, end = known or chunk.entry(start)
        if entry is None:
            for stream in [each for each, place in self._next.items() if place == start]:
                self._await(chunk, stream, end)
            return
        stream = entry.stream
        self._fed[stream] = end
        if self._window.keep(entry.stamp):
            for line in self._maker.feed(entry):
                self._grouper.feed(line)
        self._await(chunk, stream, end)

    def _await(self, chunk: Chunk, stream: str, start: int) -> None:
        """Remember where the next entry of a stream is, if it is waited for and this chunk has one."""
        if self._grouper.awaits(self._container, stream) or self._maker.continues(stream):
            place = chunk.next_of(stream, start)
            if place != NOWHERE:
                self._next[stream] = place
                return
        self._next.pop(stream, None)

    def _end(self, chunk: Chunk) -> None:
        """Remember which streams stopped in the middle of a line."""
        for stream in STREAMS:
            last = chunk.before(stream, chunk.size, far=stream in self.unfinished)
            if last is not None:
                self.unfinished.discard(stream) if last.finished else self.unfinished.add(stream)
