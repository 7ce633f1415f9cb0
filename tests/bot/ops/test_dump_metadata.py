"""The metadata file: what is written is read again to the last type, mongodump's is understood, rubbish is refused."""

from __future__ import annotations

import bson
import pytest

from bot.errors import OutsideError
from bot.ops.dump_faults import Damaged
from bot.ops.dump_metadata import listed, pack, read, unpack, written
from bot.ops.dump_values import Definition
from tests.bot.ops.dump_parts import fixture

INDEX = {"v": 2, "key": {"a": 1, "b": bson.Int64(-1), "c": "text", "d": 1.0}, "name": "a_1"}


def test_options_and_indexes_come_back_with_their_order_and_types() -> None:
    options = {"validator": {"$expr": {"$gt": ["$a", bson.Int64(1)]}, "r": bson.Regex("a/b", "i")}, "size": 1.0, "한글": [None, True]}
    definition = Definition("odd/name", "collection", options, (INDEX,), "ab" * 16)
    again = read(written(definition), "x", "")
    assert again == definition
    assert list(again.indexes[0]["key"]) == ["a", "b", "c", "d"]
    assert [type(value) for value in again.indexes[0]["key"].values()] == [int, bson.Int64, str, float]


def test_the_real_mongodumps_files_are_written_again_byte_for_byte() -> None:
    for path in sorted((fixture() / "directory" / "vcc-fixture").glob("*.metadata.json")):
        assert written(read(path.read_bytes(), path.name, "")) == path.read_bytes(), path.name


def test_the_servers_list_tells_capped_ones_and_views() -> None:
    uuid = bson.Binary(b"u" * 16, 4)
    entries = [
        {"name": "a", "type": "collection", "options": {"capped": True}, "info": {"uuid": uuid}},
        {"name": "b", "type": "view", "options": {"viewOn": "a", "pipeline": []}, "info": {"readOnly": True}},
        {"name": "c", "type": "timeseries", "options": {"timeseries": {"timeField": "t"}}},
    ]
    assert [(each.kind, each.uuid) for each in map(listed, entries)] == [("capped", "75" * 16), ("view", ""), ("timeseries", "")]


def test_old_metadata_without_name_and_type_take_the_files() -> None:
    assert read(b'{"options":{},"indexes":[{"v":1,"key":{"_id":1},"name":"_id_","ns":"x.users"}]}', "x", "users").name == "users"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'"text"', b"\xff", b'{"options":[]}', b'{"indexes":{}}', b'{"indexes":[1]}', b'{"indexes":[{"key":{},"name":"x"}]}',
     b'{"indexes":[{"key":{"a":1}}]}', b'{"options":{"a":{"$oid":"zz"}}}', b'{"options":{"a":{"$date":{}}}}', b"[" * 100_000,
     b'{"options":{"a":{"$binary":1}}}', b'{"options":{"a":{"$numberLong":"x"}}}', b'{"options":{"a":{"$timestamp":{"t":-1,"i":1}}}}'],
    ids=lambda content: content[:30].decode(errors="replace"),
)  # fmt: skip
def test_rubbish_is_damaged(content: bytes) -> None:
    with pytest.raises(Damaged):
        read(content, "x.metadata.json", "x")


def test_a_hostile_name_and_an_unknown_kind_are_refused() -> None:
    with pytest.raises(OutsideError, match="unsafe_name"):
        read(b'{"collectionName":"../../etc/passwd","indexes":[]}', "x", "x")
    with pytest.raises(OutsideError, match="unknown_kind"):
        read(b'{"type":"hologram","indexes":[]}', "x", "x")


def test_anything_of_the_servers_is_kept_as_text() -> None:
    content = {"pipeline": [{"$match": {"a.b": {"$in": [bson.Int64(1), 2.0]}}}]}
    assert unpack(pack(content)) == content
