"""After a restore no job without a document is left in any queue of real Bull, and until it is settled everything can be undone."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest
from bson import ObjectId

from bot import config
from bot.backup.queue_archive import read_archive
from bot.backup.reconcile import Reconciliation
from bot.backup.work import Hooks, Step, Threads
from bot.errors import OutsideError, Unreachable
from bot.ops.bundle import Ops
from bot.ops.mongo import JOBS
from tests.bot.ops.bull_parts import keyspace, line_of, raw, waiting
from tests.bull import QUEUE
from tests.real_parts import BullMaker
from tests.servers import RealMongod, RealRedis

RUNS = "파이프라인 run:1"
PROMPT = "바닷가의 고양이"


@contextlib.asynccontextmanager
async def adapters(home: Path, redis: RealRedis, mongod: RealMongod, **more: str) -> AsyncIterator[Ops]:
    environment = {"VCC_HOME": str(home), "REDIS_URL": redis.url, "MONGODB_URI": mongod.uri, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    ops = Ops(config.read({**environment, **more}, None))
    try:
        yield ops
    finally:
        await ops.close()


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads()
    yield made
    made.close()


@dataclass(frozen=True)
class Restored:
    """Queues of real Bull beside a database that lacks some of their documents: the jobs that must go, those that stay."""

    gone: frozenset[tuple[str, str]]
    stay: frozenset[tuple[str, str]]
    locked: str


def restored(bull_node: BullMaker, redis: RealRedis, mongod: RealMongod) -> Restored:
    there, lost = [str(ObjectId()) for _ in range(3)], [str(ObjectId()) for _ in range(7)]
    with mongod.client() as client:
        database = client[mongod.database]
        database[JOBS].insert_many([{"_id": ObjectId(each)} for each in there[:2]])
        database["pipelineruns"].insert_one({"_id": ObjectId(there[2])})
        database[f"vccbot.old.m1.{JOBS}"].insert_many([{"_id": ObjectId(each)} for each in lost])
    bull, runs = bull_node(redis.url), bull_node(redis.url, RUNS)
    ended = bull.add({"jobId": there[0]}, {"jobId": lost[0]}, {"jobId": lost[1], "fail": True}, {"jobId": there[0], "fail": True})
    bull.run("work")
    more = [
        {"data": {"jobId": lost[2]}, "opts": {"priority": 1}},
        {"data": {"jobId": there[1], "runId": lost[6]}},
        {"data": {"jobId": lost[3], "inputData": {"prompt": PROMPT, "jobId": there[0]}}},
        {"data": {"userId": lost[4]}},
        {"data": {"jobId": "번호"}},
        {"data": {"jobId": lost[4]}, "opts": {"delay": 600_000}},
    ]
    ids = bull.run("add", jobs=more)
    (locked,) = bull.run("take", count=1, lock=True)
    alive, dead = runs.add({"pipelineRunId": there[2]}, {"runId": lost[5]})
    with raw(redis) as client:
        client.pexpire(f"bull:{QUEUE}:{locked}:lock", 600_000)
    gone = {(QUEUE, job) for job in (ended[1], ended[2], ids[2], ids[5])} | {(RUNS, dead)}
    stay = {(QUEUE, job) for job in (ended[0], ended[3], ids[1], ids[3], ids[4], locked)} | {(RUNS, alive)}
    return Restored(frozenset(gone), frozenset(stay), locked)


async def known(ops: Ops) -> set[tuple[str, str]]:
    return {(name, each.job) for name in (QUEUE, RUNS) for each in await ops.bull.whole.placed(name)}


async def test_jobs_without_a_document_leave_every_state_and_come_back_when_it_is_undone(
    real_redis: RealRedis, real_mongod: RealMongod, bull_node: BullMaker, tmp_path: Path, threads: Threads
) -> None:
    made, folder = restored(bull_node, real_redis, real_mongod), tmp_path / "archive" / "restore-m1"
    before = keyspace(real_redis)
    async with adapters(tmp_path, real_redis, real_mongod) as ops:
        reconciliation = Reconciliation(ops, Hooks(), threads, "m1", folder)
        for ending in (reconciliation.undo, reconciliation.settle):
            found = await reconciliation.run()
            assert (found.taken, found.unjudged, found.locked) == (5, 2, 1)
            looked = {each.name: (each.looked_at, each.taken, each.unjudged, each.locked) for each in found.queues}
            assert looked == {QUEUE: (10, 4, 2, 1), RUNS: (2, 1, 0, 0)}
            assert await known(ops) == made.stay
            written = [job for file in found.files for job in read_archive(file, ops.seal)]
            assert {(job.queue, job.job) for job in written} == {*made.gone, (QUEUE, made.locked)}
            await ending()
            assert (keyspace(real_redis) == before) is (ending == reconciliation.undo)
            assert folder.exists() is (ending == reconciliation.settle)
        await reconciliation.undo()
        assert await known(ops) == made.stay
        assert all(file.exists() for file in found.files)
        for job in written:
            assert (job.score is None) is (job.place in ("wait", "active"))
            assert repr(sorted(job.fields.items())).encode() == before[f"bull:{job.queue}:{job.job}".encode()]
    assert not [key for key in keyspace(real_redis) if b"vccbot" in key]


async def test_with_a_key_what_the_jobs_carry_is_written_sealed_only(
    real_redis: RealRedis, real_mongod: RealMongod, tmp_path: Path, threads: Threads
) -> None:
    identity = pyrage.x25519.Identity.generate()
    ids = waiting(real_redis, 30, data=json.dumps({"jobId": str(ObjectId()), "prompt": PROMPT}))
    (tmp_path / "identity").write_text(str(identity))
    keys = {"VCC_BACKUP_KEY": str(identity.to_public()), "VCC_BACKUP_IDENTITY_FILE": str(tmp_path / "identity")}
    async with adapters(tmp_path, real_redis, real_mongod, **keys) as ops:
        found = await Reconciliation(ops, Hooks(), threads, "m1", tmp_path / "jobs").run()
        (file,) = found.files
        assert file.name.endswith(".jsonl.age")
        assert base64.b64encode(b'{"jobId"')[:8] not in file.read_bytes()
        assert [job.job for job in read_archive(file, ops.seal)] == ids[::-1]
        assert PROMPT not in repr(found)


async def test_thousands_are_judged_and_how_far_it_is_is_told(
    real_redis: RealRedis, real_mongod: RealMongod, tmp_path: Path, threads: Threads
) -> None:
    kept = ObjectId()
    lost, there = (json.dumps({"jobId": str(each)}) for each in (ObjectId(), kept))
    with real_mongod.client() as client:
        client[real_mongod.database]["others"].insert_one({"_id": kept})
    waiting(real_redis, 2_500, data=lost)
    waiting(real_redis, 500, RUNS, data=there)
    heard = list[Step]()
    async with adapters(tmp_path, real_redis, real_mongod) as ops:
        found = await Reconciliation(ops, Hooks(say=heard.append), threads, "m1", tmp_path / "jobs").run()
        assert [(each.name, each.looked_at, each.taken) for each in found.queues] == [(QUEUE, 2_500, 2_500), (RUNS, 500, 0)]
    assert {(each.name, each.unit) for each in heard} == {("reconcile", "jobs")}
    assert [each.done for each in heard] == [0, 1_000, 2_000, 2_500]
    assert (line_of(real_redis), len(line_of(real_redis, name=RUNS))) == ([], 500)


async def test_what_failed_or_died_half_way_is_undone_by_another_and_tried_again_from_the_beginning(
    real_redis: RealRedis, real_mongod: RealMongod, tmp_path: Path, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = json.dumps({"jobId": str(ObjectId())})
    waiting(real_redis, 5, data=lost)
    waiting(real_redis, 5, RUNS, data=lost)
    before, folder = keyspace(real_redis), tmp_path / "jobs"
    async with adapters(tmp_path, real_redis, real_mongod) as ops:
        take = ops.bull.aside.take

        async def dying(name: str, mark: str, ids: Sequence[str]) -> tuple[str, ...]:
            if name == RUNS:
                raise Unreachable("redis")
            return await take(name, mark, ids)

        monkeypatch.setattr(ops.bull.aside, "take", dying)
        with pytest.raises(Unreachable):
            await Reconciliation(ops, Hooks(), threads, "m1", folder).run()
        assert await ops.bull.aside.queues("m1") == {QUEUE: 5}
        (folder / "half.jsonl.part").touch()
        monkeypatch.undo()
        another = Reconciliation(ops, Hooks(), threads, "m1", folder)
        await another.undo()
        assert keyspace(real_redis) == before
        assert not folder.exists()
        monkeypatch.setattr(ops.bull.aside, "take", dying)
        with pytest.raises(Unreachable):
            await another.run()
        monkeypatch.undo()
        found = await another.run()
        assert found.taken == 10
        assert sum(1 for file in found.files for _ in read_archive(file, ops.seal)) == 10
        await another.undo()
        assert keyspace(real_redis) == before


async def test_a_job_that_cannot_go_back_stays_in_the_files(
    real_redis: RealRedis, real_mongod: RealMongod, tmp_path: Path, threads: Threads
) -> None:
    ids = waiting(real_redis, 3, data=json.dumps({"jobId": str(ObjectId())}))
    async with adapters(tmp_path, real_redis, real_mongod) as ops:
        reconciliation = Reconciliation(ops, Hooks(), threads, "m1", tmp_path / "jobs")
        (file,) = (await reconciliation.run()).files
        with raw(real_redis) as client:
            client.hset(f"bull:{QUEUE}:{ids[0]}", "name", "another")
        for _ in range(2):
            await reconciliation.undo()
            assert line_of(real_redis) == ids[1:]
            assert ids[0] in {job.job for job in read_archive(file, ops.seal)}
        assert await ops.bull.aside.marks() == frozenset()


@pytest.mark.parametrize("lost", ["one", "everything"])
async def test_what_redis_lost_while_it_was_aside_stays_in_the_files(
    real_redis: RealRedis, real_mongod: RealMongod, tmp_path: Path, threads: Threads, lost: str
) -> None:
    """It removed a key to make room, or came back empty."""
    ids = waiting(real_redis, 3, data=json.dumps({"jobId": str(ObjectId())}))
    async with adapters(tmp_path, real_redis, real_mongod) as ops:
        reconciliation = Reconciliation(ops, Hooks(), threads, "m1", tmp_path / "jobs")
        (file,) = (await reconciliation.run()).files
        with raw(real_redis) as client:
            if lost == "one":
                (key,) = client.keys(f"vccbot:aside:*:job:{ids[1]}")
                client.delete(key)
            else:
                client.flushall()
        for _ in range(2):
            await reconciliation.undo()
            assert line_of(real_redis) == ([ids[0], ids[2]] if lost == "one" else [])
            assert {job.job for job in read_archive(file, ops.seal)} == set(ids)
        assert not [key for key in keyspace(real_redis) if b"vccbot" in key]
        again = waiting(real_redis, 2, data=json.dumps({"jobId": str(ObjectId())}))
        more = (await reconciliation.run()).files
        assert file not in more
        assert {job.job for job in read_archive(file, ops.seal)} == set(ids)
        assert {job.job for path in more for job in read_archive(path, ops.seal)} >= set(again)


async def test_without_the_database_no_job_is_taken_for_lost(real_redis: RealRedis, tmp_path: Path, threads: Threads) -> None:
    ids = waiting(real_redis, 3, data=json.dumps({"jobId": str(ObjectId())}))
    environment = {"VCC_HOME": str(tmp_path), "REDIS_URL": real_redis.url, "MONGODB_URI": "mongodb://127.0.0.1:1/vcc"}
    ops = Ops(config.read({**environment, "DOCKER_HOST": "unix:///nowhere/docker.sock"}, None))
    try:
        with pytest.raises(OutsideError):
            await Reconciliation(ops, Hooks(), threads, "m1", tmp_path / "jobs").run()
    finally:
        await ops.close()
    assert line_of(real_redis) == ids
    assert not (tmp_path / "jobs").exists()
