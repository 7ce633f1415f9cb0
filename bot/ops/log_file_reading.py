"""A container's log out of its files: its lines, its errors, and where reading goes on next time. Blocking: call it in a thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from bot.ops.container_values import LogLine, Service
from bot.ops.log_candidates import looked_through
from bot.ops.log_chunks import FileChunk
from bot.ops.log_entries import NEEDLES, Between, LineMaker, all_finished, parse
from bot.ops.log_errors import ErrorFinder
from bot.ops.log_files import BLOCK
from bot.ops.log_spans import Span

SCANNED = 2 << 20

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
    """Give the finder all of it. One stretch is searched while the next is read and the one before judged.

    Reading leaves the interpreter free, so that the search begins; and the search does, so that the judging goes on.
    """
    reading = stretches(found)
    read = next(reading, None)
    searched: Future[Stretch] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="logs-ahead") as ahead:
        while read is not None and not (stopped() or finder.ended):
            judged, searched = searched, ahead.submit(_searched, *read)
            read = next(reading, None)
            if judged is not None:
                finder.take(*judged.result())
        if searched is not None and not (stopped() or finder.ended):
            finder.take(*searched.result())
    finder.close()


def stretches(found: Sequence[Span]) -> Iterator[tuple[bytearray, int]]:
    """Whole lines after whole lines, in how much of which buffer. One stays as it is while the next two are read, whatever file that is
    of.
    """
    room = deque(bytearray(SCANNED) for _ in range(3))
    for span in found:
        yield from span.file.stretches(span.start, span.end, room)


def _searched(data: bytearray, size: int) -> Stretch:
    looked = looked_through(data, size)
    return FileChunk(data, size, looked.places), looked.hits
