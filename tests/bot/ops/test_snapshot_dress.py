"""What came back as files only is the tree that was, once it is dressed; an index that leads elsewhere dresses nothing there."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from bot.ops.snapshot import take
from bot.ops.snapshot_dress import dress
from bot.ops.snapshot_verify import verify
from bot.ops.tree_values import Snapshot, TreeFault


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Of a tree with a file, and with empty directories in it."""
    (tmp_path / "live" / "generated" / "empty" / "deep").mkdir(parents=True, mode=0o750)
    (tmp_path / "live" / "a.png").write_bytes(b"png")
    for path, at in (("generated/empty/deep", 3), ("generated/empty", 2), ("generated", 1)):
        os.utime(tmp_path / "live" / path, (at, at))
    take(tmp_path / "live", tmp_path / "uploads")
    return Snapshot(tmp_path / "uploads")


def folders(tree: Path) -> dict[str, tuple[int, int]]:
    """Mode and time of each directory."""
    found = {path.relative_to(tree).as_posix(): path.stat() for path in tree.rglob("*") if path.is_dir()}
    return {name: (stat.S_IMODE(status.st_mode), status.st_mtime_ns) for name, status in found.items()}


def test_directories_come_back_with_their_modes_and_times(snapshot: Snapshot) -> None:
    before = folders(snapshot.tree)
    assert len(before) == 3
    shutil.rmtree(snapshot.tree / "generated")
    dress(snapshot)
    assert folders(snapshot.tree) == before
    assert verify(snapshot).faults == 0


def test_of_uploads_without_any_file_the_tree_itself_comes_back(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    take(tmp_path / "live", tmp_path / "uploads")
    (tmp_path / "uploads").rmdir()
    dress(Snapshot(tmp_path / "uploads"))
    assert verify(Snapshot(tmp_path / "uploads")).faults == 0


def test_a_file_where_a_directory_should_be_is_left_for_the_proof_to_tell(snapshot: Snapshot) -> None:
    shutil.rmtree(snapshot.tree / "generated")
    (snapshot.tree / "generated").write_bytes(b"")
    dress(snapshot)
    assert (snapshot.tree / "generated").is_file()
    assert verify(snapshot).faults > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_belong_again_to_whom_they_belonged(snapshot: Snapshot) -> None:
    os.chown(snapshot.tree / "a.png", 1001, 1001)
    owner = snapshot.tree.parent.stat().st_uid
    dress(snapshot)
    assert (snapshot.tree / "a.png").stat().st_uid == owner


def test_a_name_that_leads_out_of_the_tree_is_refused(snapshot: Snapshot) -> None:
    lines = snapshot.index.read_text().splitlines()
    evil = json.dumps({"path": "../evil/", "mtime_ns": 0, "mode": "0755", "uid": 0, "gid": 0})
    snapshot.index.write_text("\n".join([lines[0], evil, *lines[1:]]) + "\n")
    with pytest.raises(TreeFault):
        dress(snapshot)
    assert not (snapshot.tree.parent / "evil").exists()
