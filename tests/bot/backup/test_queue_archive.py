"""Jobs are written down so that they can be brought back byte for byte, privately, and a damaged file is told by its name."""

from __future__ import annotations

import base64
from pathlib import Path

import pyrage
import pytest

from bot.backup import queue_archive
from bot.backup.queue_archive import Archive, keep_archive, read_archive, remove_archive
from bot.errors import OutsideError
from bot.ops.bull_whole import Placed, WholeJob
from bot.ops.seal import Seal

PROMPT = "바닷가의 고양이"
QUEUE = "이미지 a:b/../c"


def job(number: int, data: str = PROMPT) -> WholeJob:
    placed = Placed(f"id {number}\udcff", "delayed", 7_118_226_505_220_096.0 + number, None)
    return WholeJob(placed, {"data": data, "odd \udcfe": "\udcfd\0\n"}, ("한 줄", "\udcff"), 3.0)


def written(folder: Path, jobs: int, seal: Seal, data: str = PROMPT) -> list[Path]:
    archive = Archive(folder, QUEUE, seal)
    for number in range(jobs):
        archive.add([job(number, data)])
    archive.finish()
    return archive.files


def test_every_byte_of_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    (file,) = written(tmp_path / "a" / "b", 2, Seal())
    first, second = read_archive(file, Seal())
    assert first.fields == {b"data": PROMPT.encode(), b"odd \xfe": b"\xfd\0\n"}
    assert first.logs == ("한 줄".encode(), b"\xff")
    assert (first.queue, first.job, first.place) == (QUEUE, "id 0\udcff", "delayed")
    assert (second.score, second.ahead, second.priority) == (7_118_226_505_220_097.0, None, 3.0)
    assert PROMPT not in repr(first)


def test_the_files_are_nobody_elses_business_and_stay_in_their_folder(tmp_path: Path) -> None:
    (file,) = written(tmp_path / "a" / "b", 1, Seal())
    assert file.parent == tmp_path / "a" / "b"
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent)] == [0o600, 0o700]


@pytest.mark.parametrize("sealed", [False, True])
def test_much_is_split_into_several_files(sealed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_archive, "MOST_BYTES", 2_000)
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(str(identity))
    seal = Seal(str(identity.to_public()), tmp_path / "identity") if sealed else Seal()
    files = written(tmp_path / "jobs", 20, seal, "x" * 400)
    assert 5 < len(files) < 20
    assert sorted(files) == sorted((tmp_path / "jobs").iterdir())
    assert all((base64.b64encode(b"x" * 30) in file.read_bytes()) is not sealed for file in files)
    assert [each.job for file in files for each in read_archive(file, seal)] == [f"id {number}\udcff" for number in range(20)]


def test_nothing_is_made_for_no_jobs(tmp_path: Path) -> None:
    assert written(tmp_path / "jobs", 0, Seal()) == []
    assert not (tmp_path / "jobs").exists()
    keep_archive(tmp_path / "jobs")
    remove_archive(tmp_path / "jobs")


def test_what_is_to_be_kept_is_not_removed_and_strangers_files_never(tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    (file,) = written(folder, 1, Seal())
    (folder / "notes.txt").write_text("somebody's")
    (folder / "half.jsonl.part").write_text("half")
    remove_archive(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    written(folder, 1, Seal())
    keep_archive(folder)
    keep_archive(folder)
    remove_archive(folder)
    assert file.exists()


@pytest.mark.parametrize("damage", [b"{}", b"[1]", b"\xff", b'{"version": 2}', b'{"version": 1, "queue": 1}'])
def test_a_damaged_file_is_told_by_its_name_and_not_by_what_is_in_it(damage: bytes, tmp_path: Path) -> None:
    (file,) = written(tmp_path / "jobs", 1, Seal())
    file.write_bytes(file.read_bytes() + damage + b"\n")
    jobs = read_archive(file, Seal())
    assert next(jobs).place == "delayed"
    with pytest.raises(OutsideError) as caught:
        next(jobs)
    assert caught.value.values["name"] == file.name
