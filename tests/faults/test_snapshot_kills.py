"""SIGKILL before every step of taking, putting back, undoing, settling and removing: nothing is lost, and there is always a way on."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.ops.snapshot import take
from bot.ops.snapshot_remove import finish_removals, remove
from bot.ops.snapshot_restore import Restore
from bot.ops.snapshot_verify import verify
from bot.ops.tree_values import Snapshot, TreeFault
from tests.bot.ops.tree_parts import look, put_back, write
from tests.faults.programs import processes

MOST_POINTS = 200
LATER = 1_769_050_000
OWNER = (os.geteuid(), os.getegid())
_STEPS = ("mkdir", "rename", "unlink", "rmdir", "link", "write", "fsync", "fchmod")


def _fatal(name: str, fatal: int, passed: list[int]) -> None:
    real = getattr(os, name)

    def step(*arguments: object, **options: object) -> object:
        passed[0] += 1
        if passed[0] == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(os, name, step)


def _victim(home: Path, action: str, fatal: int) -> None:
    passed = [0]
    for name in _STEPS:
        _fatal(name, fatal, passed)
    ACTIONS[action](home)


def _undo(home: Path) -> None:
    with Restore(home / "live", "r") as restore:
        restore.undo()


def _settle(home: Path) -> None:
    with Restore(home / "live", "r") as restore:
        restore.settle()


ACTIONS: dict[str, Callable[[Path], object]] = {
    "take": lambda home: take(home / "live", home / "backups" / "2" / "uploads", Snapshot(home / "backups" / "1" / "uploads")),
    "put_back": lambda home: put_back(Snapshot(home / "backups" / "1" / "uploads"), home / "live", "r", owner=OWNER),
    "undo": _undo,
    "settle": _settle,
    "remove": lambda home: remove(home / "backups" / "1", home / "backups"),
}


def killed(home: Path, action: str, fatal: int) -> bool:
    """Do it in a process that dies at this step; False when it never came to it."""
    process = processes.Process(target=_victim, args=(home, action, fatal))
    process.start()
    process.join(30)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL), (action, fatal, code)
    return code != 0


def scene(home: Path) -> Snapshot:
    """A live tree, and a backup ``1`` of it as it was before every kind of change."""
    live = home / "live"
    (live / "generated").mkdir(parents=True)
    write(live / "generated" / "kept.png", b"kept")
    write(live / "generated" / "changed.png", b"before")
    write(live / "gone.png", b"gone")
    (home / "backups" / "1").mkdir(parents=True)
    (home / "backups" / "2").mkdir()
    snapshot = Snapshot(home / "backups" / "1" / "uploads")
    take(live, snapshot.tree)
    write(live / "generated" / "changed.png", b"after", LATER)
    (live / "gone.png").unlink()
    (live / "new").mkdir()
    write(live / "new" / "new.png", b"new")
    return snapshot


def points(place: Path, action: str, least: int, check: Callable[[Path, Snapshot], None], prepare: Callable[[Path], object]) -> None:
    """The same scene again and again, killed one step later each time, and checked."""
    for fatal in range(1, MOST_POINTS):
        home = place / str(fatal)
        snapshot = scene(home)
        prepare(home)
        died = killed(home, action, fatal)
        check(home, snapshot)
        if not died:
            assert fatal > least
            return
        shutil.rmtree(home)
    raise AssertionError("it never ended")


def nothing(_: Path) -> None:
    """No preparation."""


def test_a_snapshot_killed_anywhere_harms_neither_the_source_nor_the_one_before(place: Path) -> None:
    def check(home: Path, snapshot: Snapshot) -> None:
        assert verify(snapshot).faults == 0
        partial = home / "backups" / "2" / "uploads"
        shutil.rmtree(partial.parent)
        partial.parent.mkdir()
        take(home / "live", partial, snapshot)
        assert look(partial) == look(home / "live")

    points(place, "take", 12, check, nothing)


def back_and_forth(home: Path, snapshot: Snapshot, old: Path) -> None:
    """From wherever it stands: undone the old tree is there, finished the new one is."""
    shutil.copytree(home / "live", home / "other", symlinks=True)
    with Restore(home / "live", "r") as restore:
        restore.undo()
        restore.settle()
        assert (restore.state(), look(home / "live")) == (None, look(old))
    with Restore(home / "other", "r") as restore:
        if restore.state() in (None, "building"):
            put_back(snapshot, home / "other", "r", owner=OWNER)
        undone = restore.state() in ("undoing", "returning", "undone")
        restore.finish()
        restore.settle()
        assert (restore.state(), look(home / "other")) == (None, look(old if undone else snapshot.tree))


def test_a_restore_killed_anywhere_can_be_finished_and_can_be_undone(place: Path) -> None:
    scene(place / "reference")

    def check(home: Path, snapshot: Snapshot) -> None:
        back_and_forth(home, snapshot, place / "reference" / "live")

    points(place, "put_back", 20, check, nothing)


def test_an_undo_killed_anywhere_can_be_gone_on_with(place: Path) -> None:
    scene(place / "reference")

    def check(home: Path, snapshot: Snapshot) -> None:
        back_and_forth(home, snapshot, place / "reference" / "live")

    points(place, "undo", 12, check, ACTIONS["put_back"])


def test_a_settling_killed_anywhere_ends_when_it_is_asked_again(place: Path) -> None:
    def check(home: Path, snapshot: Snapshot) -> None:
        with Restore(home / "live", "r") as restore:
            restore.settle()
        assert look(home / "live") == look(snapshot.tree)

    points(place, "settle", 6, check, ACTIONS["put_back"])


def test_a_removal_killed_anywhere_leaves_a_backup_whole_or_is_finished_later(place: Path) -> None:
    def check(home: Path, snapshot: Snapshot) -> None:
        other = Snapshot(home / "backups" / "2" / "uploads")
        if (home / "backups" / "1").exists():
            assert verify(snapshot).faults == 0
        finish_removals(home / "backups")
        if (home / "backups" / "1").exists():
            remove(home / "backups" / "1", home / "backups")
        assert [path.name for path in (home / "backups").iterdir()] == ["2"]
        assert verify(other).faults == 0

    points(place, "remove", 6, check, ACTIONS["take"])


def test_an_index_that_is_not_whole_is_never_taken_for_one(place: Path) -> None:
    snapshot = scene(place)
    content = snapshot.index.read_bytes()
    for length in range(0, len(content), 7):
        snapshot.index.write_bytes(content[:length])
        with pytest.raises(TreeFault):
            put_back(snapshot, place / "live", "r", owner=OWNER)
