"""Frames in HTTP's chunks are the frames that are in them, however the answer is cut and wrapped."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.container_frames import FrameError
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_candidates import candidates
from bot.ops.log_chunked import ChunkedFrames
from bot.ops.log_chunks import NOWHERE, FrameChunk
from bot.ops.log_entries import Between
from bot.ops.log_errors import ErrorFinder
from bot.ops.log_frames import FRAME_CAP, frames_of
from tests.bot.ops.log_samples import Said, chunked, on_wire, service
from tests.bot.ops.test_log_errors import a_log, told

SIZES = (0, 1, 180, 216, 217, 250, 480, 481, 4_000, 4_060, 4_100, 16_384)


def hard(size: int, stream: str) -> Said:
    """What looks like a chunk, and like a frame."""
    return Said("\1\0\0\0\r\n2" * (size // 7) + "x" * (size % 7) + "\n", stream)


SAID = st.lists(st.builds(hard, st.sampled_from(SIZES), st.sampled_from(["stdout", "stderr"])), max_size=6)


def fed(data: bytes, step: int) -> tuple[ChunkedFrames, list[FrameChunk]]:
    frames, found = ChunkedFrames(), list[FrameChunk]()
    for at in range(0, len(data), step):
        found += frames.feed(data[at : at + step])
    return frames, found


def every_frame(found: Sequence[FrameChunk]) -> list[bytes]:
    return [each.frame for chunk in found for each in frames_of(chunk)]


@given(SAID, st.integers(9, 9_000))
def test_every_frame_comes_however_the_answer_is_cut(every: list[Said], step: int) -> None:
    frames, found = fed(chunked(*on_wire(every)), step)
    assert every_frame(found) == on_wire(every)
    assert frames.ended
    frames.close()


@given(SAID, st.lists(st.integers(1, 5_000), min_size=1, max_size=8), st.integers(9, 9_000))
def test_chunks_that_are_no_frames_are_taken_apart(every: list[Said], cuts: list[int], step: int) -> None:
    wire, parts = b"".join(on_wire(every)), list[bytes]()
    for cut in cuts:
        parts, wire = [*parts, wire[:cut]] if wire[:cut] else parts, wire[cut:]
    frames, found = fed(chunked(*parts, *[wire] * bool(wire)), step)
    assert every_frame(found) == on_wire(every)
    assert frames.ended
    frames.close()


def test_nothing_is_ended_before_the_last_chunk() -> None:
    data = chunked(*on_wire([Said("one\n"), Said("two\n")]))
    for end in range(len(data) - 4):
        frames, _ = fed(data[:end], 1_000)
        assert not frames.ended, end


def test_a_frame_that_was_never_all_there_is_told() -> None:
    frames, _ = fed(chunked(on_wire([Said("one\n")])[0][:-1]), 1_000)
    assert frames.ended
    with pytest.raises(FrameError):
        frames.close()


@pytest.mark.parametrize("part", [b"\7\0\0\0\0\0\0\2ab", b"x" * 40, b"\1\0\0\0" + (FRAME_CAP + 1).to_bytes(4, "big") + b"x" * 50])
def test_what_is_no_frame_is_refused(part: bytes) -> None:
    with pytest.raises(FrameError):
        fed(chunked(*on_wire([Said("one\n")]), part, *on_wire([Said("two\n")])), 1_000)


def test_what_is_no_chunk_is_refused() -> None:
    with pytest.raises(ValueError):
        fed(chunked(*on_wire([Said("one\n")]))[:-5] + b"z" * 500, 1_000)


def test_a_stream_is_found_forwards_and_backwards_past_bytes_that_look_like_its_own() -> None:
    every = [Said("a\n"), Said("\2 \2\0\0\0 \2\n"), Said("b" * 500 + "\n"), Said("e\n", "stderr"), Said("\2\0\0\0\n"), Said("no end")]
    _, (chunk,) = fed(chunked(*on_wire(every)), 1 << 20)
    starts = chunk.starts
    assert chunk.next_of("stderr", 0) == starts[3]
    assert chunk.next_of("stderr", chunk.entry(starts[3])[1]) == NOWHERE
    assert [chunk.before("stderr", start) for start in starts[:4]] == [None] * 4
    assert chunk.before("stderr", starts[5]) == (True, NOWHERE)
    assert chunk.before("stdout", chunk.size) == (False, starts[5])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("step", [1_000, 20_000, 1 << 20])
def test_the_errors_are_those_of_every_line(seed: int, step: int) -> None:
    every, grouper = a_log(seed), ErrorGrouper()
    finder = ErrorFinder(service(), grouper, Between(None, None))
    for chunk in fed(chunked(*on_wire(every)), step)[1]:
        finder.take(chunk, candidates(chunk.data, chunk.size))
    finder.close()
    assert grouper.groups(known=True) == told(every)
