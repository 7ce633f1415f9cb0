"""What goes wrong with the files of a dump, in our words: damaged, unreadable, no room for them. Knows no server."""

from __future__ import annotations

import contextlib
import errno
import zlib
from collections.abc import Iterator

from bot.errors import OutsideError
from bot.ops.bounded import describe
from bot.plain_text import harmless

SYSTEM = "backup"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Damaged(OutsideError):
    """A file of a dump is not what a dump holds. ``offset`` is the byte where the first fault begins (of the unpacked content)."""

    def __init__(self, name: str, offset: int, reason: str) -> None:
        super().__init__("dump.damaged", system=SYSTEM, detail=f"{name} at {offset}: {reason}", name=harmless(name)[:120], offset=offset)
        self.name = name
        self.offset = offset
        self.reason = reason


class NoSpace(OutsideError):
    """The disk that a dump is written to is full."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("dump.no_space", system=SYSTEM, detail=detail)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """What the file system throws at a writer leaves in our words."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(describe(error)) from error
        raise OutsideError("dump.unwritable", system=SYSTEM, detail=describe(error)) from error


@contextlib.contextmanager
def reading(name: str, offset: int = 0) -> Iterator[None]:
    """What the file system or the unpacking throws at a reader leaves in our words."""
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise Damaged(name, offset, describe(error)) from error
    except OSError as error:
        # A damaged gzip file is an OSError without a number.
        if error.errno is None:
            raise Damaged(name, offset, describe(error)) from error
        raise OutsideError("dump.unreadable", system=SYSTEM, detail=describe(error), name=harmless(name)[:120]) from error
