"""Stretches of log, one from a file and one from the engine's frames, seen the same way: entries found by place and by stream."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from bot.ops.container_frames import HEADER
from bot.ops.log_candidates import places
from bot.ops.log_entries import NEEDLES, OPENING, STAMP_BYTES, Entry, parse

NOWHERE = -1
LOOK_BACK = 8 << 10
_FRAMES_BACK = 32
_NEAR = 4 << 10
_KINDS = {"stdout": b"\1\0\0\0", "stderr": b"\2\0\0\0"}
_STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}


class Before(NamedTuple):
    """The entry of the same stream before another: whether its line ends with it; where it begins, for one whose line does not."""

    finished: bool
    start: int = NOWHERE


_FINISHED = Before(finished=True)
_FOLLOWING = b' \t}\\"'  # in a file a tabulator begins with a backslash, and the end of no text at all with a quote


class Chunk(Protocol):
    """Whole entries, one after the other."""

    size: int

    def start_of(self, place: int) -> int:
        """Where the entry begins that holds this place."""

    def entry(self, start: int) -> tuple[Entry | None, int]:
        """The entry that begins there, if it is one, and where it ends."""

    def may_continue(self, start: int) -> bool:
        """Whether the entry that begins there may belong to an error before; False only when it surely does not."""

    def next_of(self, stream: str, start: int) -> int:
        """Where the first entry of a stream begins, from ``start`` on; NOWHERE when there is none."""

    def before(self, stream: str, start: int, *, far: bool = False) -> Before | None:
        """The entry of a stream before ``start``; looked for a little way back only, unless ``far``."""


class FileChunk:
    """Whole lines of a json-file: the first ``size`` bytes of ``data``; ``places``, where known already, are all that name a stream."""

    def __init__(self, data: bytes | bytearray, size: int, places: Mapping[str, list[int]] | None = None) -> None:
        self._data = data
        self.size = size
        self._places = dict(places or {})

    def start_of(self, place: int) -> int:
        """The line's beginning."""
        return self._data.rfind(b"\n", 0, place) + 1

    def entry(self, start: int) -> tuple[Entry | None, int]:
        """The line's entry."""
        end = self._data.index(b"\n", start)
        return parse(bytes(self._data[start:end])), end + 1

    def may_continue(self, start: int) -> bool:
        """By the first letter of its text."""
        at = start + len(OPENING)
        return self._data[at] in _FOLLOWING or not self._data.startswith(OPENING, start)

    def next_of(self, stream: str, start: int) -> int:
        """By the one place where the stream's name stands in quotes of its own."""
        if stream not in self._places:
            found = self._data.find(NEEDLES[stream], start, min(self.size, start + _NEAR))
            if found >= 0:
                return self.start_of(found)
        known = self._all(stream)
        number = bisect_left(known, start)
        return self.start_of(known[number]) if number < len(known) else NOWHERE

    def before(self, stream: str, start: int, *, far: bool = False) -> Before | None:
        """Likewise, backwards."""
        found = NOWHERE if stream in self._places else self._data.rfind(NEEDLES[stream], max(0, start - _NEAR), start)
        if found < 0:
            known = self._all(stream)
            number = bisect_left(known, start)
            found = known[number - 1] if number else NOWHERE
        if found < (0 if far else max(0, start - LOOK_BACK)):
            return None
        return _FINISHED if _ends_line(self._data, found) else Before(finished=False, start=self.start_of(found))

    def _all(self, stream: str) -> list[int]:
        """Where its name stands: found once, when it is not to be found nearby."""
        if stream not in self._places:
            self._places[stream] = places(stream, self._data, self.size)
        return self._places[stream]


def _ends_line(data: bytes | bytearray, end: int) -> bool:
    """Whether the JSON text that ends here ends with an escaped line end, and not with a backslash and an n."""
    if data[end - 2 : end] != b"\\n":
        return False
    if data[end - 3 : end - 2] != b"\\":
        return True
    text = data[max(0, end - 64) : end - 1]
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1


class FrameChunk:
    """Whole frames of the engine; ``starts`` are where they begin, and at last where they end.

    ``wrapped`` when each lies in an HTTP chunk of its own: then it begins with that chunk, and what surrounds it is passed over.
    """

    def __init__(self, data: bytes, starts: Sequence[int], *, wrapped: bool = False) -> None:
        self.data = data
        self.starts = starts
        self.size = starts[-1]
        self._wrapped = wrapped

    def start_of(self, place: int) -> int:
        """The frame's beginning."""
        return self.starts[bisect_right(self.starts, place) - 1]

    def entry(self, start: int) -> tuple[Entry | None, int]:
        """The frame's payload, the stamp apart."""
        data, (header, end) = self.data, self.frame(start)
        body = header + HEADER
        text = body + STAMP_BYTES
        stream = _STREAMS[data[header]]
        return (Entry(stream, data[body : text - 1], data[text:end]) if text <= end else None), end

    def frame(self, start: int) -> tuple[int, int]:
        """Where the frame lies that begins there: its header, and its end."""
        header = self._header(start)
        body = header + HEADER
        return header, body + int.from_bytes(self.data[body - 4 : body], "big")

    def may_continue(self, start: int) -> bool:
        """Likewise."""
        header, end = self.frame(start)
        text = header + HEADER + STAMP_BYTES
        return text >= end or self.data[text] in _FOLLOWING

    def next_of(self, stream: str, start: int) -> int:
        """By the bytes that a frame of the stream begins with, where a frame does begin."""
        kind = _KINDS[stream]
        found = self.data.find(kind[:1], start, self.size)  # a single byte is found sooner than four
        while found >= 0:
            begin = self.start_of(found)
            if self._header(begin) == found:
                return begin
            found = self.data.find(kind, found + 1, self.size)
        return NOWHERE

    def before(self, stream: str, start: int, *, far: bool = False) -> Before | None:
        """Likewise, backwards."""
        kind = _KINDS[stream]
        low = 0 if far else self.starts[max(0, bisect_left(self.starts, start) - _FRAMES_BACK)]
        found = self.data.rfind(kind[:1], low, start)
        while found >= 0:
            begin = self.start_of(found)
            if self._header(begin) == found:
                return _FINISHED if self.data[self.frame(begin)[1] - 1] == 0x0A else Before(finished=False, start=begin)
            found = self.data.rfind(kind, low, found + len(kind) - 1)
        return None

    def _header(self, start: int) -> int:
        return self.data.index(b"\n", start) + 1 if self._wrapped else start
