"""Cutting a stream at its documents: whole ones only, whatever the blocks, and bounded memory."""

from __future__ import annotations

import io
import struct
import tracemalloc

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.bson_frames import documents, frames, whole
from bot.ops.dump_faults import Damaged

DOCUMENTS = [bson.encode({"_id": number, "text": "x" * number}) for number in range(60)]


@given(st.integers(1, 4000))
def test_the_documents_come_whole_and_in_order_whatever_the_blocks(block: int) -> None:
    pieces = list(frames(io.BytesIO(b"".join(DOCUMENTS)).read, "x", block))
    assert [each for piece, _ in pieces for each in documents(piece)] == DOCUMENTS
    assert sum(count for _, count in pieces) == len(DOCUMENTS)


def test_a_document_longer_than_a_block_comes_whole() -> None:
    huge = bson.encode({"data": b"\0" * 3_000_000})
    assert [piece for piece, _ in frames(io.BytesIO(huge * 2).read, "x")] == [huge, huge]


def test_the_end_of_the_last_whole_document_is_found() -> None:
    data = DOCUMENTS[0] + DOCUMENTS[1]
    assert whole(data + DOCUMENTS[2][:-1], "x", 0) == (len(data), 2)
    assert whole(b"", "x", 0) == (0, 0)


@pytest.mark.parametrize("length", [0, 4, 1 << 31, (1 << 32) - 1])
def test_an_absurd_length_is_named_and_never_waited_for(length: int) -> None:
    endless = io.BytesIO(DOCUMENTS[3] + struct.pack("<I", length) + b"\0" * 40_000_000)
    tracemalloc.start()
    with pytest.raises(Damaged) as caught:
        list(frames(endless.read, "x"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (caught.value.offset, peak < 8 << 20) == (len(DOCUMENTS[3]), True)


def test_a_document_that_does_not_end_is_named() -> None:
    with pytest.raises(Damaged) as caught:
        list(frames(io.BytesIO(DOCUMENTS[0] + DOCUMENTS[1][:-1] + b"x").read, "x"))
    assert caught.value.offset == len(DOCUMENTS[0] + DOCUMENTS[1]) - 1
