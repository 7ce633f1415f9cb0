"""Dumping against a real server: mongodump's layout, byte for byte, and what happens while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import bson
import pytest

from bot.errors import Denied, OutsideError, Unreachable
from bot.ops.bson_fingerprint import fingerprint_file
from bot.ops.dump import Dump
from bot.ops.dump_files import PART
from bot.ops.dump_names import Side
from bot.ops.dump_source import open_dump
from bot.ops.dump_values import DumpResult, Moved
from bot.ops.load import Load
from tests.bot.ops.dump_parts import content, fill, fixture
from tests.servers import RealMongod


@contextlib.asynccontextmanager
async def dumper(uri: str, database: str = "") -> AsyncIterator[Dump]:
    dump = Dump(uri, database=database)
    try:
        yield dump
    finally:
        await dump.close()


async def dumped(server: RealMongod, target: Path) -> DumpResult:
    async with dumper(server.uri) as dump:
        return await dump.run(target)


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("form", ["directory", "archive.gz"])
async def test_mongodumps_own_dump_is_dumped_again_byte_for_byte(real_mongod: RealMongod, tmp_path: Path, form: str) -> None:
    side = Side("vcc-fixture", "t1", scratch=True)
    load = Load(real_mongod.uri, side)
    result = await load.run(open_dump(fixture() / form))
    await load.arm(result)
    await load.close()
    async with dumper(real_mongod.uri, side.database) as dump:
        await dump.run(tmp_path)
    ours, theirs = files(tmp_path / side.database), files(fixture() / "directory" / "vcc-fixture")
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        if name.endswith(".bson"):
            assert ours[name] == expected, name
            continue
        mine, wanted = json.loads(ours[name]), json.loads(expected)
        assert (list(mine), len(mine.pop("uuid", ""))) == (list(wanted), len(wanted.pop("uuid", ""))), name
        assert mine == wanted, name
        assert b": " not in ours[name], "as compact as theirs"


async def test_every_collection_is_there_with_its_counts_and_hashes(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill(real_mongod)
    result = await dumped(real_mongod, tmp_path)
    folder = tmp_path / real_mongod.database
    raw = content(real_mongod)
    assert [each.name for each in result.collections] == sorted(raw)
    assert (result.consistency, result.cluster_time, result.left_out, result.server_version[0]) == ("none", None, (), "6")
    for each in result.collections:
        metadata = (folder / f"{each.file}.metadata.json").read_bytes()
        assert hashlib.sha256(metadata).hexdigest() == each.sha256_metadata
        if each.kind == "view":
            assert not (folder / f"{each.file}.bson").exists()
            continue
        documents = (folder / f"{each.file}.bson").read_bytes()
        assert documents == b"".join(raw[each.name][2]), each.name
        assert (each.documents, each.bytes, each.indexes) == (len(raw[each.name][2]), len(documents), len(raw[each.name][1]))
        assert hashlib.sha256(documents).hexdigest() == each.sha256_bson
    assert {each.kind for each in result.collections} == {"collection", "capped", "view"}
    assert (folder / "odd%2Fname+with+%25%2B+%ED%95%9C%EA%B8%80.bson").exists()
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


async def test_the_profile_and_the_bots_own_collections_are_left_out(real_mongod: RealMongod, tmp_path: Path) -> None:
    with real_mongod.client() as client:
        database = client[real_mongod.database]
        database.command("profile", 2)
        database["users"].insert_one({})
        database.command("profile", 0)
        database["vccbot.old.abc.users"].insert_one({})
        assert "system.profile" in database.list_collection_names()
    result = await dumped(real_mongod, tmp_path)
    assert [each.name for each in result.collections] == ["users"]


async def test_an_empty_database_is_a_directory_without_files(real_mongod: RealMongod, tmp_path: Path) -> None:
    result = await dumped(real_mongod, tmp_path)
    assert (result.collections, list((tmp_path / real_mongod.database).iterdir())) == ((), [])


async def test_time_series_are_refused_by_name_before_anything_is_written(real_mongod: RealMongod, tmp_path: Path) -> None:
    with real_mongod.client() as client:
        client[real_mongod.database].create_collection("weather", timeseries={"timeField": "t"})
    with pytest.raises(OutsideError) as caught:
        await dumped(real_mongod, tmp_path)
    assert (caught.value.key, caught.value.values["name"], files(tmp_path)) == ("dump.timeseries", "weather", {})


async def test_progress_goes_up_to_all_that_there_is(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill(real_mongod)
    told: list[Moved] = []
    async with dumper(real_mongod.uri) as dump:
        result = await dump.run(tmp_path, say=told.append)
    assert told[-1].documents == result.documents
    assert told[-1].bytes == result.bytes == told[-1].total_bytes
    assert [each.bytes for each in told] == sorted(each.bytes for each in told)


async def test_a_live_collection_and_its_file_have_one_fingerprint(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill(real_mongod)
    await dumped(real_mongod, tmp_path)
    path = tmp_path / real_mongod.database / "imagegenerationjobs.bson"
    async with dumper(real_mongod.uri) as dump:
        for sample in (1, 7):
            assert await dump.fingerprint("imagegenerationjobs", sample=sample) == fingerprint_file(path, sample)
        with real_mongod.client() as client:
            client[real_mongod.database]["imagegenerationjobs"].update_one({"_id": 3}, {"$set": {"status": "xx"}})
        assert (await dump.fingerprint("imagegenerationjobs")).digest != fingerprint_file(path).digest


class Meanwhile:
    """Does something at the first progress that is told of a collection, when the dump is in its middle."""

    def __init__(self, server: RealMongod, collection: str, action: str) -> None:
        self.server, self.collection, self.action, self.done = server, collection, action, False

    def __call__(self, moved: Moved) -> None:
        if self.done or moved.collection != self.collection:
            return
        self.done = True
        if self.action == "kill":
            self.server.kill()
            return
        with self.server.client() as client:
            collection = client[self.server.database][self.collection]
            collection.drop() if self.action == "drop" else collection.insert_one({"_id": "new"})


def fill_two(server: RealMongod) -> None:
    with server.client() as client:
        database = client[server.database]
        database["big"].insert_many([{"_id": number, "text": "x" * 1000} for number in range(6000)])
        database["small"].insert_one({"_id": 1})


async def test_a_collection_dropped_meanwhile_is_left_out_and_told(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill_two(real_mongod)
    async with dumper(real_mongod.uri) as dump:
        result = await dump.run(tmp_path, say=Meanwhile(real_mongod, "big", "drop"))
    assert ([each.name for each in result.collections], result.left_out) == (["small"], ("big",))
    assert sorted(files(tmp_path / real_mongod.database)) == ["small.bson", "small.metadata.json"]


async def test_a_document_inserted_meanwhile_does_no_harm(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill_two(real_mongod)
    async with dumper(real_mongod.uri) as dump:
        result = await dump.run(tmp_path, say=Meanwhile(real_mongod, "big", "insert"))
    assert result.collections[0].documents in (6000, 6001)
    assert len(bson.decode_all((tmp_path / real_mongod.database / "big.bson").read_bytes())) == result.collections[0].documents


async def test_a_server_that_dies_meanwhile_leaves_no_file_that_looks_whole(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill_two(real_mongod)
    async with dumper(real_mongod.uri) as dump:
        with pytest.raises(Unreachable):
            await dump.run(tmp_path, say=Meanwhile(real_mongod, "big", "kill"))
    assert files(tmp_path / real_mongod.database) == {}


async def test_cancelled_in_the_middle_it_ends_at_once_and_leaves_no_file_that_looks_whole(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill_two(real_mongod)
    begun = asyncio.Event()
    async with dumper(real_mongod.uri) as dump:
        task = asyncio.create_task(dump.run(tmp_path, say=lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
    assert [name for name in files(tmp_path / real_mongod.database) if not name.endswith(PART)] == []


async def test_a_wrong_password_is_denied(real_mongod: RealMongod, tmp_path: Path) -> None:
    async with dumper(real_mongod.uri.replace(real_mongod.password, "wrongword")) as dump:
        with pytest.raises(Denied):
            await dump.run(tmp_path)
    assert files(tmp_path) == {}
