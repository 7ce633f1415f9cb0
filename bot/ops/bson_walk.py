"""Proves that a file of BSON documents is well-formed, and names the byte of the first fault.

The driver's C decoder passes what is sound, a piece at a time; what it refuses, and documents too big to be unpacked, are
walked element by element. Knows nothing of what the documents mean.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from bot.ops.bson_frames import Read, documents, frames
from bot.ops.dump_faults import Damaged, reading
from bot.ops.dump_open import opened

# The server nests no deeper than 180.
DEEPEST = 200
_PIECE = 128 << 10
_TOO_BIG_TO_UNPACK = 1 << 20
_LENIENT: CodecOptions[dict[str, Any]] = CodecOptions(
    unicode_decode_error_handler="ignore", datetime_conversion=DatetimeConversion.DATETIME_MS
)
_INT = struct.Struct("<i").unpack_from
# Elements of a fixed size: double, undefined, ObjectId, bool, date, null, int32, timestamp, int64, decimal, min and max key.
_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0xFF: 0, 0x7F: 0}
_STRINGS = frozenset({0x02, 0x0D, 0x0E})
_NESTED = frozenset({0x03, 0x04})


@dataclass(frozen=True, slots=True)
class BsonCounts:
    """What a file holds."""

    documents: int
    bytes: int


def walk_bson(path: Path) -> BsonCounts:
    """Walk the whole file (``.gz`` is unpacked). Damaged with the offset of the first fault. Blocks: call it in a thread."""
    with reading(path.name), opened(path) as file:
        return walk(file.read, path.name)


def walk(read: Read, name: str) -> BsonCounts:
    """Walk a stream of documents to its end."""
    count = size = 0
    for piece, more in frames(read, name, _PIECE):
        if len(piece) > _TOO_BIG_TO_UNPACK or not _decodes(piece):
            _search(piece, name, size)
        count += more
        size += len(piece)
    return BsonCounts(count, size)


def fault(document: bytes) -> tuple[int, str] | None:
    """(offset, reason) of the first thing in the document that is not BSON; None when it is well-formed."""
    try:
        _Walk(document).run()
    except _Fault as found:
        return found.at, found.reason
    return None


def _decodes(piece: bytes) -> bool:
    try:
        bson.decode_all(piece, _LENIENT)
    except (BSONError, RecursionError):
        return False
    return True


def _search(piece: bytes, name: str, base: int) -> None:
    for document in documents(piece):
        found = fault(document)
        if found is not None:
            raise Damaged(name, base + found[0], found[1])
        base += len(document)


class _Fault(Exception):
    """Where the walk stopped, and why."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(at, reason)
        self.at = at
        self.reason = reason


class _Walk:
    """One document, element by element, without recursion. ``_ends`` are the ends of the documents that stand open."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._ends: list[int] = []

    def run(self) -> None:
        self._open()
        if self._ends[0] != len(self._data):
            raise _Fault(0, "a document is not as long as it says")
        while self._ends:
            self._element()

    def _element(self) -> None:
        kind = self._data[self._at]
        if kind == 0:
            if self._at != self._ends[-1] - 1:
                raise _Fault(self._at, "a document ends too early")
            self._ends.pop()
            self._at += 1
            return
        started = self._at
        self._at += 1
        self._text()
        if kind in _FIXED:
            self._fixed(kind)
        elif kind in _STRINGS:
            self._string()
        elif kind in _NESTED:
            self._open()
        else:
            self._rare(kind, started)

    def _limit(self) -> int:
        """The last byte of the innermost open document, which is its own end mark."""
        return self._ends[-1] - 1

    def _skip(self, count: int, reason: str = "a value is cut off") -> None:
        if self._at + count > self._limit():
            raise _Fault(self._at, reason)
        self._at += count

    def _fixed(self, kind: int) -> None:
        if kind == 0x08 and self._at < self._limit() and self._data[self._at] > 1:
            raise _Fault(self._at, "a boolean is neither true nor false")
        self._skip(_FIXED[kind])

    def _text(self) -> None:
        end = self._data.find(0, self._at, self._limit())
        if end < 0:
            raise _Fault(self._at, "a name has no end")
        self._at = end + 1

    def _number(self) -> int:
        at = self._at
        self._skip(4)
        value: int = _INT(self._data, at)[0]
        return value

    def _string(self) -> None:
        at = self._at
        length = self._number()
        if length < 1:
            raise _Fault(at, "a text of no length")
        self._skip(length, "a text is longer than its document")
        if self._data[self._at - 1]:
            raise _Fault(self._at - 1, "a text has no end")

    def _open(self) -> None:
        at = self._at
        limit = self._limit() if self._ends else len(self._data)
        if at + 4 > limit:
            raise _Fault(at, "a document is cut off")
        length: int = _INT(self._data, at)[0]
        if length < 5 or at + length > limit:
            raise _Fault(at, "a document inside is longer than the one around it")
        if self._data[at + length - 1]:
            raise _Fault(at + length - 1, "a document has no end")
        if len(self._ends) >= DEEPEST:
            raise _Fault(at, "nested too deep")
        self._ends.append(at + length)
        self._at = at + 4

    def _rare(self, kind: int, started: int) -> None:
        """Binary, regular expression, DBPointer, code with scope; anything else is no type at all."""
        if kind == 0x05:
            self._binary()
        elif kind == 0x0B:
            self._text()
            self._text()
        elif kind == 0x0C:
            self._string()
            self._skip(12)
        elif kind == 0x0F:
            self._code_with_scope()
        else:
            raise _Fault(started, f"no such type: {kind:#x}")

    def _binary(self) -> None:
        at = self._at
        length = self._number()
        if length < 0:
            raise _Fault(at, "binary data of no length")
        self._skip(1)
        inside = self._at
        self._skip(length, "binary data is longer than its document")
        if self._data[inside - 1] == 2 and (length < 4 or _INT(self._data, inside)[0] != length - 4):
            raise _Fault(inside, "old binary data is not as long as it says")

    def _code_with_scope(self) -> None:
        at = self._at
        length = self._number()
        self._string()
        self._open()
        if self._ends[-1] != at + length:
            raise _Fault(at, "code with scope is not as long as it says")
