"""Putting a snapshot back: the live tree equals it exactly, the old one is kept, and there is a way forward and back from every step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import Conflict, OutsideError
from bot.ops.snapshot import take
from bot.ops.snapshot_restore import Restore, unfinished
from bot.ops.snapshot_verify import verify
from bot.ops.tree_values import NoRoom, Snapshot, Stopped, TreeFault
from tests.bot.ops.tree_parts import OLD, Look, fill, look, memory, put_back, touch_now, write


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    yield from memory()


OWNER = (os.geteuid(), os.getegid())


@pytest.fixture
def live(tmp_path: Path) -> Path:
    return fill(tmp_path / "uploads")


@pytest.fixture
def snapshot(live: Path, tmp_path: Path) -> Snapshot:
    """Of the live tree, which then changes in every way."""
    take(live, tmp_path / "copy")
    touch_now(live / "generated.txt", b"changed")
    (live / "videos" / f"videos_{OLD}1_0.png").unlink()
    write(live / "generated" / "newer.png", b"newer")
    (live / "later").mkdir()
    write(live / "later" / "x.png", b"x")
    (live / "empty").rmdir()
    write(live / "empty", b"a file where a directory was")
    (live / "backup-temp").mkdir()
    write(live / "backup-temp" / "half.zip", b"the app's own")
    return Snapshot(tmp_path / "copy")


def visible(live: Path) -> Look:
    """Without what belongs to the app."""
    return {name: seen for name, seen in look(live).items() if not name.startswith(b"backup-temp")}


def test_the_live_tree_equals_the_snapshot_exactly_and_nothing_is_shared_with_it(live: Path, snapshot: Snapshot) -> None:
    result = put_back(snapshot, live, "r1", owner=OWNER)
    with Restore(live, "r1") as restore:
        assert restore.state() == "done"
        restore.settle()
        assert restore.state() is None
    assert visible(live) == look(snapshot.tree)
    assert (live / "backup-temp" / "half.zip").read_bytes() == b"the app's own"
    assert (result.files, result.owner_kept) == (verify(snapshot).files, True)
    assert {path.stat().st_nlink for path in live.rglob("*") if path.is_file()} == {1}
    (live / "generated.txt").write_bytes(b"the live app writes on")
    assert verify(snapshot).faults == 0


def test_undone_it_is_as_it_was_and_undone_twice_as_well(live: Path, snapshot: Snapshot) -> None:
    before = visible(live)
    put_back(snapshot, live, "r1", owner=OWNER)
    write(live / "since.png", b"written since by the app")
    with Restore(live, "r1") as restore:
        restore.undo()
        assert restore.state() == "undone"
        restore.undo()
        restore.finish()
        assert (live / ".undone-r1" / "since.png").exists(), "nothing is lost before it is settled"
        restore.settle()
        restore.undo()
    assert visible(live) == before


def test_owner_and_mode_come_from_where_they_should(live: Path, snapshot: Snapshot) -> None:
    result = put_back(snapshot, live, "r1")
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for top in ("generated", "videos") for path in (live / top).rglob("*")}
    assert (owners, result.owner_kept) == (({(1001, 1001)}, True) if os.geteuid() == 0 else ({OWNER}, OWNER == (1001, 1001)))


def test_a_damaged_backup_is_found_before_anything_live_is_touched(live: Path, snapshot: Snapshot) -> None:
    before = visible(live)
    path = snapshot.tree / "generated" / "deep" / "er" / "x.png"
    write(path, b"y" * 100_000)
    with pytest.raises(TreeFault) as caught:
        put_back(snapshot, live, "r1", owner=OWNER)
    assert (caught.value.key, caught.value.name) == ("snapshot.damaged", "generated/deep/er/x.png")
    assert unfinished(live) == {"r1": "building"}
    with Restore(live, "r1") as restore:
        with pytest.raises(Conflict):
            restore.finish()
        restore.undo()
    assert (visible(live), unfinished(live)) == (before, {})


def test_an_index_that_leads_out_of_the_tree_is_refused(live: Path, snapshot: Snapshot, tmp_path: Path) -> None:
    text = snapshot.index.read_text()
    snapshot.index.write_text(text.replace('"generated.txt"', '"../../etc.txt"'))
    before = visible(live)
    with pytest.raises(TreeFault):
        put_back(snapshot, live, "r1", owner=OWNER)
    assert visible(live) == before


def test_without_room_nothing_is_begun(live: Path, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    space = list(os.statvfs(live))
    space[4] = 1  # f_bavail
    monkeypatch.setattr(os, "fstatvfs", lambda _: os.statvfs_result(space))
    with pytest.raises(NoRoom) as caught:
        put_back(snapshot, live, "r1", owner=OWNER)
    assert caught.value.needed > caught.value.free > 0
    assert unfinished(live) == {}


def test_stopped_while_building_the_live_tree_is_untouched(tmp_path: Path) -> None:
    live = tmp_path / "many"
    live.mkdir()
    for number in range(300):
        (live / str(number)).touch()
    take(live, tmp_path / "copy")
    before = look(live)
    with pytest.raises(Stopped):
        put_back(Snapshot(tmp_path / "copy"), live, "r1", owner=OWNER, cancelled=lambda: True)
    with Restore(live, "r1") as restore:
        restore.undo()
    assert look(live) == before


def test_a_second_restore_waits_for_the_first_to_be_settled(live: Path, snapshot: Snapshot) -> None:
    put_back(snapshot, live, "r1", owner=OWNER)
    for mark in ("r1", "r2"):
        with pytest.raises(Conflict):
            put_back(snapshot, live, mark, owner=OWNER)


def test_what_somebody_put_in_the_way_is_never_overwritten(live: Path, snapshot: Snapshot) -> None:
    before = visible(live)
    put_back(snapshot, live, "r1", owner=OWNER)
    with Restore(live, "r1") as restore:
        (live / ".before-restore-r1").rename(live / ".returning-r1")
        with pytest.raises(TreeFault) as caught:
            restore.undo()
        assert caught.value.key == "snapshot.in_the_way"
        (live / ".returning-r1").rename(live / ".before-restore-r1")
        restore.undo()
        restore.settle()
    assert visible(live) == before


def test_a_mark_that_could_lead_elsewhere_is_refused(live: Path) -> None:
    for mark in ("", "../x", "a/b", "a.part", "x" * 65):
        with pytest.raises(ValueError):
            Restore(live, mark)


def test_a_directory_that_cannot_be_written_is_said(live: Path, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "no")

    before = visible(live)
    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(OutsideError) as caught:
        put_back(snapshot, live, "r1", owner=OWNER)
    assert (caught.value.key, visible(live)) == ("snapshot.live_unwritable", before)
