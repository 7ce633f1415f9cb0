"""A backup stands on the shelf whole or not at all, and what is found out about it stays with it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.backup import shelf as shelves
from bot.backup.manifest import FileEntry, Manifest, UploadsPart, read, written
from bot.backup.shelf import MAKING, MANIFEST, PROOF, SUMS, Making, Proof, Shelf, order_of, time_of
from bot.errors import Conflict, NotFound, OutsideError

NOW = 1_769_076_000.0
ID = "2026-01-22T10-00-00Z"


def manifest(identity: str = ID, *files: FileEntry) -> Manifest:
    """A small one."""
    uploads = UploadsPart(2, 10, 1, 5, "directory", 0, 0.5)
    return Manifest(identity, "vcc-manager", NOW, NOW + 3, "asked", "olga", "R-1", "test", files, uploads=uploads)


def make(shelf: Shelf, now: float = NOW) -> Making:
    """One backup with one file."""
    with shelf.making(now) as making:
        (making.path / "config").mkdir()
        (making.path / "config" / "nginx.conf").write_text("server {}")
        making.finish(manifest(making.id, FileEntry("config/nginx.conf", 9, hashlib.sha256(b"server {}").hexdigest())))
    return making


def test_a_finished_backup_can_be_checked_by_hand(tmp_path: Path) -> None:
    made = make(Shelf(tmp_path))
    assert made.place.name == ID
    assert subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=made.place, check=False).returncode == 0
    (made.place / "config" / "nginx.conf").write_text("server []")
    assert subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=made.place, check=False, capture_output=True).returncode == 1
    assert made.place.stat().st_mode & 0o777 == 0o700
    assert (made.place / MANIFEST).stat().st_mode & 0o777 == 0o600


def test_what_is_not_finished_never_existed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with suppress(RuntimeError), shelf.making(NOW) as making:
        (making.path / "half").write_text("half")
        assert len(list(tmp_path.iterdir())) == 1
        raise RuntimeError("half")
    assert list(tmp_path.iterdir()) == []
    assert shelf.backups() == ()


def test_what_a_crash_left_is_swept_and_what_is_being_made_is_not(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    (tmp_path / f"{MAKING}2026-01-01T00-00-00Z").mkdir()
    holder = "import sys; from bot.backup.shelf import Shelf; from pathlib import Path\n"
    holder += f"with Shelf(Path(sys.argv[1])).making({NOW}): print('made', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", holder, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == b"made\n"
    assert shelf.sweep() == (f"{MAKING}2026-01-01T00-00-00Z",)
    other.kill()
    other.wait(10)
    other.stdin.close()
    other.stdout.close()
    assert shelf.sweep() == (f"{MAKING}{ID}",)


def test_two_in_one_second_have_names_in_their_order(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    made = [make(shelf).id for _ in range(11)]
    assert made[:3] == [ID, f"{ID}-2", f"{ID}-3"]
    assert [each.id for each in shelf.backups()] == made[::-1]
    assert shelf.get().id == made[-1]


def test_one_that_is_not_there_and_a_shelf_that_is_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Shelf(tmp_path).get("2020-01-01T00-00-00Z")
    with pytest.raises(OutsideError) as failure:
        Shelf(tmp_path / "none").backups()
    assert failure.value.key == "backup.no_directory"


def test_what_was_found_out_stays_and_is_added_to(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    make(shelf)
    shelf.prove(ID, good_at=NOW)
    shelf.prove(ID, restorable_at=NOW + 9, drill_s=4.5)
    assert shelf.get().proof == Proof(good_at=NOW, restorable_at=NOW + 9, drill_s=4.5)
    assert shelf.get().is_sound
    shelf.prove(ID, fault="backup.damaged", fault_at=NOW)
    assert not shelf.get().is_sound


@pytest.mark.parametrize("text", ["", "[]", "{", '{"good_at": "yes"}', '{"fault": 1}'])
def test_a_proof_that_cannot_be_read_proves_nothing(tmp_path: Path, text: str) -> None:
    shelf = Shelf(tmp_path)
    make(shelf)
    (tmp_path / ID / PROOF).write_text(text)
    assert shelf.get().proof == Proof()


def test_a_manifest_comes_back_as_it_was_written() -> None:
    assert read(written(manifest()), ID) == manifest()


def test_a_newer_manifest_is_left_alone() -> None:
    newer = json.dumps({**json.loads(written(manifest())), "format": 2}).encode()
    with pytest.raises(Conflict) as refusal:
        read(newer, ID)
    assert refusal.value.key == "backup.newer_format"


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../b", "a//b", "", ".", "a\x00b", "./a"])
def test_a_path_that_leads_out_of_the_backup_is_no_manifest(path: str) -> None:
    hostile = written(replace(manifest(), files=(FileEntry("ok", 1, "0" * 64),))).replace(b'"ok"', json.dumps(path).encode())
    with pytest.raises(OutsideError, match="no_manifest"):
        read(hostile, ID)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[" * 100_000, b'{"format": 1}', b"null"])
def test_nonsense_is_no_manifest(text: bytes) -> None:
    with pytest.raises(OutsideError, match="no_manifest"):
        read(text, ID)


def test_a_backup_whose_manifest_is_gone_is_shown_as_such(tmp_path: Path) -> None:
    make(Shelf(tmp_path))
    os.unlink(tmp_path / ID / MANIFEST)  # noqa: PTH108
    (found,) = Shelf(tmp_path).backups()
    assert found.manifest is None
    assert not found.is_sound
    assert found.trouble is not None
    assert found.trouble.key == "backup.no_manifest"


def test_what_arrives_is_out_of_sight_and_left_alone_while_somebody_works_on_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with shelf.arriving(ID) as arriving:
        (arriving.directory / ID).mkdir()
        assert (shelf.sweep(), shelf.backups()) == ((), ())
        assert [each.id for each in arriving.backups()] == [ID]
        with pytest.raises(OutsideError), shelf.arriving(ID):
            pytest.fail("two at once")
    assert list(tmp_path.iterdir()) == []


def test_what_several_find_out_at_once_is_all_written_down(tmp_path: Path) -> None:
    make(Shelf(tmp_path))
    several_shelves, names = [Shelf(tmp_path) for _ in range(4)], ("verified_at", "restorable_at", "drill_s", "remote_at")
    with ThreadPoolExecutor(8) as several:
        for at in range(30):
            list(several.map(lambda name, shelf, found: shelf.prove(ID, **{name: found}), names, several_shelves, [float(at)] * 4))
            assert [getattr(Shelf(tmp_path).get().proof, name) for name in names] == [float(at)] * 4
    assert not list((tmp_path / ID).glob(".proof*"))


def test_what_is_about_to_get_its_name_is_left_alone_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process sweeps while it is made durable, which takes a while."""
    swept = []
    monkeypatch.setattr(shelves, "_sync_tree", lambda top: swept.append(Shelf(tmp_path).sweep()))
    make(Shelf(tmp_path))
    assert (swept, [each.id for each in Shelf(tmp_path).backups()]) == ([()], [ID])


def test_a_name_tells_when_it_was_made_and_in_what_order() -> None:
    assert time_of(ID) == time_of(f"{ID}-12") == NOW
    assert [time_of(name) for name in ("b-1", "", f"{ID}/..", "2026-13-22T10-00-00Z", f".making-{ID}")] == [None] * 5
    assert sorted([f"{ID}-10", f"{ID}-2", ID, "2025-01-22T10-00-00Z"], key=order_of) == [
        "2025-01-22T10-00-00Z",
        ID,
        f"{ID}-2",
        f"{ID}-10",
    ]
