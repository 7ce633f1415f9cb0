"""The sandbox's queue as the real Bull sees it: what we wrote it must understand, what it writes we must honour."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from bson import ObjectId

from bot.sandbox.deployment import Deployment
from tests.bull import Bull
from tests.sandbox_fixture import wait_until

PREFIX = "bull:image generation:"
OPTIONS: dict[str, Any] = {"attempts": 3, "backoff": {"type": "exponential", "delay": 2000}, "removeOnComplete": 50, "removeOnFail": 20}


@pytest.fixture
def bull(quick: Deployment, bull_node: Callable[..., Bull]) -> Iterator[Bull]:
    queue = bull_node(quick.env["REDIS_URL"])
    yield queue
    queue.run("resume")


@pytest.fixture
def keys(quick: Deployment) -> Iterator[Any]:
    client = redis.Redis.from_url(quick.env["REDIS_URL"], decode_responses=True)
    yield client
    client.close()


def _data() -> dict[str, Any]:
    return {"jobId": str(ObjectId()), "workboardData": {}, "inputData": {"prompt": "x", "userId": str(ObjectId())}}


def test_bull_tells_the_state_of_every_seeded_job(bull: Bull, keys: Any) -> None:
    for state in ("completed", "failed", "delayed"):
        job_id = str(keys.zrevrange(f"{PREFIX}{state}", 0, 0)[0])  # the newest: the oldest may be trimmed any moment
        assert bull.state(job_id) == state
        assert bull.run("job", id=job_id)["opts"]["attempts"] == 3
    stuck = next(number for number in map(str, range(1, 200)) if keys.exists(f"{PREFIX}{number}") and bull.state(number) == "stuck")
    assert stuck


def test_a_job_bull_added_is_worked_and_bull_sees_it_completed(bull: Bull) -> None:
    (job_id,) = bull.add(_data(), priority=1, **OPTIONS)
    wait_until(lambda: bull.state(job_id) == "completed", within=60, every=0.5)
    job = bull.run("job", id=job_id)
    assert job["progress"] == 100
    assert job["finishedOn"] >= job["processedOn"]
    assert job["returnvalue"] == {"success": True, "images": 1}


def test_while_bull_says_paused_nothing_starts_and_resuming_goes_on(bull: Bull, keys: Any) -> None:
    assert bull.run("pause")["isPaused"] is True
    (job_id,) = bull.add(_data(), **OPTIONS)
    wait_until(lambda: keys.llen(f"{PREFIX}active") == 0)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert keys.llen(f"{PREFIX}active") == 0
        time.sleep(0.1)
    assert bull.state(job_id) == "paused"
    assert bull.run("resume")["isPaused"] is False
    wait_until(lambda: bull.state(job_id) in ("active", "completed", "delayed"), within=60, every=0.5)


def test_a_failed_job_retried_by_bull_is_worked_again(bull: Bull, keys: Any) -> None:
    job_id = str(keys.zrange(f"{PREFIX}failed", -1, -1)[0])  # the worker takes the oldest away when more fail
    before = int(keys.hget(f"{PREFIX}{job_id}", "processedOn"))
    bull.run("retry", id=job_id)
    wait_until(lambda: int(keys.hget(f"{PREFIX}{job_id}", "processedOn") or 0) > before, within=60)


def test_bulls_clean_finds_what_we_completed(bull: Bull, keys: Any) -> None:
    (cleaned,) = bull.run("clean", state="completed", grace=0, limit=1)
    assert not keys.exists(f"{PREFIX}{cleaned}")
    assert keys.zscore(f"{PREFIX}completed", cleaned) is None
