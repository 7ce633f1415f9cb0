"""Writing the files of a dump: whole or not at all, hashed and counted, and a full disk told as such."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from pathlib import Path

import bson
import pytest

from bot.errors import OutsideError
from bot.ops.dump_faults import Damaged, NoSpace
from bot.ops.dump_files import PART, BsonFile, make_directory, remove_directory, settle, write_file

DOCUMENT = bson.encode({"_id": 1, "text": "x" * 1000})


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file of this process may grow beyond a hundred kilobytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_gets_its_name_when_it_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "users.bson"
    file = BsonFile(path)
    file.add(DOCUMENT * 3)
    file.add(DOCUMENT)
    assert ([each.name for each in tmp_path.iterdir()], file.documents, file.bytes) == ([f"users.bson{PART}"], 4, 4 * len(DOCUMENT))
    assert file.finish() == hashlib.sha256(DOCUMENT * 4).hexdigest()
    file.abandon()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (DOCUMENT * 4, 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["users.bson"]


def test_an_abandoned_file_is_gone(tmp_path: Path) -> None:
    file = BsonFile(tmp_path / "users.bson")
    file.add(DOCUMENT)
    file.abandon()
    file.abandon()
    assert list(tmp_path.iterdir()) == []


def test_half_a_document_is_never_written(tmp_path: Path) -> None:
    file = BsonFile(tmp_path / "users.bson")
    with pytest.raises(Damaged) as caught:
        file.add(DOCUMENT + DOCUMENT[:-1])
    assert (caught.value.offset, file.bytes) == (len(DOCUMENT), 0)
    file.abandon()


@pytest.mark.usefixtures("small_disk")
def test_a_disk_without_room_is_told_as_such(tmp_path: Path) -> None:
    file = BsonFile(tmp_path / "users.bson")
    with pytest.raises(NoSpace):
        file.add(DOCUMENT * 200)
    file.abandon()
    with pytest.raises(NoSpace):
        write_file(tmp_path / "x.metadata.json", b"x" * 200_000)
    assert not [path for path in tmp_path.iterdir() if path.suffix != PART]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / f"users.bson{PART}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutsideError, match="unwritable"):
        BsonFile(tmp_path / "users.bson")
    make_directory(tmp_path / "new")
    with pytest.raises(OutsideError, match="unwritable"):
        make_directory(tmp_path / "new")
    with pytest.raises(OutsideError, match="unwritable"):
        settle(tmp_path / "nowhere")
    settle(tmp_path / "new")
    remove_directory(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_small_file_is_whole_and_hashed(tmp_path: Path) -> None:
    assert write_file(tmp_path / ("x" * 240), b"{}") == hashlib.sha256(b"{}").hexdigest()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"{}"]
