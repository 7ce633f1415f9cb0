"""The engine's bytes of a log into chunks of whole frames, and from where to ask it for what comes next. Knows no transport."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from struct import Struct

from bot.ops.container_frames import HEADER, FrameError
from bot.ops.log_anchor import RECENT, RECENT_BYTES, Anchor, Stamped, anchor, digest
from bot.ops.log_chunks import FrameChunk
from bot.ops.log_position import LogPosition

FRAME_CAP = 8 << 20
_HEADER = Struct(">II")
_KINDS = frozenset({0, 1 << 24, 2 << 24})


class FrameChunker:
    """Feed it bytes as they come."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> FrameChunk | None:
        """The frames that are whole now. FrameError when the bytes cannot be frames."""
        if self._pending:
            data = self._pending + data
        at, size, starts = 0, len(data) - HEADER, list[int]()
        read, kinds, add = _HEADER.unpack_from, _KINDS, starts.append
        while at <= size:
            kind, length = read(data, at)
            if kind not in kinds or length > FRAME_CAP:
                raise FrameError(f"not a frame header: {data[at : at + HEADER]!r}")
            end = at + HEADER + length
            if end > size + HEADER:
                break
            add(at)
            at = end
        self._pending = data[at:]
        if not starts:
            return None
        add(at)
        return FrameChunk(data[:at], starts)

    def close(self) -> None:
        """FrameError when the source ended inside a frame."""
        if self._pending:
            raise FrameError("the source ended inside a frame")


class Recent:
    """The newest frames seen."""

    def __init__(self) -> None:
        self._chunks = deque[FrameChunk]()
        self._later = self._later_bytes = 0  # frames and bytes behind the first chunk

    def add(self, chunk: FrameChunk) -> None:
        """The next chunk. Old ones are let go."""
        self._chunks.append(chunk)
        if len(self._chunks) > 1:
            self._count(chunk, 1)
        while self._later >= RECENT or self._later_bytes >= RECENT_BYTES:
            self._chunks.popleft()
            self._count(self._chunks[0], -1)

    def _count(self, chunk: FrameChunk, sign: int) -> None:
        self._later += sign * (len(chunk.starts) - 1)
        self._later_bytes += sign * chunk.size

    def anchor(self) -> Anchor | None:
        """Behind the newest frame; None when there was none."""
        return anchor([frame for chunk in self._chunks for frame in frames_of(chunk)][-RECENT:])


def frames_of(chunk: FrameChunk) -> list[Stamped]:
    """Each frame with its stamp."""
    data, found = chunk.data, list[Stamped]()
    for start in chunk.starts[:-1]:
        header, end = chunk.frame(start)
        found.append(Stamped(data[header + HEADER : header + HEADER + 30], data[header:end]))
    return found


class Resume:
    """Passes over what was read before ``after``; ``gap`` when that was no longer all there.

    ``whole`` says that the engine was asked for everything since then. Asked for its newest entries only, ``missed`` turns true
    when these begin too late, and nothing is given.
    """

    def __init__(self, after: LogPosition | None, *, whole: bool = True) -> None:
        self._whole = whole
        self._after = after
        self._held: list[Stamped] = []
        self.gap = False
        self.missed = False

    def fresh(self, chunk: FrameChunk) -> FrameChunk | None:
        """The part of the chunk that is new; None when there is none, or it is not known yet."""
        if self._after is None:
            return chunk
        self._held += frames_of(chunk)
        return self._decided() if len(self._held) >= self._after.seen else None

    def rest(self) -> FrameChunk | None:
        """The same when nothing more comes."""
        return self._decided() if self._after is not None else None

    def _decided(self) -> FrameChunk | None:
        after, held = self._after, self._held
        self._after, self._held = None, []
        if after is None:
            return None
        seen, last = after.seen, after.last.encode()
        if seen and len(held) >= seen and digest(held[:seen]) == after.seen_mark:
            return _joined(held[seen:])
        if not self._whole:
            self.missed = True
            return None
        self.gap = bool(last) and not any(each.stamp <= last for each in held)
        return _joined([each for each in held if each.stamp > last])


def _joined(frames: Sequence[Stamped]) -> FrameChunk | None:
    if not frames:
        return None
    starts = [0]
    for each in frames:
        starts.append(starts[-1] + len(each.frame))
    return FrameChunk(b"".join(each.frame for each in frames), starts)
