"""Reading mongodump's archive: its own, interleaved ones, and everything that somebody may have done to one."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bson
import pytest
from fastcrc import crc64
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import OutsideError
from bot.ops.dump_archive import MAGIC
from bot.ops.dump_faults import Damaged
from bot.ops.dump_source import open_dump
from tests.bot.ops.dump_parts import fixture

END = b"\xff" * 4
HEADER = bson.encode({"concurrent_collections": 4, "version": "0.1", "server_version": "6.0.5", "tool_version": "x"})
ONE, TWO = bson.encode({"_id": 1}), bson.encode({"_id": 2, "text": "x" * 1000})


def entry(name: str, database: str = "db", kind: str = "collection") -> bytes:
    metadata = f'{{"indexes":[],"collectionName":"{name}","type":"{kind}"}}'
    return bson.encode({"db": database, "collection": name, "metadata": metadata, "size": 0, "type": kind})


def block(name: str, *documents: bytes, database: str = "db", end: bytes | None = None) -> bytes:
    """Documents; or a collection's end, when ``end`` holds what the checksum is of."""
    checksum = 0 if end is None else crc64.xz(end)
    header: dict[str, Any] = {
        "db": database,
        "collection": name,
        "EOF": end is not None,
        "CRC": bson.Int64(struct.unpack("<q", struct.pack("<Q", checksum))[0]),
    }
    return bson.encode(header) + b"".join(documents) + END


def archive(*blocks: bytes, entries: Sequence[bytes] = (entry("a"), entry("b"))) -> bytes:
    return MAGIC + HEADER + b"".join(entries) + END + b"".join(blocks)


WHOLE = archive(block("a", ONE), block("b", TWO, ONE), block("a", TWO), block("b", end=TWO + ONE), block("a", end=ONE + TWO))


def streamed(path: Path, content: bytes, database: str = "") -> dict[str, bytes]:
    path = path / "archive"
    path.write_bytes(content)
    found: dict[str, bytes] = {}
    source = open_dump(path, database)
    for name, data, _ in source.stream():
        found[name] = found.get(name, b"") + data
    return found


def test_the_real_mongodumps_archive_holds_what_its_directory_holds(tmp_path: Path) -> None:
    packed, directory = open_dump(fixture() / "archive.gz"), open_dump(fixture() / "directory")
    uuids_aside = [(each.name, each.kind, each.options, each.indexes) for each in packed.definitions]
    assert uuids_aside == [(each.name, each.kind, each.options, each.indexes) for each in directory.definitions]
    files = {path.name.removesuffix(".bson"): path.read_bytes() for path in (fixture() / "directory" / "vcc-fixture").glob("*.bson")}
    found = streamed(tmp_path, (fixture() / "archive.gz").read_bytes())
    assert found == {name: data for name, data in files.items() if data}
    assert streamed(tmp_path, gzip.decompress((fixture() / "archive.gz").read_bytes())) == found


def test_alternating_blocks_come_apart_in_order(tmp_path: Path) -> None:
    assert streamed(tmp_path, WHOLE) == {"a": ONE + TWO, "b": TWO + ONE}


def test_what_is_not_wanted_is_proven_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(WHOLE)
    assert {name for name, _, _ in open_dump(tmp_path / "archive").stream({"a"})} == {"a"}
    (tmp_path / "archive").write_bytes(WHOLE.replace(TWO + ONE + END, ONE + TWO + END, 1))
    with pytest.raises(Damaged):
        list(open_dump(tmp_path / "archive").stream({"a"}))


def test_blocks_larger_than_what_is_read_at_once_come_whole(tmp_path: Path) -> None:
    big = bson.encode({"data": b"\xff" * 3_000_000})
    content = archive(block("a", big, ONE, big), block("a", end=big + ONE + big), entries=[entry("a")])
    assert streamed(tmp_path, content) == {"a": big + ONE + big}


def test_one_of_several_databases_is_chosen(tmp_path: Path) -> None:
    content = archive(
        block("a", ONE), block("a", TWO, database="other"), block("a", end=ONE), block("a", end=TWO, database="other"),
        entries=[entry("a"), entry("a", "other")],
    )  # fmt: skip
    assert streamed(tmp_path, content, "other") == {"a": TWO}
    with pytest.raises(OutsideError, match="several"):
        streamed(tmp_path, content)
    with pytest.raises(OutsideError, match=r"dump\.none"):
        streamed(tmp_path, content, "third")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "dump.none"),
        (b"PK\3\4 not an archive", "dump.none"),
        (MAGIC, "dump.damaged"),
        (MAGIC + b"\xff\xff\xff\x7f", "dump.damaged"),
        (MAGIC + HEADER, "dump.damaged"),
        (archive(block("c", ONE)), "dump.damaged"),
        (archive(block("a", ONE, database="../etc")), "dump.damaged"),
        (archive(block("a", end=b""), block("a", ONE)), "dump.damaged"),
        (archive(block("a", ONE), block("a", end=TWO), block("b", end=b"")), "dump.damaged"),
        (archive(END), "dump.damaged"),
        (archive(block("a", ONE)[:-4] + b"\xf0\xff\xff\xff" + END), "dump.damaged"),
        (archive(block("a", ONE)[:-4] + struct.pack("<i", 1 << 30) + END), "dump.damaged"),
        (archive(entries=[entry("a"), entry("a")]), "dump.damaged"),
        (archive(entries=[bson.encode({"db": 1, "collection": "a"})]), "dump.damaged"),
        (archive(entries=[bson.encode({"collection": "a"})]), "dump.damaged"),
        (archive(entries=[bson.encode({"db": "db"})]), "dump.damaged"),
        (archive(entries=[entry("../../etc/passwd")]), "dump.unsafe_name"),
        (archive(entries=[entry("a", "../../etc")]), "dump.unsafe_name"),
        (archive(entries=[entry("a", "a/b")]), "dump.unsafe_name"),
        (archive(entries=[entry("a").replace(b'Name":"a"', b'Name":"b"')]), "dump.damaged"),
        (WHOLE[:-30], "dump.damaged"),
        (gzip.compress(WHOLE)[:-20], "dump.damaged"),
    ],
)
def test_a_hostile_or_damaged_archive_is_refused(tmp_path: Path, content: bytes, key: str) -> None:
    with pytest.raises(OutsideError) as caught:
        streamed(tmp_path, content)
    assert caught.value.key == key
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_an_archive_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    for cut in range(1, len(WHOLE), 23):
        with pytest.raises(OutsideError):
            streamed(tmp_path, WHOLE[:-cut])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_is_found_or_changes_nothing_that_counts(tmp_path: Path, data: st.DataObject) -> None:
    flipped = bytearray(WHOLE)
    flipped[data.draw(st.integers(0, len(WHOLE) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = streamed(tmp_path, bytes(flipped))
    except OutsideError:
        return
    # Of the prelude some words mean nothing to us; the documents are those that were dumped.
    assert sorted(found.values()) == sorted([ONE + TWO, TWO + ONE])


def test_a_bomb_takes_no_more_memory_than_any_other_archive(tmp_path: Path) -> None:
    documents = [bson.encode({"_id": number, "data": b"\0" * 1_000_000}) for number in range(60)]
    content = gzip.compress(archive(block("a", *documents), block("a", end=b"".join(documents)), entries=[entry("a")]), 1)
    (tmp_path / "archive").write_bytes(content)
    del documents, content
    tracemalloc.start()
    count = sum(count for _, _, count in open_dump(tmp_path / "archive").stream())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < 16 << 20) == (60, True)
