"""A container's log out of its files: its lines, its errors, and where reading goes on next time. Blocking: call it in a thread."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from bot.ops.container_values import LogLine, Service
from bot.ops.log_candidates import looked_through
from bot.ops.log_chunks import FileChunk
from bot.ops.log_entries import NEEDLES, Between, LineMaker, all_finished, parse
from bot.ops.log_errors import ErrorFinder
from bot.ops.log_files import BLOCK
from bot.ops.log_spans import Span

SCANNED = 2 << 20
_AT_A_STRETCH = 40
_NAP = 0.00001  # seconds

Batch = tuple[int, Sequence[LogLine]]
Stretch = tuple[FileChunk, list[int]]


def lines(service: Service, found: Sequence[Span], window: Between, wanted: Callable[[bytes], bool] | None = None) -> Iterator[Batch]:
    """Every line of the window, some at a time, with how many bytes they took.

    ``wanted`` looks at the raw bytes first: where it finds nothing, and no line is in pieces, no line is made.
    """
    maker = LineMaker(service)
    for span in found:
        for _, data in span.file.blocks(span.start, span.end, BLOCK):
            made: list[LogLine] = []
            if wanted and not wanted(data) and all_finished(data) and not any(map(maker.continues, NEEDLES)):
                yield len(data), made
                continue
            for raw in data.split(b"\n")[:-1]:
                entry = parse(raw)
                if entry is not None and window.keep(entry.stamp):
                    made += maker.feed(entry)
            yield len(data), made
            if window.ended:
                break
    yield 0, list(maker.rest())


def find_errors(finder: ErrorFinder, found: Sequence[Span], stopped: Callable[[], bool]) -> None:
    """Give the finder all of it. The next stretch is searched while this one is judged: the search leaves the interpreter free."""
    with ThreadPoolExecutor(1, thread_name_prefix="logs-ahead") as ahead:
        stretches = searched(found)
        upcoming = ahead.submit(next, stretches, None)
        while (now := upcoming.result()) is not None:
            if stopped() or finder.ended:
                break
            upcoming = ahead.submit(next, stretches, None)
            chunk, hits = now
            finder.take(chunk, _giving_way(hits, upcoming))
    finder.close()


def _giving_way(hits: Iterable[int], upcoming: Future[Stretch | None]) -> Iterator[int]:
    """The hits. The search needs the interpreter for a moment between reading and searching, and would wait for it as long as we work."""
    for number, hit in enumerate(hits):
        if number % _AT_A_STRETCH == 0 and not upcoming.done():
            time.sleep(_NAP)
        yield hit


def searched(found: Sequence[Span]) -> Iterator[Stretch]:
    """Stretch after stretch with its candidates. One given stays as it is until the next but one is asked for, whatever file that is of."""
    room = deque((bytearray(SCANNED), bytearray(SCANNED)))  # one is judged while the other is filled and searched
    for span in found:
        for data, size in span.file.stretches(span.start, span.end, room):
            looked = looked_through(data, size)
            yield FileChunk(data, size, looked.places), looked.hits
