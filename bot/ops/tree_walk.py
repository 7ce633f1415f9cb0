"""Names of a directory in the order of their bytes, and directories opened without ever following a link. Knows no snapshot.

Directories are open descriptors throughout, so whoever swaps one for a link meanwhile leads nobody out of the tree.
"""

from __future__ import annotations

import errno
import heapq
import os
import stat
import tempfile
from collections.abc import Iterator
from typing import IO

from bot.ops.tree_values import Remark, TreeFault, reading

# Above this many names a directory is sorted on disk, so that memory stays bounded.
RUN = 200_000
DEEPEST = 64
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_THAT = frozenset({errno.ELOOP, errno.ENOTDIR})


def open_root(path: str | os.PathLike[str]) -> int:
    """A descriptor of the tree's root. Its own path may be a link: it comes from the settings."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def open_below(parent: int, name: str) -> int | None:
    """A descriptor of a directory in ``parent``; None when it is gone, or is no directory any more."""
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _NOT_THAT:
            return None
        raise


def status_of(parent: int, name: str) -> os.stat_result | None:
    """What stands under a name, links not followed; None when nothing does."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def names_of(directory: int) -> list[str]:
    """All names in an open directory, in no order; only for directories known to be small."""
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def not_too_deep(depth: int, name: str) -> None:
    """Each level takes descriptors: TreeFault when there are absurdly many."""
    if depth > DEEPEST:
        raise TreeFault("snapshot.too_deep", name)


def remark_on(mode: int) -> Remark:
    """What is said of something that is neither a file nor a directory."""
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISFIFO(mode):
        return "fifo"
    if stat.S_ISSOCK(mode):
        return "socket"
    return "device" if stat.S_ISBLK(mode) or stat.S_ISCHR(mode) else "special"


def sorted_names(directory: int, path: str, run: int = RUN) -> Iterator[str]:
    """The directory's names by their bytes; of a large one, sorted pieces wait in temporary files. ``path`` is for the error."""
    names: list[str] = []
    spilled: list[IO[bytes]] = []
    try:
        with reading(path), os.scandir(directory) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) >= run:
                    spilled.append(_spilled(names))
                    names = []
        names.sort(key=os.fsencode)
        if not spilled:
            yield from names
            return
        pieces = [_read(file) for file in spilled]
        for name in heapq.merge(*pieces, map(os.fsencode, names)):
            yield os.fsdecode(name)
    finally:
        for file in spilled:
            file.close()


def _spilled(names: list[str]) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it
    for name in sorted(map(os.fsencode, names)):
        # A name holds no slash, and no zero either, but lines are what a file is read by.
        file.write(name.replace(b"\n", b"/") + b"\n")
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[bytes]:
    return (line[:-1].replace(b"/", b"\n") for line in file)
