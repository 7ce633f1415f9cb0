"""Proving a snapshot: whatever is wrong with it is found, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.ops.snapshot import take
from bot.ops.snapshot_verify import Kind, verify
from bot.ops.tree_values import Snapshot, Stopped, TreeMoved
from tests.bot.ops.tree_parts import fill, memory


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    yield from memory()


DEEP = "generated/deep/er/x.png"


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    taken = Snapshot(tmp_path / "copy")
    take(fill(tmp_path / "uploads"), taken.tree)
    return taken


def flip(path: Path) -> None:
    """One bit in the middle; the time stays."""
    content, status = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def swapped(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


FAULTS: dict[str, tuple[Callable[[Path], object], Kind, str]] = {
    "a flipped bit": (lambda tree: flip(tree / DEEP), "content", DEEP),
    "a shorter file": (lambda tree: os.truncate(tree / DEEP, 10), "size", DEEP),
    "a missing file": (lambda tree: (tree / DEEP).unlink(), "missing", DEEP),
    "a missing empty directory": (lambda tree: (tree / "empty").rmdir(), "missing", "empty/"),
    "a file too many": (lambda tree: (tree / "generated" / "more").touch(), "extra", "generated/more"),
    "a directory too many": (lambda tree: (tree / "zzz").mkdir(), "extra", "zzz"),
    "a link for a file": (lambda tree: swapped(tree / DEEP), "type", DEEP),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_name_and_it_alone(snapshot: Snapshot, fault: str) -> None:
    damage, kind, name = FAULTS[fault]
    damage(snapshot.tree)
    found = verify(snapshot)
    assert [(each.kind, each.name) for each in found.first] == [(kind, name)]
    assert found.faults == 1


def test_a_flipped_bit_in_any_file_is_found(snapshot: Snapshot) -> None:
    looked = 0
    for path in sorted(snapshot.tree.rglob("*")):
        if path.is_file() and path.stat().st_size:
            flip(path)
            assert [each.name for each in verify(snapshot).first] == [str(path.relative_to(snapshot.tree))]
            flip(path)
            looked += 1
    assert looked > 10
    assert verify(snapshot).faults == 0


def test_a_whole_directory_that_is_gone_names_what_was_in_it(snapshot: Snapshot) -> None:
    (snapshot.tree / DEEP).unlink()
    (snapshot.tree / "generated" / "deep" / "er").rmdir()
    assert [(each.kind, each.name) for each in verify(snapshot).first] == [("missing", "generated/deep/er/"), ("missing", DEEP)]


@pytest.mark.parametrize("at", [0, 0.3, 0.99])
def test_a_damaged_index_is_a_fault_itself(snapshot: Snapshot, at: float) -> None:
    content = bytearray(snapshot.index.read_bytes())
    content[int(at * len(content))] ^= 1
    snapshot.index.write_bytes(content)
    assert [(each.kind, each.name) for each in verify(snapshot).first] == [("index", "copy.jsonl")]


def test_a_cut_index_and_a_missing_tree_are_faults(snapshot: Snapshot) -> None:
    snapshot.tree.rename(snapshot.tree.with_name("away"))
    assert [each.kind for each in verify(snapshot).first] == ["missing"]
    snapshot.index.write_bytes(b"".join(snapshot.index.read_bytes().splitlines(keepends=True)[:-1]))
    assert [each.kind for each in verify(snapshot).first] == ["index"]
    snapshot.index.unlink()
    assert [each.kind for each in verify(snapshot).first] == ["index"]


def test_it_tells_how_far_it_is_and_ends_early_when_it_is_to(tmp_path: Path) -> None:
    source, told = tmp_path / "many", list[TreeMoved]()
    source.mkdir()
    for number in range(600):
        (source / str(number)).touch()
    take(source, tmp_path / "copy")
    assert verify(Snapshot(tmp_path / "copy"), progress=told.append).files == 600
    assert [(each.files, each.total_files) for each in told] == [(256, 600), (512, 600)]
    with pytest.raises(Stopped):
        verify(Snapshot(tmp_path / "copy"), cancelled=lambda: True)
