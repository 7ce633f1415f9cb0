"""A snapshot that came back from elsewhere as files only gets its directories, owners and times again, from its own index.

Blocks: run it in a thread. Proves nothing: that is for ``snapshot_verify``.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.ops.dump_faults import writing
from bot.ops.tree_copy import sync_file_system
from bot.ops.tree_index import Entry, entries
from bot.ops.tree_values import Snapshot


def dress(snapshot: Snapshot) -> None:
    """Nothing is followed out of the tree: it holds no link, and a name of the index that leads elsewhere is a TreeFault."""
    with writing():
        snapshot.tree.mkdir(exist_ok=True)
        snapshot.tree.chmod(stat.S_IRWXU)
        for entry in _directories(snapshot):
            # A file in its place is for whoever proves the tree to tell.
            with contextlib.suppress(FileExistsError, NotADirectoryError):
                (snapshot.tree / entry.path).mkdir(mode=0o700, parents=True, exist_ok=True)
        _owners(snapshot)
        for entry in _directories(snapshot):
            path = snapshot.tree / entry.path
            if path.is_dir():
                path.chmod(entry.mode | stat.S_IRWXU)
                os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
        _sync(snapshot.tree)


def _directories(snapshot: Snapshot) -> Iterator[Entry]:
    return (entry for entry in entries(snapshot.index) if entry.is_directory)


def _owners(snapshot: Snapshot) -> None:
    """Only root can give files away; for all others they stay who fetched them, and a restore gives them their owner."""
    if os.geteuid() != 0:
        return
    for entry in entries(snapshot.index):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            os.chown(snapshot.tree / entry.path, entry.uid, entry.gid, follow_symlinks=False)


def _sync(tree: Path) -> None:
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_file_system(descriptor)
    finally:
        os.close(descriptor)
