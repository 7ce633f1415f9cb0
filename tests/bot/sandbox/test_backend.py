"""The stand-ins and what they stand on: the queue in Bull's layout, the documents beside it, the web behaviour the facts describe."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pymongo
import pymongo.database
import pytest
import redis
from bson import ObjectId

from bot.sandbox.bull import BullQueue, job_fields
from bot.sandbox.deployment import Deployment
from tests.sandbox_fixture import wait_until

PREFIX = "bull:image generation:"
Database = pymongo.database.Database[dict[str, Any]]


@pytest.fixture
def keys(quick: Deployment) -> Iterator[Any]:
    client = redis.Redis.from_url(quick.env["REDIS_URL"], decode_responses=True)
    yield client
    client.close()


@pytest.fixture
def documents(quick: Deployment) -> Iterator[Database]:
    with pymongo.MongoClient[dict[str, Any]](quick.env["MONGODB_URI"]) as client:
        yield client.get_default_database()


@pytest.fixture
def paused(keys: Any) -> Iterator[Callable[[], None]]:
    """Pauses as Bull does; always resumed afterwards."""

    def pause() -> None:
        pipe = keys.pipeline()
        pipe.set(f"{PREFIX}meta-paused", "1")
        pipe.hset(f"{PREFIX}meta", "paused", "1")
        if keys.exists(f"{PREFIX}wait"):
            pipe.rename(f"{PREFIX}wait", f"{PREFIX}paused")
        pipe.execute()

    yield pause
    if keys.exists(f"{PREFIX}paused"):
        keys.rename(f"{PREFIX}paused", f"{PREFIX}wait")
    keys.delete(f"{PREFIX}meta-paused", f"{PREFIX}meta")


def _get(url: str) -> tuple[int, bytes]:
    try:
        with urlopen(url, timeout=5) as response:
            assert isinstance(response, HTTPResponse)
            return response.status, response.read()
    except HTTPError as problem:
        with problem:
            return problem.code, problem.read()


def _bases(deployment: Deployment) -> tuple[str, str]:
    backend, frontend = deployment.env["VCC_HEALTH_URLS"].split(",")
    return backend.partition("=")[2].removesuffix("/health"), frontend.partition("=")[2].rstrip("/")


def test_the_seeded_queue_has_bulls_types_and_every_job_has_its_hash(keys: Any) -> None:
    assert keys.type(f"{PREFIX}delayed") == keys.type(f"{PREFIX}completed") == keys.type(f"{PREFIX}failed") == "zset"
    assert keys.zcard(f"{PREFIX}completed") <= 50
    assert keys.zcard(f"{PREFIX}failed") <= 20
    for state in ("completed", "failed", "delayed"):
        job_id = keys.zrange(f"{PREFIX}{state}", 0, 0)[0]
        job = keys.hgetall(f"{PREFIX}{job_id}")
        assert job["name"] == "generateImage"
        assert json.loads(job["data"]).keys() >= {"jobId", "workboardData", "inputData"}
        assert json.loads(job["opts"])["attempts"] == 3
    job_id, score = keys.zrange(f"{PREFIX}delayed", 0, 0, withscores=True)[0]
    assert int(score) & 0xFFF == int(job_id) & 0xFFF
    assert int(score) // 4096 > time.time() * 1000


def test_a_job_goes_from_waiting_to_a_picture_on_disk(quick: Deployment, keys: Any, documents: Database) -> None:
    job = keys.zrevrange(f"{PREFIX}completed", 0, 0)[0]

    def newer() -> str:
        latest = str(keys.zrevrange(f"{PREFIX}completed", 0, 0)[0])
        return latest if latest != job else ""

    done = keys.hgetall(f"{PREFIX}{wait_until(newer)}")
    assert int(done["finishedOn"]) >= int(done["processedOn"])
    identity = ObjectId(json.loads(done["data"])["jobId"])
    document = documents["imagegenerationjobs"].find_one({"_id": identity})
    assert document is not None
    assert (document["status"], document["progress"]) == ("completed", 100)
    image = documents["generatedimages"].find_one({"jobId": identity})
    assert image is not None
    assert document["resultImages"] == [image["_id"]]
    assert (Path(quick.env["VCC_UPLOADS_DIR"]) / "generated" / image["filename"]).stat().st_size == image["size"]


def test_nothing_starts_while_the_queue_is_paused(keys: Any, quick: Deployment, paused: Callable[[], None]) -> None:
    paused()
    wait_until(lambda: keys.llen(f"{PREFIX}active") == 0)
    waiting = keys.lrange(f"{PREFIX}paused", 0, -1)
    fresh = BullQueue(quick.env["REDIS_URL"]).add({"jobId": str(ObjectId()), "workboardData": {}, "inputData": {"userId": str(ObjectId())}})
    end = time.monotonic() + 3
    while time.monotonic() < end:  # watched over a time in which several jobs would have started
        assert keys.llen(f"{PREFIX}active") == 0
        time.sleep(0.1)
    assert set(keys.lrange(f"{PREFIX}paused", 0, -1)) >= {fresh, *waiting}
    assert not keys.exists(f"{PREFIX}wait")


def test_an_active_job_without_a_lock_is_run_again(keys: Any, documents: Database) -> None:
    job = documents["imagegenerationjobs"].find_one({"status": "completed"})
    assert job is not None
    job_id = str(keys.incr(f"{PREFIX}id") // 253 * 253 + 254)  # a number whose job succeeds at once
    keys.set(f"{PREFIX}id", job_id)
    data = {"jobId": str(job["_id"]), "workboardData": {}, "inputData": {"prompt": "x", "userId": str(job["userId"])}}
    keys.hset(f"{PREFIX}{job_id}", mapping=job_fields(data, int(time.time() * 1000)))
    keys.lpush(f"{PREFIX}active", job_id)
    wait_until(lambda: keys.zscore(f"{PREFIX}completed", job_id))
    assert keys.hget(f"{PREFIX}{job_id}", "stalledCounter") == "1"


def test_health_is_static_and_the_guides_url_does_not_exist(quick: Deployment) -> None:
    backend, frontend = _bases(quick)
    status, body = _get(f"{backend}/health")
    assert (status, json.loads(body)["status"]) == (200, "OK")
    assert _get(f"{backend}/api/health") == (404, b'{"message": "Route not found"}')
    assert _get(f"{frontend}/api/health")[0] == 404
    status, page = _get(f"{frontend}/health")
    assert status == 200
    assert b"<!doctype html>" in page
    assert json.loads(_get(f"{backend}/api/jobs/queue/stats")[1])["stats"]["completed"] > 0


def test_uploads_are_served_but_nothing_outside_them(quick: Deployment) -> None:
    backend, frontend = _bases(quick)
    name = next((Path(quick.env["VCC_UPLOADS_DIR"]) / "generated").glob("*.png")).name
    assert _get(f"{frontend}/uploads/generated/{name}")[1].startswith(b"\x89PNG")
    assert _get(f"{backend}/uploads/../../../identity.json")[0] == 404


def test_the_indexes_of_the_facts_are_there(documents: Database) -> None:
    sessions = documents["sessions"].index_information()
    assert sessions["expires_1"]["expireAfterSeconds"] == 0
    users = documents["users"].index_information()
    assert users["email_1"]["unique"]
    assert users["googleId_1"]["sparse"]
    assert {"userId_1_createdAt_-1", "jobId_1", "tags_1"} < set(documents["generatedimages"].index_information())
    assert "status_1_priority_-1_createdAt_1" in documents["imagegenerationjobs"].index_information()


def test_the_server_asks_for_a_password(quick: Deployment) -> None:
    place = quick.env["MONGODB_URI"].partition("@")[2].partition("/")[0]
    with (
        pymongo.MongoClient[dict[str, Any]](f"mongodb://{place}/") as stranger,
        pytest.raises(pymongo.errors.OperationFailure, match="requires authentication"),
    ):
        stranger["vcc-manager"]["users"].find_one()
