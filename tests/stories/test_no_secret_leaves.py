"""Every command that only looks, typed in Slack and Discord on a deployment full of secrets: every byte that left is searched for them."""

from __future__ import annotations

import gzip
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot import outbox
from bot.model import Risk
from bot.sandbox.deployment import Deployment
from bot.sandbox.secrets import seeded_secrets
from bot.store import request_rows
from bot.testing.waiting import until
from tests.stories.stage import CHANNEL, Stage, stage

SETTINGS = {"VCC_ADMINS": "slack:UADA=discord:{ada}"}
LONG = 90.0
QUEUE = "bull:image generation"
PLANTED_JOB = "990001"
# What needs a running request or an open ticket to point at, and what is tried with the planted job below.
_NEEDS_MORE = ("cancel", "logs follow")


@pytest.fixture
async def planted(sandbox: Deployment) -> AsyncIterator[tuple[str, ...]]:
    """A failed job with secrets of shapes of its own, in data, reason and trace."""
    key, password, token = "sk-proj-" + secrets.token_urlsafe(30), secrets.token_urlsafe(18), "vcc_" + secrets.token_hex(20)
    client = Redis.from_url(sandbox.env["REDIS_URL"])
    address = f"redis://:{password}@redis:6379/0"
    # Bull keeps the newest twenty of the failed jobs: so it is of this moment.
    now = int(time.time() * 1000)
    fields: Mapping[Any, Any] = {
        "name": "generateImage",
        "opts": "{}",
        "timestamp": "1769000000000",
        "data": f'{{"jobId":"65b2f0c2a1b2c3d4e5f60718","workboardData":{{"apiKey":"{key}"}},"inputData":{{"prompt":"a cat"}}}}',
        "failedReason": f"Error: cannot reach {address}",
        "stacktrace": f'["Error: 401 for Authorization: Bearer {token}\\n    at x"]',
        "finishedOn": str(now),
        "attemptsMade": "3",
    }
    await client.hset(f"{QUEUE}:{PLANTED_JOB}", mapping=fields)
    await client.zadd(f"{QUEUE}:failed", {PLANTED_JOB: now})
    yield key, password, token
    await client.zrem(f"{QUEUE}:failed", PLANTED_JOB)
    await client.delete(f"{QUEUE}:{PLANTED_JOB}")
    await client.aclose()


def _lines(on: Stage) -> list[str]:
    looks = [command for command in on.app.registry if command.risk is Risk.READ and command.name not in _NEEDS_MORE]
    return [
        *(example for command in looks for example in command.examples),
        f"queue job {PLANTED_JOB}",
        *[f"queue job {PLANTED_JOB} --data"] * 2,  # on each platform
        "queue jobs failed",
        "logs search password --since 24h",
    ]


async def _answered(on: Stage, lines: int) -> None:
    """So many requests have ended."""

    async def closed() -> bool:
        return len([row for row in await on.app.audit.export(0) if row["event"] == "closed"]) == lines

    await until(closed, f"{lines} lines are answered", LONG)


async def _typed(on: Stage) -> None:
    """Each line on one of the platforms, one after the other, as one person would."""
    lines = _lines(on)
    for number, line in enumerate(lines, 1):
        if number % 2:
            await on.slack.slash("UADA", CHANNEL, text=line)
        else:
            await on.discord.say(on.members["ada"], on.room, f"<@{on.discord.application_id}> {line}")
        await _answered(on, number)
    known = len(on.slack.messages(CHANNEL))
    await on.slack.slash("UADA", CHANNEL, text="logs follow --minutes 1")
    await on.slack.until(lambda: any(each.thread_ts for each in on.slack.messages(CHANNEL)[known:]), LONG)
    ((invocation, _, _),) = await on.app.store.read(request_rows.still_open)
    await on.slack.slash("UADA", CHANNEL, text=f"cancel {invocation.reference}")
    await _answered(on, len(lines) + 2)


async def _delivered(on: Stage) -> None:
    """Everything that was to be said has been."""

    async def settled() -> bool:
        return all(waiting == 0 for _, waiting, _, _ in await outbox.state(on.app.store))

    await until(settled, "everything is delivered", LONG)


def _unpacked(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _left(on: Stage) -> Iterator[tuple[str, bytes]]:
    """All that reached the platforms: every call with its arguments, every file."""
    for call in on.slack.calls:
        yield f"slack {call.method}", repr(call.args).encode()
    for shared in on.slack.files(CHANNEL):
        yield f"slack file {shared.name}", _unpacked(shared.bytes)
    for request in on.discord.calls:
        yield f"discord {request.method} {request.path}", repr(request.body).encode()
    for message in on.discord.messages(on.room):
        for stored in message.attachments:
            yield f"discord file {stored}", _unpacked(stored.data)


def _kept(home: Path) -> Iterator[tuple[str, bytes]]:
    """All that stays on our disk: the state, its journal, our log, the files of answers."""
    for path in sorted(home.rglob("*")):
        if path.is_file():
            yield f"kept {path.name}", _unpacked(path.read_bytes())


async def test_no_secret_reaches_the_chat_our_log_or_our_state(
    sandbox: Deployment, whole_sandbox: None, planted: tuple[str, ...], tmp_path: Path
) -> None:
    everything = (*seeded_secrets(sandbox.home), *planted)
    environment = {name: value for name, value in sandbox.env.items() if name != "VCC_HOME"}
    async with stage(tmp_path, ("ada",), {**environment, **SETTINGS}) as on:
        await _typed(on)
        await _delivered(on)
        left = list(_left(on))
    assert len(left) > len(everything)
    found = [(where, secret[:4] + "…") for where, data in (*left, *_kept(tmp_path)) for secret in everything if secret.encode() in data]
    assert found == []
    # The search itself finds what is there.
    assert {where.split()[0] for where, data in left if b"a cat" in data} == {"slack", "discord"}
