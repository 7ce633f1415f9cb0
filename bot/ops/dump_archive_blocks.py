"""The low-level form of mongodump's archive: documents one behind the other, and a mark where a block of them ends.

Knows nothing of what the documents say; memory stays bounded whatever their lengths claim.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import bson
from bson.errors import BSONError

from bot.ops.bson_frames import BLOCK, Read, length_at
from bot.ops.dump_faults import Damaged, reading

_END = 0xFFFFFFFF
_LENGTH = struct.Struct("<I").unpack_from
_LONGEST_HEADER = 64 << 10


class Blocks:
    """Reads forward; ``offset`` is where in the (unpacked) archive. Damaged at the first thing that is no block."""

    def __init__(self, read: Read, name: str) -> None:
        self._read = read
        self._name = name
        self._buffer = bytearray()
        self._base = 0

    @property
    def offset(self) -> int:
        """The first byte that was not taken yet."""
        return self._base

    def take(self, count: int) -> bytes:
        """The next bytes, fewer at the end."""
        while len(self._buffer) < count and self._fill():
            pass
        taken = bytes(self._buffer[:count])
        self._drop(len(taken))
        return taken

    def document(self) -> dict[str, Any] | None:
        """A block's header, decoded; None at the end of the archive."""
        head = self.take(4)
        if not head:
            return None
        length = length_at(head, 0, self._name, self._base - 4) if len(head) == 4 else 0
        if not 0 < length <= _LONGEST_HEADER:
            raise Damaged(self._name, self._base - len(head), "no header of a block")
        data = head + self.take(length - 4)
        try:
            found: dict[str, Any] = bson.decode(data)
        except (BSONError, RecursionError) as error:
            raise Damaged(self._name, self._base - len(data), "the header of a block is not BSON") from error
        return found

    def body(self) -> Iterator[tuple[bytes, int]]:
        """(bytes of whole documents, how many) up to the block's end mark, which is taken too."""
        while True:
            size, count, ended = self._whole()
            if count:
                data = bytes(self._buffer[:size])
                self._drop(size)
                yield data, count
            if ended:
                self._drop(4)
                return
            if not self._fill():
                raise Damaged(self._name, self._base, "cut off in the middle of a block")

    def _whole(self) -> tuple[int, int, bool]:
        """(bytes, documents) that stand whole in the buffer, and whether the end mark is next."""
        data, at, count, end = self._buffer, 0, 0, len(self._buffer)
        while at + 4 <= end:
            if _LENGTH(data, at)[0] == _END:
                return at, count, True
            after = at + length_at(data, at, self._name, self._base)
            if after > end:
                break
            if data[after - 1]:
                raise Damaged(self._name, self._base + after - 1, "a document does not end where it says")
            at = after
            count += 1
        return at, count, False

    def _fill(self) -> bool:
        with reading(self._name, self._base):
            more = self._read(BLOCK)
        self._buffer += more
        return bool(more)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._base += count
