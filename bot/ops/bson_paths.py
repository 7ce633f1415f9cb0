"""The files that documents of a dump point to: read from its ``.bson`` files, a piece at a time. Knows no server and no file of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from bot.ops.dump_faults import Damaged
from bot.ops.dump_open import pieces

_LENIENT: CodecOptions[dict[str, Any]] = CodecOptions(
    unicode_decode_error_handler="replace", datetime_conversion=DatetimeConversion.DATETIME_MS
)


def paths_in(file: Path) -> Iterator[str]:
    """The ``path`` of each document that has one. Damaged where the file is not sound. Blocks: read it in a thread."""
    read = 0
    for piece, _ in pieces(file):
        try:
            documents = bson.decode_all(piece, _LENIENT)
        except BSONError as error:
            raise Damaged(file.name, read, "not a document") from error
        read += len(piece)
        yield from (path for path in (each.get("path") for each in documents) if isinstance(path, str))
