"""A backup is read to its last byte, and what is wrong with it is found by name."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from bot.backup.shelf import MANIFEST, SUMS, Shelf
from bot.backup.verify import DAMAGED, Verified, verify
from bot.backup.work import EndedBy, Hooks, Step
from bot.errors import Conflict, NotFound, OutsideError
from tests.bot.backup.parts import NOW, fill_uploads, make

FILES = (
    "config/nginx.conf",
    "database/vcc-manager/generatedimages.bson",
    "database/vcc-manager/generatedimages.metadata.json",
    "uploads.jsonl",
    "uploads/generated/3.png",
    SUMS,
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A shelf with one backup."""
    shelf = Shelf(tmp_path / "backups")
    make(shelf, fill_uploads(tmp_path / "uploads"))
    return shelf


async def look(shelf: Shelf) -> Verified:
    return await verify(shelf, "", Hooks(), lambda: NOW + 60)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


async def test_a_sound_backup_is_written_down_as_verified(shelf: Shelf) -> None:
    found = await look(shelf)
    assert (found.faults, found.files, found.documents) == (0, 9, 5)
    assert found.compared is not None
    assert (found.compared.broken, found.compared.unowned) == (0, 0)
    assert shelf.get().proof.verified_at == NOW + 60
    assert shelf.get().proof.good_at == NOW + 3


@pytest.mark.parametrize("name", FILES)
async def test_one_bit_flipped_in_any_file_is_found_by_its_name(shelf: Shelf, name: str) -> None:
    path = shelf.get().path / name
    flip(path, path.stat().st_size // 2)
    found = await look(shelf)
    assert name in [fault.name for fault in found.first]
    assert shelf.get().proof.fault == DAMAGED
    assert shelf.get().proof.verified_at is None
    assert not shelf.get().is_sound


async def test_a_changed_manifest_that_can_still_be_read_is_found(shelf: Shelf) -> None:
    path = shelf.get().path / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"olga"', b'"vera"'))
    assert [(fault.kind, fault.name) for fault in (await look(shelf)).first] == [("content", MANIFEST)]


@pytest.mark.parametrize("name", FILES)
async def test_a_file_that_is_gone_is_found_by_its_name(shelf: Shelf, name: str) -> None:
    (shelf.get().path / name).unlink()
    assert name in [fault.name for fault in (await look(shelf)).first]


async def test_a_file_too_many_and_a_link_in_a_files_place_are_found(shelf: Shelf, tmp_path: Path) -> None:
    top = shelf.get().path
    (top / "config" / "more").write_text("x")
    (top / "config" / "nginx.conf").rename(tmp_path / "outside")
    (top / "config" / "nginx.conf").symlink_to(tmp_path / "outside")
    (top / "uploads" / "generated" / "3.png").unlink()
    os.mkfifo(top / "uploads" / "generated" / "3.png")
    found = {(fault.kind, fault.name) for fault in (await look(shelf)).first}
    assert found == {("extra", "config/more"), ("unreadable", "config/nginx.conf"), ("type", "uploads/generated/3.png")}


async def test_documents_that_are_no_bson_are_found_though_their_hash_is_right(shelf: Shelf) -> None:
    top = shelf.get().path
    manifest = json.loads((top / MANIFEST).read_bytes())
    manifest["database"]["collections"][0]["documents"] += 1
    (top / MANIFEST).write_text(json.dumps(manifest))
    found = {(fault.kind, fault.name) for fault in (await look(shelf)).first}
    assert ("count", "database/vcc-manager/generatedimages.bson") in found


async def test_a_manifest_that_is_damaged_is_told_and_written_down(shelf: Shelf) -> None:
    (shelf.get().path / MANIFEST).write_text("{")
    with pytest.raises(OutsideError, match="no_manifest"):
        await look(shelf)
    assert shelf.get().proof.fault == "backup.no_manifest"


async def test_a_newer_bots_backup_is_refused_and_not_called_damaged(shelf: Shelf) -> None:
    path = shelf.get().path / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 2}))
    with pytest.raises(Conflict, match="newer_format"):
        await look(shelf)
    assert shelf.get().proof.fault == ""


async def test_what_a_crash_left_beside_the_proof_is_no_damage(shelf: Shelf) -> None:
    (shelf.get().path / ".proof.json.new").write_text("{")
    assert (await look(shelf)).faults == 0


async def test_what_a_drill_found_meanwhile_is_not_taken_back(shelf: Shelf) -> None:
    identity = shelf.get().id

    def drilled(step: Step) -> None:
        shelf.prove(identity, fault="backup.drill.not_restorable", fault_at=NOW)

    assert (await verify(shelf, identity, Hooks(drilled))).faults == 0
    assert shelf.get().proof.fault == "backup.drill.not_restorable"


async def test_what_was_found_of_one_is_not_said_of_another_that_took_its_place(shelf: Shelf, tmp_path: Path) -> None:
    backup = shelf.get()
    (backup.path / "config" / "more").write_text("x")

    def replaced(step: Step) -> None:
        if not (tmp_path / "old").exists():
            shutil.copytree(backup.path, tmp_path / "new")
            backup.path.rename(tmp_path / "old")
            (tmp_path / "new" / "config" / "more").unlink()
            (tmp_path / "new").rename(backup.path)

    with pytest.raises(NotFound):
        await verify(shelf, backup.id, Hooks(replaced))
    assert shelf.get().is_sound


async def test_sums_of_absurd_length_are_not_read_whole(shelf: Shelf) -> None:
    with (shelf.get().path / "SHA256SUMS").open("wb") as file:
        file.truncate(64 << 30)
    assert [(fault.kind, fault.name) for fault in (await look(shelf)).first] == [("content", "manifest.json")]


async def test_one_that_is_not_there_is_named(shelf: Shelf) -> None:
    with pytest.raises(NotFound):
        await verify(shelf, "2020-01-01T00-00-00Z", Hooks())


async def test_somebody_can_end_it_and_nothing_is_written_down(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Step] = []

    async def ada() -> str:
        return "ada" if told else ""

    def slow(step: Step) -> None:
        told.append(step)
        os.sched_yield()

    big = shelf.get().path / "config" / "nginx.conf"
    with big.open("wb") as file:
        file.truncate(64 << 30)  # longer than anybody waits; takes no room
    manifest = shelf.get().path / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b'"size": 9', b'"size": %d' % (64 << 30)))
    with pytest.raises(EndedBy, match="ada"):
        await verify(shelf, "", Hooks(slow, ada))
    assert shelf.get().proof.verified_at is None
    assert shelf.get().proof.fault == ""
