"""Removing backups: what is freed is what the file system gives back, and nothing outside is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import NotFound
from bot.ops.snapshot import take
from bot.ops.snapshot_remove import Freed, finish_removals, freed_by_removing, remove
from bot.ops.snapshot_verify import verify
from bot.ops.tree_values import Snapshot, TreeFault
from tests.bot.ops.tree_parts import fill, memory, touch_now


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    yield from memory()


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """Three backups ``1``, ``2``, ``3``, each with one file more changed."""
    source, home = fill(tmp_path / "uploads"), tmp_path / "backups"
    previous = None
    for number in range(1, 4):
        (home / str(number)).mkdir(parents=True)
        touch_now(source / "generated.txt", b"x" * 50_000 * number)
        take(source, home / str(number) / "uploads", previous)
        previous = Snapshot(home / str(number) / "uploads")
    return home


def allocated(backups: Path) -> int:
    """The blocks of all files, each counted once."""
    return sum({(s.st_ino): s.st_blocks * 512 for path in backups.rglob("*") if path.is_file() and (s := path.stat())}.values())


def test_what_is_said_to_be_freed_is_what_is_freed(backups: Path) -> None:
    for names in (["2"], ["1", "3"]):
        folders = [backups / name for name in names]
        said, before = freed_by_removing(folders), allocated(backups)
        for folder in folders:
            remove(folder, backups)
        assert said.bytes == before - allocated(backups)
        assert said.files > 0
    assert list(backups.iterdir()) == []


def test_shared_files_are_freed_only_with_the_last_snapshot_that_has_them(backups: Path) -> None:
    one, all_three = freed_by_removing([backups / "1"]), freed_by_removing([backups / name for name in "123"])
    assert one.files == 2, "its own version of the file, and its index"
    assert all_three.bytes == allocated(backups)
    assert freed_by_removing([]) == Freed(0, 0)


def test_the_others_stay_whole(backups: Path) -> None:
    remove(backups / "2", backups)
    assert [verify(Snapshot(backups / name / "uploads")).faults for name in "13"] == [0, 0]


def test_a_removal_that_was_cut_off_is_finished(backups: Path) -> None:
    (backups / "1").rename(backups / ".deleting-1")
    (backups / ".deleting-1" / "uploads.jsonl").unlink()
    assert finish_removals(backups) == ("1",)
    assert finish_removals(backups) == ()
    assert {path.name for path in backups.iterdir()} == {"2", "3"}


def test_nothing_outside_is_removed_and_no_link_is_followed(backups: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (backups / "link").symlink_to(outside)
    (backups / "file").touch()
    (backups / "1" / "uploads" / "link").symlink_to(outside)
    (backups / ".deleting-x").symlink_to(outside)
    for folder in (outside, backups / "..", backups / "1" / "uploads", backups, backups / "link", backups / "file", backups / ".hidden"):
        with pytest.raises(TreeFault) as caught:
            remove(folder, backups)
        assert caught.value.key == "snapshot.outside"
    with pytest.raises(NotFound):
        remove(backups / "9", backups)
    remove(backups / "1", backups)
    finish_removals(backups)
    assert (outside / "kept").exists()
    assert not os.path.lexists(backups / ".deleting-x")
