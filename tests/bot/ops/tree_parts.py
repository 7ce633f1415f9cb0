"""What the tests of snapshots share: a tree like VCC's uploads with odd names in it, and how a tree looks."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.ops.snapshot_restore import VCC_OWNER, PutBack, Restore
from bot.ops.tree_values import Snapshot, Stopping, never

OLD = 1_769_040_000
Look = dict[bytes, tuple[int, int, bytes | None]]


def memory() -> Iterator[Path]:
    """A directory in memory where the machine has that: these tests sync often, and nobody's disk is to wait for that."""
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if os.access(place, os.W_OK) else None) as directory:
        yield Path(directory)


def fill(tree: Path, *, each: int = 4) -> Path:
    """Files in every directory that VCC has, names that are odd but possible, an empty directory."""
    for kind in ("generated", "reference", "videos"):
        (tree / kind).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            write(tree / kind / f"{kind}_{OLD}{number}_0.png", f"{kind} {number} ".encode() * (number * 50))
    odd = os.fsencode(tree / "reference")
    for name in (b"line\nbreak.png", b"not utf8 \xff\xfe.png", '한글 \U0001f600 "quoted" \\.png'.encode()):
        write(Path(os.fsdecode(odd + b"/" + name)), name)
    (tree / "generated" / "deep" / "er").mkdir(parents=True)
    write(tree / "generated" / "deep" / "er" / "x.png", b"x" * 100_000)
    write(tree / "generated.txt", b"sorts between a directory and what is in it")
    (tree / "empty").mkdir()
    write(tree / ".gitkeep", b"")
    return tree


def write(path: Path, content: bytes, at: float = OLD) -> None:
    """A file as if written long ago."""
    path.write_bytes(content)
    os.utime(path, (at, at))


def touch_now(path: Path, content: bytes) -> None:
    """Change a file."""
    write(path, content, time.time() - 60)


def look(tree: Path) -> Look:
    """Everything below: mode, time, content; a directory has no content, and its time is left out."""
    found: Look = {}
    root = os.fsencode(tree)
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)  # noqa: PTH118 - bytes
            status = os.lstat(path)
            is_file = stat.S_ISREG(status.st_mode)
            content = Path(os.fsdecode(path)).read_bytes() if is_file else None
            found[os.path.relpath(path, root)] = (status.st_mode, status.st_mtime_ns if is_file else 0, content)
    return found


def put_back(snapshot: Snapshot, live: Path, mark: str, *, owner: tuple[int, int] = VCC_OWNER, cancelled: Stopping = never) -> PutBack:
    """Build and swap, as a restore does one after the other."""
    with Restore(live, mark) as restore:
        result = restore.build(snapshot, owner, stopping=cancelled)
        restore.finish()
        return result
