"""A body in HTTP's chunks into the body. Knows nothing of what is in it."""

from __future__ import annotations


class Dechunker:
    """Feed it a body in HTTP's chunks; it gives the body. ``ended`` after the last chunk. ValueError when it is no such body."""

    def __init__(self) -> None:
        self.ended = False
        self._pending = b""
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """What these bytes hold of the body."""
        if self._pending:
            data, self._pending = self._pending + data, b""
        at, size, parts = 0, len(data), list[bytes]()
        while at < size and not self.ended:
            if not self._left:
                at = _small_chunks(data, at, parts)
                at, begun = self._begin(data, at)
                if not begun:
                    self._pending = data[at:]
                    break
            end = at + self._left
            if end <= size:  # the whole chunk with its line end
                parts.append(data[at : end - 2])
                at, self._left = end, 0
                continue
            parts.append(data[at : min(size, end - 2)])
            self._left, at = end - max(at, min(size, end - 2)), min(size, end - 2)
            if self._left <= 2:
                self._pending = data[at:]
            break
        return b"".join(parts)

    def _begin(self, data: bytes, at: int) -> tuple[int, bool]:
        """Read a chunk's size; where the chunk begins, and whether the size was all there."""
        end = data.find(b"\r\n", at, at + 128)
        if end < 0:
            if len(data) - at >= 128:
                raise ValueError("not a chunk")
            return at, False
        size = int(data[at:end].partition(b";")[0], 16)
        self.ended = size == 0
        self._left = size + 2
        return end + 2, True


# The engine makes one chunk of each line: what such a chunk begins with, and how long it is.
_SMALL = {f"{size:x}\r\n".encode(): size for size in range(0x10, 0x1000)}


def _small_chunks(data: bytes, at: int, parts: list[bytes]) -> int:
    """Take the run of whole small chunks at ``at``, which nearly all are: the same result, sooner. Where it ends."""
    length, add, size = _SMALL.get, parts.append, len(data) - 2
    while True:
        begin, count = at + 5, length(data[at : at + 5])
        if count is None:
            begin, count = at + 4, length(data[at : at + 4])
        if count is None or begin + count > size:
            return at
        at = begin + count
        add(data[begin:at])
        at += 2
