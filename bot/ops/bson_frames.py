"""A stream of BSON documents cut at their length prefixes: nothing is decoded, memory stays bounded whatever the lengths claim.

Knows only the frame of a document (its length and its last byte), not what is inside.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from bot.ops.dump_faults import Damaged, reading

# The server's limit for a document, with the room it grants itself for its own.
LARGEST = (16 << 20) + (16 << 10)
SMALLEST = 5
BLOCK = 1 << 20
_LENGTH = struct.Struct("<I").unpack_from

Read = Callable[[int], bytes]


def length_at(data: bytes | bytearray, at: int, name: str, base: int) -> int:
    """The length of the document at ``at``. Damaged when no document is so long."""
    length: int = _LENGTH(data, at)[0]
    if not SMALLEST <= length <= LARGEST:
        raise Damaged(name, base + at, f"a document of {length} bytes")
    return length


def whole(data: bytes | bytearray, name: str, base: int) -> tuple[int, int]:
    """(end of the last whole document in ``data``, how many there are). ``base`` is where ``data`` stands in the stream."""
    at, count, end = 0, 0, len(data)
    while at + 4 <= end:
        after = at + length_at(data, at, name, base)
        if after > end:
            break
        if data[after - 1]:
            raise Damaged(name, after - 1 + base, "a document does not end where it says")
        at = after
        count += 1
    return at, count


def frames(read: Read, name: str, block: int = BLOCK) -> Iterator[tuple[bytes, int]]:
    """(bytes of whole documents, how many) until the end. Damaged at a wrong length, or when the last document is cut off."""
    rest, base = bytearray(), 0
    while True:
        with reading(name, base + len(rest)):
            more = read(block)
        if not more:
            break
        rest += more
        end, count = whole(rest, name, base)
        if count:
            yield bytes(rest[:end]), count
            del rest[:end]
            base += end
    if rest:
        raise Damaged(name, base, "cut off in the middle of a document")


def documents(data: bytes) -> Iterator[bytes]:
    """Each document in ``data``, which holds whole documents only."""
    at, end = 0, len(data)
    while at < end:
        after = at + _LENGTH(data, at)[0]
        yield data[at:after]
        at = after
