"""``logs follow`` on a real engine: through rotations, a restart and a chat that is down, no line is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from docker.types import LogConfig

from bot import outbox
from bot.ops.log_follow import LivePace
from bot.outbox import NotDelivered
from bot.testing.bot import OPS, Bot, a_bot
from bot.testing.waiting import until
from commands.logs.follow import Pace
from tests.commands.logs.quick import quick
from tests.live.stack_project import PROJECT_LABEL, SERVICE_LABEL

SECONDS = 3.5
FAST = Pace(minute=SECONDS, post=0.4, tick=0.1, say=0.5, live=LivePace(look=0.3, silence=1.0))
# Numbers its lines, and goes on counting after a restart. Forty of its lines fill a log file.
TALKER = r"""
trap 'stop=1' TERM
i=$(cat /count 2>/dev/null || echo 0)
while [ -z "$stop" ]; do
  i=$((i + 1)); echo "line $i ................................................................"; echo $i > /count; sleep 0.02
done
"""
IMAGE = "vcc-base:test"


@pytest.fixture
def project() -> str:
    """A name nobody else has."""
    return f"vccfollow{secrets.token_hex(4)}"


@pytest.fixture
def talker(engine: docker.DockerClient, project: str) -> Iterator[Container]:
    """A container whose log is rotated about every second."""
    container = start_talker(engine, project)
    yield container
    for each in engine.containers.list(all=True, filters={"label": f"{PROJECT_LABEL}={project}"}):
        each.remove(force=True)


def start_talker(engine: docker.DockerClient, project: str, program: str = TALKER) -> Container:
    labels = {PROJECT_LABEL: project, SERVICE_LABEL: "talker", "com.docker.compose.container-number": "1"}
    config = LogConfig(type="json-file", config={"max-size": "8k", "max-file": "5"})
    return engine.containers.run(IMAGE, ["sh", "-c", program], detach=True, labels=labels, log_config=config)


@pytest.fixture
async def bot(tmp_path: Path, docker_host: str, project: str) -> AsyncIterator[Bot]:
    """A bot for that container alone, with chats in memory."""
    async with a_bot(tmp_path, quick(FAST), docker_host=docker_host, vcc_compose_project=project) as bot:
        yield bot


def said(bot: Bot) -> list[int]:
    """The numbers of the lines in the thread."""
    return numbers("\n".join(post.reply.code for post in bot.chats["slack"].at(OPS["slack"])))


async def _waiting(bot: Bot) -> bool:
    return any(name == "slack" and count > 2 for name, count, _, _ in await outbox.state(bot.app.store))


def numbers(text: str) -> list[int]:
    """The numbers of the talker's lines, as they stand there."""
    return [int(number) for number in re.findall(r"line (\d+) ", text)]


async def test_no_line_is_lost_or_doubled_through_rotations_a_restart_and_an_outage_of_the_chat(bot: Bot, talker: Container) -> None:
    chat = bot.chats["slack"]
    began = time.monotonic()
    following = asyncio.create_task(bot.types("slack:olga", "logs follow talker"))
    await until(lambda: bool(said(bot)), "the first lines are said")
    chat.fail(NotDelivered("down", retry_after=0.5))
    await asyncio.to_thread(talker.restart, timeout=5)
    await until(lambda: _waiting(bot), "some wait to be delivered")
    chat.recover()
    reply = await following
    assert SECONDS <= time.monotonic() - began < SECONDS + 5
    found = numbers(reply.files[0].path.read_text())
    assert found == list(range(found[0], found[0] + len(found))), found
    assert len(found) > 100
    assert reply.data["reconnects"] >= 1
    assert reply.data["ended"] == "time"
    bot.forward(60)
    await bot.shown()
    assert said(bot) == sorted(set(said(bot)))
    assert len(said(bot)) == reply.data["shown"]


async def test_a_recreated_container_goes_on_in_the_same_follow(
    bot: Bot, talker: Container, engine: docker.DockerClient, project: str
) -> None:
    following = asyncio.create_task(bot.types("slack:olga", "logs follow talker"))
    await until(lambda: bool(said(bot)), "the first lines are said")
    await asyncio.to_thread(talker.stop, timeout=5)
    await asyncio.to_thread(talker.remove)
    await asyncio.to_thread(start_talker, engine, project)
    found = numbers((await following).files[0].path.read_text())
    again = found.index(1, 1)  # the new one counts from one
    assert found[:again] == list(range(found[0], found[0] + again))
    assert found[again:] == list(range(1, len(found) - again + 1))


async def test_the_index_counts_every_error_through_rotations_and_knows_them_after_the_container_is_gone(
    bot: Bot, engine: docker.DockerClient, project: str
) -> None:
    index = bot.app.errors
    container = start_talker(engine, project, TALKER.replace("line $i", "Error: number $i"))
    try:
        services = await bot.app.ops.containers.services()
        ends = time.monotonic() + 2
        while time.monotonic() < ends:
            await index.catch_up(services, 10)
        await asyncio.to_thread(container.stop, timeout=5)
        assert not (await index.catch_up(services, 10)).late
        written = int(await asyncio.to_thread(_last_number, container))
    finally:
        await asyncio.to_thread(container.remove, force=True)
    (group,) = await index.groups(("talker",), 0)
    assert written > 40
    assert (group.count, (await index.losses(("talker",), 0)).gaps) == (written, {})


def _last_number(container: Container) -> int:
    """What it said last; its log may hold no more than its newest lines."""
    text = container.logs(tail=1)
    assert isinstance(text, bytes)
    return int(text.split()[2])
