"""What a load left is compared with its definitions and documents, against a real server: every difference is found, and only those."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import BulkWriteError, OperationFailure

from bot.errors import OutsideError, Rejected, Unreachable
from bot.ops.bson_frames import documents
from bot.ops.dump_names import Side
from bot.ops.dump_source import open_dump
from bot.ops.dump_values import Definition
from bot.ops.load import Load
from bot.ops.load_check import Difference, LoadCheck, refused_content
from tests.bot.ops.dump_parts import fill
from tests.bot.ops.test_load import dumped
from tests.servers import RealMongod

SIDE = Side("vcc-manager", "drill-1", scratch=True)

# The first difference by name is told, so each of these hides the one before it.
SPOILT: tuple[tuple[Callable[[Any], object], Difference], ...] = (
    (lambda db: db["users"].drop_index("email_1"), Difference("index_missing", "users", "email_1")),
    (
        lambda db: db.command("collMod", "sessions", index={"name": "expires_1", "expireAfterSeconds": 1_999_999_999}),
        Difference("index", "sessions", "expires_1", "expireAfterSeconds"),
    ),
    (lambda db: db["prompts"].create_index("text"), Difference("index_extra", "prompts", "text_1")),
    (lambda db: db.command("collMod", "fs.chunks", validator={"n": 1}), Difference("option", "fs.chunks", "validationAction")),
    (lambda db: db.command("collMod", "failedjobs", viewOn="users", pipeline=[]), Difference("option", "failedjobs", "pipeline")),
    (lambda db: db["empty"].drop() or db.create_collection("empty", capped=True, size=4096), Difference("kind", "empty")),
    (lambda db: db["capped"].drop(), Difference("missing", "capped")),
    (lambda db: db.create_collection("another"), Difference("extra", "another")),
)


async def test_everything_odd_is_equal_once_loaded_and_each_difference_is_told(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill(real_mongod)
    source = open_dump(await dumped(real_mongod, tmp_path))
    kept: dict[str, list[bytes]] = {}
    for name, data, _ in source.stream():
        kept.setdefault(name, []).extend(documents(data))
    load, check = Load(real_mongod.uri, SIDE), LoadCheck(real_mongod.uri, SIDE)
    try:
        await load.arm(await load.run(source))
        assert await check.difference(source.definitions) is None
        assert {name: await check.changed(name, each) for name, each in kept.items()} == dict.fromkeys(kept, 0)
        assert (await check.free_bytes() or 0) > 1 << 20
        with real_mongod.client() as client:
            scratch = client[SIDE.database]
            scratch["imagegenerationjobs"].update_many({"_id": {"$in": [3, 4]}}, {"$set": {"status": "lost"}})
            assert await check.changed("imagegenerationjobs", kept["imagegenerationjobs"]) == 2
            for spoil, expected in SPOILT:
                spoil(scratch)
                assert await check.difference(source.definitions) == expected
    finally:
        await load.drop()
        await load.close()
        await check.close()


async def test_the_order_of_an_indexes_fields_counts_and_what_old_servers_told_does_not(real_mongod: RealMongod) -> None:
    index = {"v": 1, "key": {"a": 1, "b": -1}, "name": "two", "ns": "x.y"}
    with real_mongod.client() as client:
        client[SIDE.database]["things"].create_index([("b", -1), ("a", 1)], name="two")
        check = LoadCheck(real_mongod.uri, SIDE)
        try:
            turned = Definition("things", "collection", {"autoIndexId": True}, (index,))
            assert await check.difference([turned]) == Difference("index", "things", "two", "key")
            client[SIDE.database]["things"].drop_index("two")
            client[SIDE.database]["things"].create_index([("a", 1), ("b", -1)], name="two")
            assert await check.difference([turned]) is None
        finally:
            await check.close()


def caused(error: OutsideError, cause: Exception) -> OutsideError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_so"),
    [
        (caused(OutsideError("load.refused", system="mongodb"), BulkWriteError({"writeErrors": [{"code": 11000}]})), True),
        (caused(OutsideError("load.refused", system="mongodb"), BulkWriteError({"writeErrors": [{"code": 14031}]})), False),
        (caused(OutsideError("load.refused", system="mongodb"), BulkWriteError({"writeErrors": []})), False),
        (caused(Rejected("mongodb"), OperationFailure("", 67)), True),
        (caused(Rejected("mongodb"), OperationFailure("out of disk space", 14031)), False),
        (caused(Unreachable("mongodb"), OperationFailure("", 11000)), False),
        (Rejected("mongodb"), False),
    ],
)
def test_only_what_the_server_refuses_for_its_content_is_the_contents_fault(error: OutsideError, is_so: bool) -> None:
    assert refused_content(error) is is_so
