"""The real parts are real: passwords hold, data survives, Bull agrees with itself, and the gate skips nothing."""

from __future__ import annotations

import os
import signal

import pymongo.errors
import pytest
import redis

from tests.bull import BullError
from tests.parts import wait_until
from tests.real_parts import BullMaker
from tests.servers import RealMongod, RealRedis

pytest_plugins = ["pytester"]


def test_redis_wants_its_password(real_redis: RealRedis) -> None:
    with real_redis.client("guessed") as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_redis_keeps_its_data_and_its_port_over_a_restart(real_redis: RealRedis) -> None:
    before = real_redis.url
    with real_redis.client() as client:
        client.set("kept", "yes")
    real_redis.restart()
    with real_redis.client() as client:
        assert client.get("kept") == "yes"
    assert real_redis.url == before


def test_redis_can_crash(real_redis: RealRedis) -> None:
    os.kill(real_redis.pid, signal.SIGKILL)
    wait_until(lambda: not real_redis.running, "the process is gone")
    assert not real_redis.answers()
    real_redis.start()
    assert real_redis.answers()


def test_mongod_wants_its_password(real_mongod: RealMongod) -> None:
    with (
        pymongo.MongoClient[dict[str, object]]("127.0.0.1", real_mongod.port) as stranger,
        pytest.raises(pymongo.errors.OperationFailure),
    ):
        stranger["vcc-manager"]["users"].insert_one({})


@pytest.mark.parametrize("_round", ["first", "second"])
def test_each_test_begins_with_an_empty_mongod(real_mongod: RealMongod, _round: str) -> None:
    with real_mongod.client() as client:
        users = client.get_default_database()["users"]
        assert users.count_documents({}) == 0
        users.insert_one({"email": "ada@example.org"})


def test_a_stopped_mongod_comes_back_with_its_data(real_mongod: RealMongod) -> None:
    with real_mongod.client() as client:
        client.get_default_database()["users"].insert_one({"email": "ada@example.org"})
    real_mongod.stop()
    assert not real_mongod.answers()
    real_mongod.start()
    with real_mongod.client() as client:
        assert client.get_default_database()["users"].count_documents({}) == 1


def test_bull_puts_jobs_in_every_state(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    bull.add({"jobId": "a"}, copies=3)
    failing = bull.add({"fail": "no GPU"}, attempts=1)
    assert bull.run("work")["completed"] == 3
    assert bull.state(failing[0]) == "failed"
    delayed = bull.add({}, delay=3_600_000)
    active = bull.add({"prompt": "a cat"})
    assert bull.run("take", lock=True) == active
    bull.run("pause")
    bull.add({})
    assert bull.counts() == {"waiting": 0, "active": 1, "completed": 3, "failed": 1, "delayed": 1, "paused": 1, "isPaused": True}
    assert bull.run("states", ids=[delayed[0], active[0], "404"]) == {delayed[0]: "delayed", active[0]: "active", "404": None}


def test_bull_tells_a_job_with_its_logs(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url, "pipeline run")
    (job,) = bull.add({"prompt": "a cat"}, attempts=3)
    bull.run("log", id=job, line="submitted")
    told = bull.run("job", id=job)
    assert told["data"] == {"prompt": "a cat"}
    assert (told["state"], told["logs"], told["opts"]["attempts"]) == ("waiting", ["submitted"], 3)
    with pytest.raises(BullError, match="no job 404"):
        bull.run("job", id="404")


def test_a_worker_beside_the_test_does_the_work(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    with bull.worker(ms=1):
        bull.add({}, copies=20)
        wait_until(lambda: bull.counts()["completed"] == 20, "20 jobs are done", every=0.2)
    bull.add({})
    assert bull.counts()["waiting"] == 1


INI = "[pytest]\nasyncio_default_fixture_loop_scope = function"
SKIPPING = """
import pytest
def test_part(): pytest.skip("no such part")
@pytest.mark.xfail(strict=True)
def test_known(): assert False
"""


def test_an_absent_part_is_skipped_by_name(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VCC_TEST_STRICT", raising=False)
    pytester.makepyfile(SKIPPING)
    pytester.makeini(INI)
    pytester.runpytest_inprocess("-p", "tests.real_parts").assert_outcomes(skipped=1, xfailed=1)


def test_the_gate_takes_an_absent_part_for_a_failure(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCC_TEST_STRICT", "1")
    pytester.makepyfile(SKIPPING)
    pytester.makeini(INI)
    result = pytester.runpytest_inprocess("-p", "tests.real_parts", "-rf")
    result.assert_outcomes(failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["*skipped although VCC_TEST_STRICT is set*no such part*"])
