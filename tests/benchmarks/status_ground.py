"""What the row "status" is taken on: a deployment with everything up, Bull jobs by the hundred thousand, a large log, a long record.

The real stack where VCC_TEST_DOCKER_HOST names an engine, else the sandbox. Both are gone with the block.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import redis
from sqlite_utils import Database

from bot.app import App
from bot.model import Account, Invocation, Place
from bot.ops.bull_values import QueueKeys
from bot.sandbox.deployment import start_detached, stop
from bot.series import Series
from bot.store import audit_rows
from bot.store.sample_rows import HOUR
from commands.status.hints import CPU, MEMORY, MONGODB, REDIS
from tests.benchmarks import history, log_data
from tests.live.stack_project import running_stack

ENGINE = "VCC_TEST_DOCKER_HOST"
QUEUE = "bench"  # the workers leave it alone
PERSON = Account("local", "olga")
_SERIES = 60
_BATCH = 2_000
_PROMPT = "a cat in the rain, " * 40


@dataclass(frozen=True, slots=True)
class StatusGround:
    """Settings that point at the deployment, and what fills it."""

    name: str
    settings: Mapping[str, str]

    def fill_jobs(self, have: int, wanted: int) -> float:
        """Bring the queue from ``have`` ended jobs to ``wanted``, each of them as large as VCC's; how many megabytes Redis holds."""
        keys, now = QueueKeys(QUEUE), round(time.time() * 1000)
        with contextlib.closing(redis.Redis.from_url(self.settings["REDIS_URL"], socket_timeout=60)) as client:
            client.set(keys.key("id"), str(wanted))
            for begin in range(have, wanted, _BATCH):
                pipe = client.pipeline(transaction=False)
                for number in range(begin, min(begin + _BATCH, wanted)):
                    _lay(pipe, keys, number, now - number)
                pipe.execute()
            info = client.info("memory")
            assert isinstance(info, dict)
            return float(info["used_memory"]) / 1e6


def _lay(pipe: redis.client.Pipeline, keys: QueueKeys, number: int, at: int) -> None:
    """Of five jobs one failed."""
    data = {"jobId": f"{number:024x}", "inputData": {"prompt": _PROMPT}, "workboardData": {"serverUrl": "http://comfyui.example:8188"}}
    options = {"attempts": 3, "removeOnComplete": False, "removeOnFail": False, "timestamp": at}
    fields: dict[Any, Any] = dict.fromkeys(("timestamp", "processedOn", "finishedOn"), at)
    fields |= {"name": "__default__", "data": json.dumps(data), "opts": json.dumps(options), "attemptsMade": 1, "delay": 0, "priority": 0}
    pipe.hset(keys.key(str(number)), mapping=fields)
    pipe.zadd(keys.key("completed" if number % 5 else "failed"), {str(number): at})


def fill_log(path: Path, size: int) -> int:
    """Write ``size`` bytes behind what a service has said so far; how many lines. Nothing where its file is not ours to write."""
    if not size or not os.access(path, os.W_OK):
        return 0
    with path.open("ab", buffering=1 << 20) as out:
        end, lines = out.tell() + size, 0
        for entry in log_data.entries(7):
            out.write(entry)
            lines += 1
            if lines % 1_000 == 0 and out.tell() >= end:
                break
    return lines


async def fill_record(app: App, audit_rows_wanted: int) -> None:
    """A year of 60 figures, those that status looks up among them; and rows of the audit."""
    looked_up = [CPU, MEMORY, REDIS, MONGODB, Series("queue", QUEUE, "waiting"), Series("disk", "/", "used_bytes")]
    others = (history.series(number) for number in range(_SERIES - len(looked_up)))
    now = int(time.time())

    def figures(db: Database) -> None:
        for number, each in enumerate([*looked_up, *others]):
            history.fill_year(db, number, each, now - now % HOUR)

    def audit(db: Database) -> None:
        for _ in range(min(50_000, audit_rows_wanted)):
            audit_rows.append(db, app.audit.entry(_FILLER, "closed", outcome="done", detail={}))

    await app.store.write(figures)
    for _ in range(0, audit_rows_wanted, 50_000):
        await app.store.write(audit)


_FILLER = Invocation("status", PERSON, Place("local", "console", direct=True), "", 0.0, reference="R-00000000")


@contextlib.contextmanager
def status_ground(folder: Path) -> Iterator[StatusGround]:
    """The deployment, up."""
    engine = os.environ.get(ENGINE, "")
    if not engine:
        deployment = start_detached(folder)
        try:
            yield StatusGround("the sandbox", deployment.env)
        finally:
            stop(folder)
        return
    client = docker.DockerClient(base_url=engine, timeout=60)
    try:
        with running_stack(client, engine, folder / "vcc-manager") as stack:
            health = f"backend={stack.backend_url}/health,frontend={stack.frontend_url}/"
            people = {"VCC_OPERATORS": f"local:{PERSON.id}", "VCC_HEALTH_URLS": health}
            yield StatusGround("a real engine", {**stack.settings(), **people})
    finally:
        client.close()
