"""Reading a dump's directory: its forms, which database, and everything that is not what a dump holds."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import bson
import pytest

from bot.errors import OutsideError
from bot.ops.dump_directory import DirectoryDump
from bot.ops.dump_faults import Damaged
from bot.ops.dump_metadata import written
from bot.ops.dump_names import BSON, METADATA, stem
from bot.ops.dump_source import open_dump
from bot.ops.dump_values import Definition
from tests.bot.ops.dump_parts import fixture

DOCUMENT = bson.encode({"_id": 1})


def place(folder: Path, definition: Definition, content: bytes | None = DOCUMENT) -> None:
    """One collection's files, as our dump writes them."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / (stem(definition.name) + METADATA)).write_bytes(written(definition))
    if content is not None:
        (folder / (stem(definition.name) + BSON)).write_bytes(content)


def users(folder: Path) -> Path:
    place(folder, Definition("users", "collection"))
    return folder


def streamed(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, data, _ in open_dump(path).stream():
        found[name] = found.get(name, b"") + data
    return found


def test_the_real_mongodumps_directory_is_read_from_inside_and_from_around() -> None:
    around = open_dump(fixture() / "directory")
    inside = open_dump(fixture() / "directory" / "vcc-fixture")
    assert (around.database, around.definitions) == (inside.database, inside.definitions)
    assert [each.name for each in around.definitions] == ["capped", "empty", "imagegenerationjobs", "imageview", "odd", "sessions", "users"]
    assert [each.kind for each in around.definitions if each.kind != "collection"] == ["capped", "view"]


def test_packed_files_read_as_unpacked_ones(tmp_path: Path) -> None:
    for path in users(tmp_path / "db").iterdir():
        (path.parent / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert streamed(tmp_path) == {"users": DOCUMENT}


def test_what_is_not_of_the_database_is_passed_over(tmp_path: Path) -> None:
    folder = users(tmp_path / "db")
    for name in ("prelude.json", "$admin.system.users.bson", "$admin.system.users.metadata.json", "notes.txt"):
        (folder / name).write_bytes(b"{}")
    place(folder, Definition("system.profile", "collection"))
    place(folder, Definition("vccbot.old.x.users", "collection"))
    place(tmp_path / "admin", Definition("system.version", "collection"))
    (tmp_path / "oplog.bson.txt").write_bytes(b"")
    assert (open_dump(tmp_path).database, streamed(tmp_path)) == ("db", {"users": DOCUMENT})


def test_several_databases_ask_for_one(tmp_path: Path) -> None:
    users(tmp_path / "one")
    users(tmp_path / "two")
    with pytest.raises(OutsideError) as caught:
        open_dump(tmp_path)
    assert caught.value.values["names"] == "one, two"
    assert open_dump(tmp_path, "two").database == "two"
    for missing in ("three", "../one"):
        with pytest.raises(OutsideError, match=r"dump\.none"):
            open_dump(tmp_path, missing)


def test_an_empty_directory_is_no_dump(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=r"dump\.none"):
        open_dump(tmp_path)


def test_every_name_of_a_collection_comes_back(tmp_path: Path) -> None:
    names = ["a b", "x/y", "한글 100%", "n" * 250, "plus+", "fs.chunks"]
    for name in names:
        place(tmp_path / "db", Definition(name, "collection"))
    assert sorted(streamed(tmp_path)) == sorted(names)


def test_a_file_alone_is_a_collection_without_options(tmp_path: Path) -> None:
    (users(tmp_path / "db") / "users.metadata.json").unlink()
    assert open_dump(tmp_path).definitions == (Definition("users", "collection"),)


def cut_off(folder: Path) -> None:
    (folder / "users.bson").write_bytes(DOCUMENT[:-1])


def without_documents(folder: Path) -> None:
    (folder / "users.bson").unlink()


def packed_badly(folder: Path) -> None:
    (folder / "users.bson").write_bytes(gzip.compress(DOCUMENT * 1000)[:-9])


def packed_with_a_flipped_bit(folder: Path) -> None:
    packed = bytearray(gzip.compress(os.urandom(100)))
    packed[60] ^= 1
    (folder / "users.bson").write_bytes(packed)


def under_a_wrong_name(folder: Path) -> None:
    (folder / "users.metadata.json").rename(folder / "groups.metadata.json")
    (folder / "users.bson").rename(folder / "groups.bson")


def twice(folder: Path) -> None:
    shutil.copy(folder / "users.bson", folder / "users.bson.gz")


def a_pipe(folder: Path) -> None:
    (folder / "users.bson").unlink()
    os.mkfifo(folder / "users.bson")


def endless_metadata(folder: Path) -> None:
    (folder / "users.metadata.json").write_bytes(gzip.compress(b" " * (40 << 20)))


def a_cut_name_without_metadata(folder: Path) -> None:
    (folder / f"{stem('x' * 250)}.bson").write_bytes(DOCUMENT)


@pytest.mark.parametrize(
    "damage",
    [cut_off, without_documents, packed_badly, packed_with_a_flipped_bit, under_a_wrong_name, twice, a_pipe, endless_metadata,
     a_cut_name_without_metadata],
    ids=lambda damage: damage.__name__,
)  # fmt: skip
def test_what_is_no_sound_dump_is_named(tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    damage(users(tmp_path / "db"))
    with pytest.raises(Damaged):
        streamed(tmp_path)


def test_nothing_is_read_through_a_link(tmp_path: Path) -> None:
    folder = users(tmp_path / "db")
    secret = tmp_path / "secret"
    (folder / "users.bson").rename(secret)
    (folder / "users.bson").symlink_to(secret)
    with pytest.raises(OutsideError, match="unreadable"):
        streamed(tmp_path)


def test_two_files_that_tell_of_one_collection_are_damaged(tmp_path: Path) -> None:
    folder = users(tmp_path / "db")
    shutil.copy(folder / "users.bson", folder / "%75sers.bson")
    with pytest.raises(Damaged):
        DirectoryDump(tmp_path)
