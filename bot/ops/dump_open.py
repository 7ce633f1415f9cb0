"""Opens a file of a dump for reading, packed or not; only a regular file, never through a link. Of its content it knows the frames."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from bot.ops.bson_frames import frames
from bot.ops.dump_faults import Damaged, reading

_GZIP = b"\x1f\x8b"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The unpacked content: what begins as gzip does is unpacked (no BSON document and no archive begins so).

    Damaged for what is no regular file; OSError from the file system.
    """
    # Not waiting for a writer, should it be a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as raw:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Damaged(path.name, 0, "not a regular file")
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if not packed:
            yield cast("BinaryIO", raw)
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
            yield cast("BinaryIO", unpacked)


def pieces(path: Path) -> Iterator[tuple[bytes, int]]:
    """(bytes of whole documents, how many) of a ``.bson`` file, to its end."""
    with reading(path.name), opened(path) as file:
        yield from frames(file.read, path.name)
