"""The engine's frames, cut anywhere, give the lines that were written and never more memory than the cap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.ops.container_frames import ByteCollector, FrameError, FrameSplitter, LineSplitter, RawLine
from tests.bot.ops.fake_engine import frame

STAMP = b"2026-01-22T10:00:00.000000001Z "


def split(chunks: list[bytes], *, cap: int = 1000, terminal: bool = False, stamped: bool = True) -> list[RawLine]:
    splitter = FrameSplitter(LineSplitter(cap), terminal=terminal, stamped=stamped)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return lines + splitter.rest()


def test_lines_of_both_streams_come_in_the_order_they_end() -> None:
    data = frame(1, STAMP + b"out\n") + frame(2, STAMP + b"err\n")
    assert split([data]) == [("stdout", STAMP + b"out", False), ("stderr", STAMP + b"err", False)]


def test_a_long_line_stored_in_pieces_loses_the_stamps_in_its_middle() -> None:
    data = frame(1, STAMP + b"a" * 10) + frame(2, STAMP + b"between\n") + frame(1, STAMP + b"b" * 10 + b"\n")
    assert split([data]) == [("stderr", STAMP + b"between", False), ("stdout", STAMP + b"a" * 10 + b"b" * 10, False)]


def test_a_stamp_at_the_start_of_a_line_is_kept() -> None:
    assert split([frame(1, STAMP + b"a\n" + STAMP + b"b\n")]) == [("stdout", STAMP + b"a", False), ("stdout", STAMP + b"b", False)]


def test_several_lines_in_a_frame_and_a_line_in_several_frames() -> None:
    data = frame(1, b"one\ntw") + frame(1, b"o\nthree")
    assert [line.content for line in split([data])] == [b"one", b"two", b"three"]


def test_empty_frames_and_empty_lines_are_kept_apart() -> None:
    assert [line.content for line in split([frame(1, b"") + frame(1, b"\n\n")])] == [b"", b""]


def test_a_line_beyond_the_cap_is_cut_and_marked_and_the_next_is_whole() -> None:
    lines = split([frame(1, b"x" * 5000 + b"\n"), frame(1, b"next\n")], cap=100)
    assert lines == [("stdout", b"x" * 100, True), ("stdout", b"next", False)]


def test_a_frame_of_gigabytes_is_not_waited_for() -> None:
    splitter = FrameSplitter(LineSplitter(100))
    header = bytes([1, 0, 0, 0]) + (2**32 - 1).to_bytes(4, "big")
    assert splitter.feed(header + b"first\n" + b"y" * 4000) == [("stdout", b"first", False)]
    with pytest.raises(FrameError):
        splitter.rest()


def test_a_terminal_has_no_frames_and_ends_lines_with_carriage_returns() -> None:
    assert [line.content for line in split([b"one\r\nt", b"wo\r\n"], terminal=True)] == [b"one", b"two"]


def test_what_cannot_be_a_header_is_refused_not_guessed() -> None:
    with pytest.raises(FrameError):
        split([b"plain text without frames\n"])


def test_a_source_that_ends_inside_a_frame_is_told() -> None:
    with pytest.raises(FrameError):
        split([frame(1, b"whole\n") + frame(1, b"cut off")[:-2]])


def test_bytes_are_collected_by_stream_up_to_the_cap() -> None:
    output = ByteCollector(10)
    FrameSplitter(output, stamped=False).feed(frame(1, b"12345") + frame(2, b"678") + frame(1, b"90abc"))
    assert (output.kept("stdout"), output.kept("stderr"), output.clipped) == (b"1234590", b"678", True)


@given(
    some.lists(some.tuples(some.sampled_from([1, 2]), some.binary(max_size=60)), max_size=12),
    some.lists(some.integers(1, 40), min_size=1, max_size=30),
)
def test_where_the_chunks_are_cut_changes_nothing(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    data = b"".join(frame(kind, STAMP + payload) for kind, payload in frames)
    chunks, at, turn = [], 0, 0
    while at < len(data):
        step = cuts[turn % len(cuts)]
        chunks.append(data[at : at + step])
        at, turn = at + step, turn + 1
    assert split(chunks) == split([data])


@given(
    some.lists(some.binary(max_size=40).filter(lambda line: b"\n" not in line and not line.endswith(b"\r")), max_size=10),
    some.integers(1, 20),
)
def test_every_line_written_comes_back(lines: list[bytes], size: int) -> None:
    written = b"".join(line + b"\n" for line in lines)
    frames = b"".join(frame(1, written[at : at + size]) for at in range(0, len(written), size))
    assert [line.content for line in split([frames], stamped=False)] == lines
