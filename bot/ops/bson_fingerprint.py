"""A fingerprint of many documents that does not depend on their order: equal fingerprints, equal documents.

Each document's hash is of its raw bytes, and the hashes are added up. Knows nothing of where the documents come from.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from bot.ops.bson_frames import documents
from bot.ops.dump_open import pieces

_BYTES = 16
_MODULUS = 1 << (8 * _BYTES)
# A document begins with its length; behind it stands, as a rule, its ``_id``.
_ID = slice(4, 36)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``documents`` and ``bytes`` are of all documents; ``digest`` of the ``sampled`` ones, about one in ``sample``."""

    documents: int
    bytes: int
    sampled: int
    digest: str
    sample: int = 1


class Fingerprinter:
    """Takes documents in any order. One in ``sample`` is hashed, chosen by its first bytes, so that both sides choose alike."""

    def __init__(self, sample: int = 1) -> None:
        self._sample = sample
        self._documents = self._bytes = self._sampled = self._sum = 0

    def add(self, data: bytes) -> None:
        """Take in the whole documents in ``data``."""
        count, total = 0, 0
        chosen = 0
        for document in documents(data):
            count += 1
            if self._sample > 1 and zlib.crc32(document[_ID]) % self._sample:
                continue
            chosen += 1
            total += int.from_bytes(hashlib.blake2b(document, digest_size=_BYTES).digest(), "little")
        self._documents += count
        self._bytes += len(data)
        self._sampled += chosen
        self._sum = (self._sum + total) % _MODULUS

    def result(self) -> Fingerprint:
        """The fingerprint of what was taken in so far."""
        return Fingerprint(self._documents, self._bytes, self._sampled, f"{self._sum:032x}", self._sample)


def fingerprint_file(path: Path, sample: int = 1) -> Fingerprint:
    """The fingerprint of a file of a dump. Blocks: call it in a thread."""
    taken = Fingerprinter(sample)
    for piece, _ in pieces(path):
        taken.add(piece)
    return taken.result()
