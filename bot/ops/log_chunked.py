"""The engine's answer in HTTP's chunks into chunks of whole frames, without taking the wrapping off: nearly always one holds one frame.

Knows no transport. An answer that is cut in any other way, as by a proxy, is taken apart first: the same result, later.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from bot.ops.container_chunks import Dechunker
from bot.ops.container_frames import HEADER
from bot.ops.log_chunks import FrameChunk
from bot.ops.log_frames import FRAME_CAP, FrameChunker

_SMALL = range(0x10, 0x1000)
_KEY = 13
_HEAD = re.compile(rb"([1-9a-f][0-9a-f]{0,6})\r\n[\0-\2]\0\0\0(.{4})", re.DOTALL)
_HEAD_CAP = 7 + 2 + HEADER


class ChunkedFrames:
    """Feed it bytes as they come. ``ended`` after the last HTTP chunk. ValueError when it is no such body, or holds no frames."""

    def __init__(self) -> None:
        self.ended = False
        self._pending = b""
        self._apart: Dechunker | None = None
        self._frames = FrameChunker()

    def feed(self, data: bytes) -> list[FrameChunk]:
        """The frames that are whole now."""
        if self._apart is not None:
            return self._taken_apart(self._apart, data)
        data, at, starts = self._pending + data, 0, list[int]()
        while True:
            at = _small_ones(data, at, starts)
            step = _step(data, at)
            if not step:
                break
            starts.append(at)
            at += step
        found = [FrameChunk(data, [*starts, at], wrapped=True)] if starts else []
        if step == 0:
            self._pending = data[at:]
            return found
        self._apart = Dechunker()
        return found + self._taken_apart(self._apart, data[at:])

    def close(self) -> None:
        """FrameError when the source ended inside a frame."""
        self._frames.close()

    def _taken_apart(self, chunks: Dechunker, data: bytes) -> list[FrameChunk]:
        chunk = self._frames.feed(chunks.feed(data))
        self.ended = chunks.ended
        return [chunk] if chunk else []


def _small_ones(data: bytes, at: int, starts: list[int]) -> int:
    """Take the run of small chunks at ``at``: where it ends. One look tells a frame's stream, its length, and the next chunk's place."""
    step_of, add, size, key = _steps().get, starts.append, len(data), _KEY
    while step := step_of(data[at : at + key]):
        add(at)
        at += step
    return at if at <= size else starts.pop()


def _step(data: bytes, at: int) -> int | None:
    """How far it is from the chunk at ``at`` to the next; 0 when more is needed, None when it is not exactly one frame."""
    head = _HEAD.match(data, at)
    if head is None:
        return None if len(data) - at >= _HEAD_CAP or data.startswith(b"0", at) else 0
    size = int(head[1], 16)
    if size != HEADER + int.from_bytes(head[2], "big") or size > FRAME_CAP:
        return None
    step = len(head[1]) + 2 + size + 2
    return step if at + step <= len(data) else 0


@functools.cache
def _steps() -> Mapping[bytes, int]:
    """What a small chunk begins with, and how far it is to the next: its size, the frame's header, and the first digit of the year."""
    found = {}
    for size in _SMALL:
        for stream in (1, 2):
            wrapping = b"%x\r\n" % size
            header = bytes([stream, 0, 0, 0]) + (size - HEADER).to_bytes(4, "big")
            found[(wrapping + header + b"2")[:_KEY]] = len(wrapping) + size + 2
    return found
