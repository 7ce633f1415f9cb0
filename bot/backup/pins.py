"""Marks beside the backups: which one is being restored from, so that nothing removes it, also after a crash of whoever restores."""

from __future__ import annotations

from pathlib import Path

from bot.ops.dump_faults import writing

_MARK = ".restoring-"


def pin(directory: Path, identity: str) -> None:
    """Keep this backup until ``unpin``."""
    with writing():
        (directory / f"{_MARK}{identity}").touch(mode=0o600)


def unpin(directory: Path, identity: str) -> None:
    """It is not needed any more."""
    with writing():
        (directory / f"{_MARK}{identity}").unlink(missing_ok=True)


def pinned(directory: Path) -> frozenset[str]:
    """The backups that are being restored from."""
    return frozenset(entry.name.removeprefix(_MARK) for entry in directory.glob(f"{_MARK}*"))
