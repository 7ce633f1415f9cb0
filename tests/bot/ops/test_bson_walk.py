"""Walking BSON: sound documents pass, damaged ones are found and the byte is named, and no input does harm."""

from __future__ import annotations

import gzip
import io
import os
import struct
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.binary import Binary
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import OutsideError
from bot.ops import bson_walk
from bot.ops.bson_walk import BsonCounts, fault, walk, walk_bson
from bot.ops.dump_faults import Damaged
from tests.bot.ops.dump_parts import ODD, fixture

SOUND = bson.encode({"_id": 1, "name": "cat", "inner": {"list": [1, 2.5, True, None]}, "data": Binary(b"abc", 0)})


def damaged(data: bytes) -> Damaged:
    with pytest.raises(Damaged) as caught:
        walk(io.BytesIO(data).read, "x.bson")
    return caught.value


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize("document", ODD, ids=lambda each: str(each["_id"]))
def test_every_type_is_sound_in_both_ways_of_looking(document: dict[str, Any]) -> None:
    data = bson.encode(document)
    assert (fault(data), walk(io.BytesIO(data).read, "x")) == (None, BsonCounts(1, len(data)))


def test_text_that_is_no_utf_8_is_stored_by_servers_and_so_is_sound() -> None:
    data = bson.encode({"key": "abc"}).replace(b"abc", b"\xff\xfe\xfd").replace(b"key", b"k\xff\xfe")
    assert walk(io.BytesIO(data).read, "x").documents == 1


def test_the_real_mongodumps_files_are_sound_packed_or_not(tmp_path: Path) -> None:
    for path in sorted((fixture() / "directory" / "vcc-fixture").glob("*.bson")):
        packed = tmp_path / f"{path.name}.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        counts = walk_bson(path)
        assert counts == walk_bson(packed) == BsonCounts(len(bson.decode_all(path.read_bytes())), path.stat().st_size)


def test_nothing_at_all_is_a_sound_file() -> None:
    assert walk(io.BytesIO().read, "x") == BsonCounts(0, 0)


@pytest.mark.parametrize(
    ("at", "value", "offset"),
    [
        (4, b"\x66", 4),  # no such type
        (0, struct.pack("<i", len(SOUND) - 1), len(SOUND) - 2),  # its length one too short
        (SOUND.index(b"cat") - 4, struct.pack("<i", 900), SOUND.index(b"cat") - 4 + 4),  # a text beyond its document
        (SOUND.index(b"cat") - 4, struct.pack("<i", 0), SOUND.index(b"cat") - 4),  # a text without its end
        (SOUND.index(b"cat") + 3, b"x", SOUND.index(b"cat") + 3),  # an end that is none
        (SOUND.index(b"inner") + 6, struct.pack("<i", 4000), SOUND.index(b"inner") + 6),  # a document beyond the one around it
        (SOUND.index(b"abc") - 5, struct.pack("<i", -1), SOUND.index(b"abc") - 5),  # binary data of negative length
        (len(SOUND) - 1, b"x", len(SOUND) - 1),  # no end of the document
    ],
)
def test_the_byte_of_the_first_fault_is_named_in_the_second_document_too(at: int, value: bytes, offset: int) -> None:
    broken = changed(SOUND, at, value)
    assert damaged(broken).offset == offset
    error = damaged(SOUND + broken + SOUND)
    assert (error.offset, error.name) == (len(SOUND) + offset, "x.bson")


def test_a_truncated_file_is_found_wherever_it_ends() -> None:
    for cut in range(1, len(SOUND)):
        assert damaged(SOUND + SOUND[:cut]).offset == len(SOUND)


@pytest.mark.parametrize("length", [0, 4, 2**31 - 1, 2**32 - 1, (16 << 20) + (16 << 10) + 1])
def test_an_absurd_length_is_refused_without_reading_on(length: int) -> None:
    assert damaged(struct.pack("<I", length) + b"\0" * 20).offset == 0


def test_nesting_without_end_is_refused() -> None:
    for depth, sound in ((150, True), (300, False), (2000, False)):
        inner = b"\5\0\0\0\0"
        for _ in range(depth):
            inner = struct.pack("<i", len(inner) + 8) + b"\3a\0" + inner + b"\0"
        assert (fault(inner) is None) == sound


def test_a_huge_document_is_walked_without_being_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = bson.encode({"list": [{} for _ in range(200_000)]})
    monkeypatch.setattr(bson_walk, "_decodes", lambda piece: pytest.fail("unpacked") if len(piece) > 1 << 20 else True)
    assert walk(io.BytesIO(huge).read, "x").documents == 1


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([SOUND, *map(bson.encode, ODD)]), st.data())
def test_whatever_is_flipped_it_is_sound_for_both_or_a_fault_inside_is_named(document: bytes, data: st.DataObject) -> None:
    flipped = bytearray(document)
    for _ in range(data.draw(st.integers(1, 3))):
        flipped[data.draw(st.integers(4, len(document) - 2))] = data.draw(st.integers(0, 255))
    found = fault(bytes(flipped))
    if found is None:
        return
    assert 0 <= found[0] < len(flipped)
    # What the element walk calls a fault, the driver's decoder never lets pass.
    assert damaged(bytes(flipped)).offset == found[0]


def test_a_link_or_a_pipe_is_not_opened(tmp_path: Path) -> None:
    target = tmp_path / "whole.bson"
    target.write_bytes(SOUND)
    (tmp_path / "link.bson").symlink_to(target)
    os.mkfifo(tmp_path / "pipe.bson")
    for name in ("link.bson", "pipe.bson"):
        with pytest.raises(OutsideError, match=r"dump\."):
            walk_bson(tmp_path / name)
