"""The body of an answer comes whole however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.container_chunks import Dechunker
from tests.bot.ops.log_samples import chunked


@given(st.lists(st.integers(1, 6_000), max_size=8), st.integers(1, 7_000))
def test_a_body_in_chunks_comes_whole_however_it_is_cut(sizes: list[int], step: int) -> None:
    parts = [b"%d\r\n" % number + bytes(size) for number, size in enumerate(sizes)]
    data, chunks = chunked(*parts), Dechunker()
    assert b"".join(chunks.feed(data[at : at + step]) for at in range(0, len(data), step)) == b"".join(parts)
    assert chunks.ended


@pytest.mark.parametrize("data", [b"zz\r\nabc\r\n", b"x" * 500, b"\r\n\r\n"])
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        Dechunker().feed(data)
