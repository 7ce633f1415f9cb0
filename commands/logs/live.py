"""What a follow keeps while it runs: the lines that are wanted, those that wait to be said, and how many there were. Asks nobody."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from bot.ops.container_values import LogLine
from bot.ops.error_kinds import ErrorKind, classify, continues
from bot.ops.log_follow import Start
from commands.logs.page import Page, kept
from commands.logs.search import Finder

BYTES_AT_MOST = 5 * 1024 * 1024
LINES_AT_MOST = 50_000
Filter = Callable[[LogLine], bool]


class ErrorsOnly:
    """Errors, and the traces under them."""

    def __init__(self) -> None:
        self._inside: set[tuple[str, str]] = set()

    def __call__(self, line: LogLine) -> bool:
        source, kind = (line.container, line.stream), classify(line.text)
        if kind is None and source in self._inside and continues(line.text):
            return True
        if kind is None or kind is ErrorKind.KNOWN:
            self._inside.discard(source)
            return False
        self._inside.add(source)
        return True


def finding(finder: Finder) -> Filter:
    """Lines in which something is found."""
    return lambda line: finder.found(line) is not None


class Collected:
    """Takes lines as they come, in bounded memory: once ``full`` it only counts."""

    def __init__(self, filters: Sequence[Filter], start: Start, bytes_at_most: int = BYTES_AT_MOST) -> None:
        self._filters = filters
        self._start = start
        self._room = bytes_at_most
        self._waiting: dict[str, list[LogLine]] = {}
        self.everything: list[LogLine] = []
        self.seen = 0
        self.wanted = 0
        self.dropped = 0
        self.shown = 0

    @property
    def full(self) -> bool:
        """Whether no more can be kept."""
        return self._room <= 0

    def take(self, line: LogLine) -> None:
        """One line, as it came."""
        self.seen += 1
        if not all(wants(line) for wants in self._filters):
            return
        self.wanted += 1
        if self.full or self.wanted > LINES_AT_MOST:
            self._room = 0
            self.dropped += 1
            return
        line = kept(line)
        self._room -= len(line.text) + 1
        self._waiting.setdefault(line.container, []).append(line)

    def batch(self) -> list[LogLine]:
        """What came since the last time, in the order of time, each container's in its own; of what was there before only the newest."""
        waiting, self._waiting = self._waiting, {}
        merged = list(heapq.merge(*waiting.values(), key=lambda line: line.at))
        too_old = sum(line.at < self._start.at for line in merged) - self._start.tail
        batch: list[LogLine] = []
        for line in merged:
            if too_old > 0 and line.at < self._start.at:
                too_old -= 1
            else:
                batch.append(line)
        self.everything += batch
        return batch

    def told(self, batch: Sequence[LogLine], page: Page, room: int, *, named: bool) -> list[str]:
        """The newest lines of a batch that fit into ``room`` characters, one at least."""
        told: list[str] = []
        for line in reversed(batch):
            written = page.written(line, named)
            room -= len(written) + 1
            if room < 0 and told:
                break
            told.append(written)
        self.shown += len(told)
        return told[::-1]
