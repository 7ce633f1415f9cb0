"""Loading a dump into a database of its own, against a real server: all that was dumped, refused whole when it is not sound."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Collection, Generator
from pathlib import Path

import bson
import pytest

from bot.errors import Conflict, NotFound, OutsideError, Unreachable
from bot.ops.dump import Dump
from bot.ops.dump_faults import Damaged
from bot.ops.dump_names import Side
from bot.ops.dump_source import open_dump
from bot.ops.dump_values import Definition, Moved
from bot.ops.load import Load
from tests.bot.ops.dump_parts import content, fill, fixture, names
from tests.servers import RealMongod

SCRATCH = Side("vcc-manager", "drill", scratch=True)


@contextlib.asynccontextmanager
async def loading(server: RealMongod, side: Side = SCRATCH) -> AsyncIterator[Load]:
    load = Load(server.uri, side)
    try:
        yield load
    finally:
        await load.close()


async def dumped(server: RealMongod, target: Path) -> Path:
    dump = Dump(server.uri)
    try:
        await dump.run(target)
    finally:
        await dump.close()
    return target


class Handmade:
    """A source of collections given in a test."""

    database = "handmade"
    total_bytes = 0

    def __init__(self, documents: dict[str, list[bytes]], *definitions: Definition) -> None:
        self.documents = documents
        self.definitions = definitions or tuple(Definition(name, "collection") for name in documents)

    def stream(self, wanted: Collection[str] | None = None) -> Generator[tuple[str, bytes, int], None, None]:
        for name, documents in self.documents.items():
            for document in documents:
                yield name, document, 1


async def test_a_dump_loaded_elsewhere_is_the_database_again(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill(real_mongod)
    source = open_dump(await dumped(real_mongod, tmp_path))
    told: list[Moved] = []
    async with loading(real_mongod) as load:
        result = await load.run(source, say=told.append)
        await load.arm(result)
        original = content(real_mongod)
        assert content(real_mongod, SCRATCH.database) == original
        assert {each.name: each.documents for each in result.collections} == {name: len(each[2]) for name, each in original.items()}
        assert {each.name: each.indexes for each in result.collections} == {name: len(each[1]) for name, each in original.items()}
        assert (told[-1].bytes, told[-1].total_bytes) == (source.total_bytes, source.total_bytes)
        with pytest.raises(Conflict, match="exists"):
            await load.run(source)
        await load.drop()
    assert (names(real_mongod, SCRATCH.database), content(real_mongod)) == (set(), original)


async def test_the_fixtures_two_forms_load_alike_with_every_index_the_view_the_capped_and_the_empty_one(real_mongod: RealMongod) -> None:
    found = []
    for form in ("directory", "archive.gz"):
        async with loading(real_mongod) as load:
            result = await load.run(open_dump(fixture() / form))
            await load.arm(result)
            found.append(content(real_mongod, SCRATCH.database))
            await load.drop()
    assert found[0] == found[1]
    loaded = found[0]
    assert {name: len(each[2]) for name, each in loaded.items() if name != "imageview"} == {
        "capped": 10, "empty": 0, "imagegenerationjobs": 200, "odd": 1, "sessions": 3, "users": 5,
    }  # fmt: skip
    assert loaded["capped"][0] == {"capped": True, "size": 65536, "max": 10}
    assert loaded["imageview"][0] == {"viewOn": "imagegenerationjobs", "pipeline": [{"$match": {"status": "failed"}}]}
    assert [(index["name"], index.get("unique"), index.get("sparse")) for index in loaded["users"][1]] == [
        ("_id_", None, None),
        ("email_1", True, None),
        ("googleId_1", True, True),
    ]
    assert loaded["sessions"][1][1]["expireAfterSeconds"] == 0


async def test_a_packed_directory_loads_too(real_mongod: RealMongod, tmp_path: Path) -> None:
    folder = tmp_path / "vcc-fixture"
    folder.mkdir()
    for path in (fixture() / "directory" / "vcc-fixture").iterdir():
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    async with loading(real_mongod) as load:
        result = await load.run(open_dump(tmp_path))
        assert sum(each.documents for each in result.collections) == 219


async def test_one_collection_is_chosen_and_one_that_is_not_there_is_told(real_mongod: RealMongod) -> None:
    async with loading(real_mongod) as load:
        with pytest.raises(NotFound, match="nowhere"):
            await load.run(open_dump(fixture() / "archive.gz"), only={"nowhere"})
        result = await load.run(open_dump(fixture() / "archive.gz"), only={"users"})
    assert ([each.name for each in result.collections], names(real_mongod, SCRATCH.database)) == (["users"], {"users"})


async def test_nothing_expires_until_it_may(real_mongod: RealMongod) -> None:
    async with loading(real_mongod) as load:
        result = await load.run(open_dump(fixture() / "directory"), only={"sessions"})
        assert content(real_mongod, SCRATCH.database)["sessions"][1][1]["expireAfterSeconds"] == 2**31 - 1
        await load.arm(result)
        assert content(real_mongod, SCRATCH.database)["sessions"][1][1]["expireAfterSeconds"] == 0


async def test_a_damaged_file_is_told_by_name_and_the_live_data_is_as_it_was(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill(real_mongod)
    live = content(real_mongod)
    target = await dumped(real_mongod, tmp_path)
    path = target / real_mongod.database / "imagegenerationjobs.bson"
    path.write_bytes(path.read_bytes()[:-7])
    side = Side(real_mongod.database, "r2")
    async with loading(real_mongod, side) as load:
        with pytest.raises(Damaged) as caught:
            await load.run(open_dump(target))
        assert caught.value.name == "imagegenerationjobs.bson"
        assert content(real_mongod) == live
        await load.drop()
    assert [name for name in names(real_mongod) if name.startswith("vccbot")] == []


async def test_what_the_server_refuses_or_changes_does_not_pass_for_loaded(real_mongod: RealMongod) -> None:
    twice = [bson.encode({"_id": 1}), bson.encode({"_id": 1})]
    # The server puts the _id first: what then stands there is not what was dumped.
    moved = [bson.encode({"a": 1, "xid": 1}).replace(b"xid", b"_id")]
    for documents, key in ((twice, "load.refused"), (moved, "load.mismatch")):
        async with loading(real_mongod) as load:
            with pytest.raises(OutsideError) as caught:
                await load.run(Handmade({"users": documents}))
            assert (caught.value.key, caught.value.values["name"]) == (key, "users")
            await load.drop()


async def test_time_series_are_refused_before_anything_is_made(real_mongod: RealMongod) -> None:
    async with loading(real_mongod) as load:
        with pytest.raises(OutsideError, match="timeseries"):
            await load.run(Handmade({}, Definition("weather", "timeseries")))
    assert names(real_mongod, SCRATCH.database) == set()


async def test_a_server_that_dies_meanwhile_is_unreachable_and_the_rest_can_be_dropped(real_mongod: RealMongod) -> None:
    big = [bson.encode({"_id": number, "text": "x" * 100_000}) for number in range(200)]
    async with loading(real_mongod) as load:
        with pytest.raises(Unreachable):
            await load.run(Handmade({"big": big}), say=lambda moved: real_mongod.kill() if moved.documents == 20 else None)
        real_mongod.start()
        await load.drop()
    assert names(real_mongod, SCRATCH.database) == set()


async def test_cancelled_in_the_middle_it_ends_at_once(real_mongod: RealMongod, tmp_path: Path) -> None:
    begun = asyncio.Event()
    big = [bson.encode({"_id": number, "text": "x" * 10_000}) for number in range(5000)]
    async with loading(real_mongod) as load:
        task = asyncio.create_task(load.run(Handmade({"big": big}), say=lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
        await load.drop()
    assert names(real_mongod, SCRATCH.database) == set()


async def test_long_names_find_a_place_beside_the_live_ones(real_mongod: RealMongod, tmp_path: Path) -> None:
    name = "very/long " * 23
    with real_mongod.client() as client:
        client[real_mongod.database][name].insert_one({"_id": 1})
    target = await dumped(real_mongod, tmp_path)
    side = Side(real_mongod.database, "r3")
    async with loading(real_mongod, side) as load:
        result = await load.run(open_dump(target))
        assert [each.name for each in result.collections] == [name]
        assert side.incoming(name) in names(real_mongod)
        await load.drop()
