"""Feeds a grouper the errors of a log and what belongs to them, and passes over all other lines without looking at them.

What the grouper learns is the same as if it had been fed every line. Knows neither files nor the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
        self._next = {stream: chunk.next_of(stream, 0) for stream in STREAMS if self._waits(stream)}
        for start in _starts(chunk, hits):
            if self._next:
                self._follow(chunk, start)
            self._suspect(chunk, start)
            if self.ended:
                return
        self._follow(chunk, chunk.size)
        self._end(chunk)

    def close(self) -> None:
        """The log ended here: what has no end yet is taken as it is."""
        for line in self._maker.rest():
            self._grouper.feed(line)

    def _follow(self, chunk: Chunk, until: int) -> None:
        """Feed what comes before ``until`` of the streams that are waited for, in the order of the log."""
        while self._next and not self.ended:
            stream = min(self._next, key=lambda each: self._next[each] if self._next[each] >= 0 else chunk.size)
            start = self._next[stream]
            if start == NOWHERE or start >= until:
                return
            self._feed(chunk, start)

    def _suspect(self, chunk: Chunk, start: int) -> None:
        """Look at a candidate, from the beginning of its line."""
        entry, end = chunk.entry(start)
        if entry is None or start < self._fed[entry.stream]:
            return
        begin = self._line_start(chunk, start, entry.stream)
        if begin == NOWHERE:
            self._fed[entry.stream] = end
            return
        self._feed(chunk, begin, (entry, end) if begin == start else None)
        self._follow(chunk, end)

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
            self._next = {stream: chunk.next_of(stream, end) if place == start else place for stream, place in self._next.items()}
            return
        self._fed[entry.stream] = end
        self._learn(entry)
        if self._waits(entry.stream):
            self._next[entry.stream] = chunk.next_of(entry.stream, end)
        else:
            self._next.pop(entry.stream, None)

    def _learn(self, entry: Entry) -> None:
        if self._window.keep(entry.stamp):
            for line in self._maker.feed(entry):
                self._grouper.feed(line)

    def _waits(self, stream: str) -> bool:
        return self._maker.continues(stream) or self._grouper.awaits(self._container, stream)

    def _end(self, chunk: Chunk) -> None:
        """Remember which streams stopped in the middle of a line."""
        for stream in STREAMS:
            last = chunk.before(stream, chunk.size, far=stream in self.unfinished)
            if last is not None:
                self.unfinished.discard(stream) if last.finished else self.unfinished.add(stream)


def _starts(chunk: Chunk, hits: Iterable[int]) -> Iterator[int]:
    """The entries that hold the hits, each once."""
    last = NOWHERE
    for hit in hits:
        start = chunk.start_of(hit)
        if start != last:
            last = start
            yield start
