"""The databases' passwords changed in the right order, every job still there, the bot itself not locked out; and put back again."""

from __future__ import annotations

from pathlib import Path

import pymongo
import pymongo.errors
import pytest
import redis

from bot.connectors import plain
from bot.model import Outcome
from bot.ops.mongo_access import with_password
from tests.approving import approved_by
from tests.grounds.conftest import Ask
from tests.grounds.ground import Ground
from tests.grounds.jobs import Jobs
from tests.grounds.people import variables
from tests.grounds.test_security_incident import incident

__all__ = ["incident"]


def in_file(ground: Ground, name: str) -> str:
    lines = (Path(ground.environment["VCC_PROJECT_DIR"]) / ".env").read_text().splitlines()
    return dict(line.partition("=")[::2] for line in lines)[name]


def lets_in(uri: str) -> bool:
    try:
        if uri.startswith("redis"):
            with redis.Redis.from_url(uri, socket_timeout=3) as client:
                return bool(client.ping())
        with pymongo.MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=3000) as mongo:
            return bool(mongo.admin.command("ping")["ok"]) and bool(mongo.list_database_names())
    except (redis.RedisError, pymongo.errors.PyMongoError):
        return False


@pytest.mark.usefixtures("incident")
async def test_the_redis_password_is_changed_without_losing_a_job_and_put_back(ground: Ground, ask: Ask, jobs: Jobs) -> None:
    revoked = await approved_by(ask, "incident revoke redis-password")
    try:
        assert revoked.outcome is Outcome.DONE, plain.text(revoked)
        new = in_file(ground, "REDIS_PASSWORD")
        assert new in variables(ground)["REDIS_URL"]
        assert new not in plain.text(revoked)
        assert not lets_in(ground.redis_url)
        assert lets_in(with_password(ground.redis_url, new))
        ground.wait_for_page()
        status = await ask("queue status", "olga")
        assert status.outcome is Outcome.DONE, plain.text(status)
        assert not any(queue["paused"] for queue in status.data)
    finally:
        back = await approved_by(ask, "incident revoke redis-password --back")
    assert back.outcome is Outcome.DONE, plain.text(back)
    assert lets_in(ground.redis_url)
    assert ground.well()
    assert jobs.counts()["isPaused"] is False


@pytest.mark.usefixtures("incident")
async def test_the_mongodb_password_is_changed_in_the_server_first_and_put_back(ground: Ground, ask: Ask) -> None:
    revoked = await approved_by(ask, "incident revoke mongodb-password")
    try:
        assert revoked.outcome is Outcome.DONE, plain.text(revoked)
        new = in_file(ground, "MONGO_ROOT_PASSWORD")
        assert variables(ground)["MONGODB_URI"].count(new) == 1
        assert not lets_in(ground.mongodb_uri)
        assert lets_in(with_password(ground.mongodb_uri, new))
        assert "MONGODB_URI" in plain.text(revoked)
        assert (await ask("db counts", "olga")).outcome is Outcome.DONE
    finally:
        back = await approved_by(ask, "incident revoke mongodb-password --back")
    assert back.outcome is Outcome.DONE, plain.text(back)
    assert lets_in(ground.mongodb_uri)
    assert ground.well()
