"""Documents of a dump made ready for the driver, undecoded. Knows what a server changes in a document when it is inserted.

Blocks: run it in a thread. Knows no server.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from bot.ops.bson_fingerprint import Fingerprinter
from bot.ops.bson_frames import documents

_ZERO = Timestamp(0, 0)
_MAY_BE_ZERO = re.compile(rb"\x11[^\x00]*\x00{9}")

Stream = Generator[tuple[str, bytes, int], None, None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents of one collection. ``stamped`` are those in which the server puts its own time, for a timestamp of zero."""

    collection: str
    documents: list[RawBSONDocument]
    bytes: int
    stamped: tuple[RawBSONDocument, ...] = ()


class Batches:
    """Takes the stream of a source apart into batches, and the fingerprint of each collection on the way."""

    def __init__(self, stream: Stream, collections: Iterable[str], sample: int) -> None:
        self._stream = stream
        self.taken = {name: Fingerprinter(sample) for name in collections}

    def next(self) -> Batch | None:
        """The next documents; None at the end."""
        piece = next(self._stream, None)
        if piece is None:
            return None
        name, data, _ = piece
        self.taken[name].add(data)
        found = [RawBSONDocument(each) for each in documents(data)]
        stamped = tuple(each for each in found if _is_stamped(each)) if _MAY_BE_ZERO.search(data) else ()
        return Batch(name, found, len(data), stamped)

    def close(self) -> None:
        """Close the file under the stream."""
        self._stream.close()


def replacement(document: RawBSONDocument) -> list[dict[str, Any]]:
    """An update that puts the document in as it is, zero timestamps too."""
    return [{"$replaceWith": {"$literal": document}}]


def _is_stamped(document: RawBSONDocument) -> bool:
    """Whether a field of the document itself (not deeper, and not its ``_id``) is a timestamp of zero."""
    if not _MAY_BE_ZERO.search(document.raw):
        return False
    return any(value == _ZERO for key, value in document.items() if key != "_id")
