"""Docker's log file format, without any process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.sandbox.json_log import LONGEST_PIECE, LogWriter, Window, encode, parse_stamp, read, select, stamp


def test_a_stamp_drops_trailing_zeros_as_go_does() -> None:
    assert stamp(1_767_000_000_120_000_000) == "2025-12-29T09:20:00.12Z"
    assert stamp(1_767_000_000_000_000_000) == "2025-12-29T09:20:00Z"


@pytest.mark.parametrize("moment", [1_767_000_000_120_000_000, 1_767_000_000_000_000_001, 1_767_000_000_000_000_000])
def test_a_stamp_is_read_back_to_the_nanosecond(moment: int) -> None:
    assert parse_stamp(stamp(moment)) == moment


def test_a_stamp_with_an_offset_is_the_same_moment() -> None:
    assert parse_stamp("2025-12-29T18:20:00.5+09:00") == parse_stamp("2025-12-29T09:20:00.5Z")


def test_signs_that_go_escapes_are_escaped() -> None:
    line = encode("<a & b>\n", "stdout", 0)
    assert b"\\u003ca \\u0026 b\\u003e" in line
    assert json.loads(line)["log"] == "<a & b>\n"


def test_a_line_cut_by_the_pipe_becomes_one_record(tmp_path: Path) -> None:
    log = LogWriter(tmp_path / "x-json.log")
    log.feed("stdout", "안녕".encode()[:4])
    log.feed("stdout", "안녕".encode()[4:] + b"\nnext")
    assert [record.text for record, _ in read(log.path)] == ["안녕\n"]
    log.close("stdout")
    assert [record.text for record, _ in read(log.path)] == ["안녕\n", "next"]


def test_the_two_streams_do_not_mix_inside_a_line(tmp_path: Path) -> None:
    log = LogWriter(tmp_path / "x-json.log")
    log.feed("stdout", b"out ")
    log.feed("stderr", b"err\n")
    log.feed("stdout", b"put\n")
    assert [(record.stream, record.text) for record, _ in read(log.path)] == [("stderr", "err\n"), ("stdout", "out put\n")]


def test_an_endless_line_is_cut_into_pieces(tmp_path: Path) -> None:
    log = LogWriter(tmp_path / "x-json.log")
    log.feed("stdout", b"x" * (LONGEST_PIECE + 5) + b"\n")
    log.feed("stdout", b"y" * (2 * LONGEST_PIECE + 1))
    assert [len(record.text) for record, _ in read(log.path)] == [LONGEST_PIECE + 6, LONGEST_PIECE, LONGEST_PIECE]


def test_a_window_takes_time_stream_and_tail_together(tmp_path: Path) -> None:
    path = tmp_path / "x-json.log"
    path.write_bytes(b"".join(encode(f"{n}\n", "stderr" if n % 2 else "stdout", n * 1000) for n in range(1, 11)))
    records, end = select(path, Window(since=3000, until=8000, tail=2, streams=frozenset({"stderr"})))
    assert [record.text for record in records] == ["5\n", "7\n"]
    assert end == path.stat().st_size


def test_a_half_written_record_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "x-json.log"
    whole = encode("one\n", "stdout", 1)
    path.write_bytes(whole + whole[:20])
    assert [position for _, position in read(path)] == [len(whole)]
