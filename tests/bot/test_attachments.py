"""Files that go out are redacted on the way, also where a batch of lines ends, and packed ones end in time."""

from __future__ import annotations

import gzip
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import attachments
from bot.attachments import KEPT, Attachments
from bot.errors import RecordUnwritable
from bot.redact import Redactor
from tests.bot.demo import SECRET

BODY = "c2VjcmV0IGtleSBtYXRlcmlhbCBzZWNyZXQga2V5IG1hdA"
KEY = ["-----BEGIN RSA PRIVATE KEY-----", *(f"MIIEowIBAAKCAQEA{number:04d}{BODY}" for number in range(25))]
END = "-----END RSA PRIVATE KEY-----"


@pytest.fixture
def folder(tmp_path: Path) -> Attachments:
    """A folder of files."""
    return Attachments(tmp_path, Redactor(["known-hunter22"]))


async def test_lines_are_written_and_redacted(folder: Attachments) -> None:
    file = await folder.attach("R-1", "log.txt", ["one", f"uri {SECRET}", "known-hunter22", "drei 셋"])
    text = file.path.read_text(encoding="utf-8")
    assert text.splitlines()[::3] == ["one", "drei 셋"]
    assert "hunter22" not in text
    assert file.media_type == "text/plain"


@pytest.mark.parametrize("before", [0, 470, 485, 490, 499, 500, 960, 990])
async def test_a_key_over_the_end_of_a_batch_leaves_no_half_behind(folder: Attachments, before: int) -> None:
    lines = [*(f"line {number}" for number in range(before)), *KEY, END, *(f"tail {number}" for number in range(600))]
    text = (await folder.attach("R-1", "log.txt", lines)).path.read_text(encoding="utf-8")
    assert "c2VjcmV0" not in text
    assert "tail 599" in text
    assert f"line {before - 1}" in text or before == 0


async def test_a_key_that_never_ends_does_not_keep_everything_in_memory(folder: Attachments) -> None:
    lines = [KEY[0], *(f"ordinary words {number}" for number in range(5000))]
    text = (await folder.attach("R-1", "log.txt", lines)).path.read_text(encoding="utf-8")
    assert "ordinary words 4999" in text


async def test_lines_may_come_one_by_one(folder: Attachments) -> None:
    async def lines() -> AsyncIterator[str]:
        for number in range(1200):
            yield f"line {number}"

    text = (await folder.attach("R-1", "log.jsonl", lines())).path.read_text(encoding="utf-8")
    assert text.splitlines() == [f"line {number}" for number in range(1200)]


async def test_a_packed_file_is_redacted_and_one_whole(folder: Attachments) -> None:
    file = await folder.attach("R-1", "backend.log.gz", [f"uri {SECRET}", *(f"줄 {number}" for number in range(1_200))])
    text = gzip.decompress(file.path.read_bytes()).decode()
    assert text.splitlines()[1:] == [f"줄 {number}" for number in range(1_200)]
    assert "hunter22" not in text
    assert (file.name, file.media_type) == ("backend.log.gz", "application/gzip")


async def test_a_packed_file_ends_before_it_is_too_large_and_its_giver_knows(folder: Attachments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "PACKED_AT_MOST", 100_000)
    dice, closed = random.Random(1), False

    async def lines() -> AsyncIterator[str]:
        nonlocal closed
        try:
            while True:
                yield " ".join(f"{dice.random()}" for _ in range(10))
        finally:
            closed = True

    file = await folder.attach("R-1", "backend.log.gz", lines())
    assert closed
    assert 100_000 < file.path.stat().st_size < 250_000
    assert gzip.decompress(file.path.read_bytes()).endswith(b"\n")


async def test_broken_letters_do_not_stop_the_file(folder: Attachments) -> None:
    file = await folder.attach("R-1", "log.txt", ["a \ud800 b"])
    assert file.path.read_text(encoding="utf-8").startswith("a ")


@pytest.mark.parametrize("name", ["../../out.txt", "a/b.txt", "a\x00b.txt", "한글 이름.csv"])
async def test_a_name_stays_inside_the_folder(folder: Attachments, tmp_path: Path, name: str) -> None:
    file = await folder.attach("R-1", name, ["x"])
    assert file.path.resolve().parent == (tmp_path / "files" / "R-1").resolve()
    assert "/" not in file.name


async def test_no_room_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way", encoding="utf-8")
    with pytest.raises(RecordUnwritable):
        await Attachments(tmp_path, Redactor()).attach("R-1", "log.txt", ["x"])


async def test_old_files_go_and_new_ones_stay(folder: Attachments) -> None:
    folder.prune()
    old = await folder.attach("R-1", "old.txt", ["x"])
    new = await folder.attach("R-2", "new.txt", ["x"])
    long_ago = time.time() - KEPT - 60
    os.utime(old.path.parent, (long_ago, long_ago))
    folder.prune()
    assert not old.path.exists()
    assert new.path.exists()
