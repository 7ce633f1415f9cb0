"""A log's files are opened as one whole, whatever the engine does to them meanwhile."""

from __future__ import annotations

import gzip
import os
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.ops.log_files import LogFile, opened


def text(files: Sequence[LogFile]) -> bytes:
    found = b"".join(data for file in files for _, data in file.blocks(0, file.size, 10))
    for file in files:
        file.close()
    return found


def rotate(path: Path, keep: int = 3) -> None:
    """As the engine does with max-file 3: the oldest goes, the others move, a new one begins."""
    for number in range(keep - 1, 0, -1):
        name = path.with_name(path.name + (f".{number - 1}" if number > 1 else ""))
        if name.exists():
            name.rename(path.with_name(f"{path.name}.{number}"))
    path.touch()


def test_all_files_are_read_from_the_oldest_on(tmp_path: Path) -> None:
    path = tmp_path / "c-json.log"
    path.write_bytes(b"five\nhalf wri")
    (tmp_path / "c-json.log.1").write_bytes(b"four\n")
    (tmp_path / "c-json.log.1.gz").write_bytes(gzip.compress(b"being packed"))
    (tmp_path / "c-json.log.2.gz").write_bytes(gzip.compress(b"two\nthree\n"))
    (tmp_path / "c-json.log.10").write_bytes(b"one\n")
    (tmp_path / "c-json.log.bak").write_bytes(b"another\n")
    assert text(opened(path)) == b"one\ntwo\nthree\nfour\nfive\n"


def test_a_damaged_packed_file_gives_what_can_be_read_and_hides_no_other(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(200_000) + b"\n" + os.urandom(200_000))
    (tmp_path / "c-json.log.2.gz").write_bytes(packed[:300_000])
    (tmp_path / "c-json.log.1.gz").write_bytes(b"no gzip at all")
    (tmp_path / "c-json.log").write_bytes(b"now\n")
    assert text(opened(tmp_path / "c-json.log")).endswith(b"now\n")


def test_a_line_longer_than_a_block_is_whole(tmp_path: Path) -> None:
    (tmp_path / "c-json.log").write_bytes(b"x" * 1_000 + b"\nshort\n")
    (file,) = opened(tmp_path / "c-json.log")
    assert b"".join(data for _, data in file.blocks(0, file.size, 10)) == b"x" * 1_000 + b"\nshort\n"
    file.close()


def test_what_is_open_is_read_to_its_end_through_a_rotation_and_a_removal(tmp_path: Path) -> None:
    path = tmp_path / "c-json.log"
    path.write_bytes(b"one\n")
    files = opened(path)
    for _ in range(3):
        rotate(path)
    assert text(files) == b"one\n"


def test_a_file_cut_short_while_it_is_read_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "c-json.log"
    path.write_bytes(b"line\n" * 100)
    (file,) = opened(path)
    assert file.size == 500
    os.truncate(path, 0)
    assert list(file.blocks(0, file.size)) == []
    assert list(file.stretches(0, file.size, deque([bytearray(64)]))) == []
    file.close()


def test_buffers_are_filled_by_turns_and_a_line_too_long_for_them_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "c-json.log"
    path.write_bytes(b"aaaa\nbbbb\n" + b"x" * 40 + b"\nlast\n")
    (file,) = opened(path)
    found = [bytes(data[:size]) for data, size in file.stretches(0, file.size, deque([bytearray(12), bytearray(12)]))]
    assert found[0] == b"aaaa\nbbbb\n"
    assert found[-1].endswith(b"last\n")
    file.close()


def test_a_mark_tells_files_apart_packed_or_not(tmp_path: Path) -> None:
    path = tmp_path / "c-json.log"
    path.write_bytes(b"newer\n")
    (tmp_path / "c-json.log.1.gz").write_bytes(gzip.compress(b"older\n"))
    older, newer = opened(path)
    assert older.mark(6) != newer.mark(6)
    assert newer.mark(7) == ""
    (tmp_path / "plain").write_bytes(b"older\n")
    (plain,) = opened(tmp_path / "plain")
    assert plain.mark(6) == older.mark(6)
    for file in (older, newer, plain):
        file.close()


def test_no_file_and_no_right_to_it_are_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        opened(tmp_path / "none")
    with pytest.raises(OSError):
        opened(tmp_path / "no" / "none")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        opened(tmp_path / "folder")


def test_a_log_rotated_all_the_time_is_never_read_with_a_line_lost_or_doubled(tmp_path: Path) -> None:
    path, enough = tmp_path / "c-json.log", threading.Event()
    path.touch()

    def write() -> None:
        number = 0
        while not enough.is_set():
            with path.open("ab", buffering=0) as out:
                for _ in range(200):
                    out.write(b"%d\n" % number)
                    number += 1
            rotate(path)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(150):
            numbers = [int(line) for line in text(opened(path)).split()]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
    finally:
        enough.set()
        writer.join()
