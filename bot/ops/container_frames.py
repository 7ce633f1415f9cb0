"""Bytes of a container's log into raw lines, exactly, in bounded memory. Knows the wire form and nothing else.

Without a terminal the engine sends frames: one byte stream number, three zero bytes, four bytes length, payload. A frame may
hold part of a line or several; a chunk may end anywhere. With a terminal the payload comes bare. When time stamps were asked
for every stored piece of a long line begins with one, so a piece that continues a line loses its stamp here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

HEADER = 8
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
STAMP_LENGTH = 31
STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
HEADS = {bytes([number, 0, 0, 0]): stream for number, stream in STREAMS.items()}


class FrameError(ValueError):
    """The bytes are not frames: a header that cannot be one."""


class RawLine(NamedTuple):
    """A line without its end, stamp still on it. ``truncated`` when it was longer than the cap."""

    stream: str
    content: bytes
    truncated: bool


@dataclass(slots=True)
class _Partial:
    """A line that has not ended yet, kept up to the cap."""

    content: bytearray = field(default_factory=bytearray)
    truncated: bool = False
    begun: bool = False

    def add(self, piece: bytes, cap: int) -> None:
        self.begun = True
        room = cap - len(self.content)
        self.content += piece[: max(0, room)]
        self.truncated = self.truncated or len(piece) > room

    def take(self, stream: str) -> RawLine:
        content, truncated = bytes(self.content), self.truncated
        self.content.clear()
        self.truncated = self.begun = False
        return RawLine(stream, content.removesuffix(b"\r"), truncated)


class LineSplitter:
    """Feed it payload of one source; it gives whole lines, each stream by itself."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._partial: dict[str, _Partial] = {}

    def continues(self, stream: str) -> bool:
        """Whether the next payload of this stream continues a line."""
        partial = self._partial.get(stream)
        return partial is not None and partial.begun

    def feed(self, stream: str, payload: bytes) -> list[RawLine]:
        """The lines that this payload ends."""
        partial = self._partial.setdefault(stream, _Partial())
        pieces = payload.split(b"\n")
        lines: list[RawLine] = []
        for piece in pieces[:-1]:
            partial.add(piece, self.cap)
            lines.append(partial.take(stream))
        if pieces[-1]:
            if not partial.begun:  # so that what never ends is told in the order it began
                self._partial[stream] = self._partial.pop(stream)
            partial.add(pieces[-1], self.cap)
        return lines

    def rest(self) -> list[RawLine]:
        """Lines that never ended, when the source did."""
        return [partial.take(stream) for stream, partial in self._partial.items() if partial.begun]


class ByteCollector:
    """Takes payload as it is, up to a cap for both streams together, and gives no lines."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._room = cap
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        self.clipped = False

    def continues(self, stream: str) -> bool:
        """Nothing here is a line."""
        return False

    def feed(self, stream: str, payload: bytes) -> list[RawLine]:
        """Keep what there is room for."""
        self.clipped = self.clipped or len(payload) > self._room
        self._kept[stream] += payload[: self._room]
        self._room = max(0, self._room - len(payload))
        return []

    def rest(self) -> list[RawLine]:
        """Nothing: see ``kept``."""
        return []

    def kept(self, stream: str) -> bytes:
        """What one stream wrote."""
        return bytes(self._kept[stream])


class FrameSplitter:
    """Feed it chunks as they come; it gives the lines of both streams in the order they end."""

    def __init__(self, sink: LineSplitter | ByteCollector, *, terminal: bool = False, stamped: bool = True) -> None:
        self._lines = sink
        self._terminal = terminal
        self._stamped = stamped
        self._pending = b""
        self._stream = "stdout"
        self._left = 0

    def feed(self, chunk: bytes) -> list[RawLine]:
        """The lines that this chunk ends. FrameError when the bytes cannot be frames."""
        if self._terminal:
            return self._lines.feed("stdout", chunk)
        data, at, lines = self._pending + chunk, 0, list[RawLine]()
        while at < len(data):
            if self._left == 0:
                at, whole = self._whole_lines(data, at)
                lines += whole
                begun = self._begin(data, at)
                if begun is None:
                    break
                at = begun
            payload = data[at : at + self._left]
            at += len(payload)
            self._left -= len(payload)
            lines += self._lines.feed(self._stream, payload)
        self._pending = data[at:]
        return lines

    def _whole_lines(self, data: bytes, at: int) -> tuple[int, list[RawLine]]:
        """The run of frames at ``at`` that hold exactly one line each, which nearly all do: the same result, sooner."""
        lines: list[RawLine] = []
        if not self._stamped or self._lines.continues("stdout") or self._lines.continues("stderr"):
            return at, lines
        size, cap = len(data), self._lines.cap
        while at + HEADER < size:
            stream = HEADS.get(data[at : at + 4])
            start = at + HEADER
            end = start + int.from_bytes(data[at + 4 : start], "big")
            if stream is None or not start < end <= min(size, start + cap) or data.find(b"\n", start, end) != end - 1:
                break
            lines.append(RawLine(stream, data[start : end - 1].removesuffix(b"\r"), False))
            at = end
        return at, lines

    def _begin(self, data: bytes, at: int) -> int | None:
        """Read the header at ``at`` (and drop a continuation's stamp); where the payload begins, None when more is needed."""
        if len(data) - at < HEADER:
            return None
        kind, length = data[at], int.from_bytes(data[at + 4 : at + HEADER], "big")
        if kind not in STREAMS or data[at + 1 : at + 4] != b"\0\0\0":
            raise FrameError(f"not a frame header: {data[at : at + HEADER]!r}")
        stream, start = STREAMS[kind], at + HEADER
        if self._stamped and self._lines.continues(stream) and length >= STAMP_LENGTH:
            if len(data) - start < STAMP_LENGTH:
                return None
            stamp = STAMP.match(data, start)
            if stamp:
                start, length = stamp.end(), length - STAMP_LENGTH
        self._stream, self._left = stream, length
        return start

    def rest(self) -> list[RawLine]:
        """What is left when the source has ended. FrameError when it ended inside a frame."""
        if self._left or self._pending:
            raise FrameError("the source ended inside a frame")
        return self._lines.rest()
