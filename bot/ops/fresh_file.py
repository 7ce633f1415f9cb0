"""A new private file that gets its name only when it is whole and on disk. Blocks: run it in a thread. Knows nothing of its content."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bot.ops.dump_faults import Damaged, writing

PART = ".part"


class Measured:
    """Writes on to ``handle`` and knows how much and what it was. Damaged when it would be more than ``limit`` bytes."""

    def __init__(self, handle: BinaryIO, name: str, limit: int) -> None:
        self._handle = handle
        self._name = name
        self._limit = limit
        self._hash = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """Of all that was written, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> int:
        """Write all of it."""
        if self.bytes + len(chunk) > self._limit:
            raise Damaged(self._name, self._limit, "longer than it may be")
        with writing():
            self._handle.write(chunk)
        self._hash.update(chunk)
        self.bytes += len(chunk)
        return len(chunk)

    def flush(self) -> None:
        """Hand it to the operating system."""
        with writing():
            self._handle.flush()

    def again(self) -> None:
        """Forget what was written: begin anew."""
        with writing():
            self._handle.seek(0)
            self._handle.truncate()
        self._hash = hashlib.sha256()
        self.bytes = 0


@contextlib.contextmanager
def fresh(path: Path, *, limit: int) -> Iterator[Measured]:
    """A file of mode 0600 at ``path``, where none is yet, once the block is left without a failure; else nothing."""
    part = path.with_name(path.name[:200] + PART)
    with writing():
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    whole = False
    try:
        with os.fdopen(descriptor, "wb") as handle:
            measured = Measured(handle, path.name, limit)
            yield measured
            measured.flush()
            with writing():
                os.fsync(handle.fileno())
        with writing():
            part.rename(path)
        whole = True
    finally:
        if not whole:
            with contextlib.suppress(OSError):
                part.unlink()
