"""``logs follow`` on the sandbox: what is written comes into the thread, and it always ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model import Outcome, Reply
from bot.ops.container_values import LogLine
from bot.ops.log_follow import Start
from bot.sandbox.deployment import Deployment
from bot.testing.bot import OPS, Bot, a_bot
from bot.testing.waiting import until
from commands import cancel
from commands.logs.live import Collected, ErrorsOnly
from tests.commands.logs.conftest import Plant
from tests.commands.logs.quick import PACE, quick

MakeFollower = Callable[[float], AbstractAsyncContextManager[Bot]]


@pytest.fixture
def follower(sandbox: Deployment, tmp_path: Path) -> MakeFollower:
    """``async with follower(seconds) as bot``: a bot whose follows last that long, on chats in memory."""

    @asynccontextmanager
    async def make(seconds: float) -> AsyncIterator[Bot]:
        group = quick(replace(PACE, minute=seconds))
        host, project = sandbox.env["DOCKER_HOST"], sandbox.env["VCC_COMPOSE_PROJECT"]
        async with a_bot(tmp_path, group, cancel.group, docker_host=host, vcc_compose_project=project) as bot:
            yield bot

    return make


def below(bot: Bot, platform: str = "slack") -> str:
    """All that stands in the thread."""
    return "\n".join(post.reply.code for post in bot.chats[platform].at(OPS[platform]))


async def ended(bot: Bot, following: asyncio.Task[Reply]) -> Reply:
    """Stop it, as with its button: not a time decides what it has seen."""
    for each in await bot.app.audit.all_running():
        await bot.types("slack:olga", f"cancel {each.reference}")
    return await asyncio.wait_for(following, 60)


async def begun(bot: Bot, line: str = "logs follow backend", who: str = "slack:olga") -> asyncio.Task[Reply]:
    """Type it, and wait until its first lines are there."""
    before = len(bot.chats["slack"].posts)
    task = asyncio.create_task(bot.types(who, line))
    await until(lambda: len(bot.chats["slack"].posts) > before, "it speaks")
    return task


async def test_lines_come_into_the_thread_in_order_and_all_of_them_into_the_file(
    follower: MakeFollower, plant: Plant, word: str, sandbox_secrets: tuple[str, ...]
) -> None:
    async with follower(60) as bot:
        following = await begun(bot)
        for number in range(8):
            await plant(f"{word} {number} redis://:{sandbox_secrets[0]}@redis:6379")
            await asyncio.sleep(0.05)
        await until(lambda: f"{word} 7" in below(bot), "the last one is there")
        reply = await ended(bot, following)
        await bot.shown()
        lines = [line for line in below(bot).splitlines() if word in line]
        filed = [line for line in reply.files[0].path.read_text().splitlines() if word in line]
        assert [line.partition(word)[2][1] for line in lines] == [line.partition(word)[2][1] for line in filed] == list("01234567")
        assert (reply.outcome, reply.data["ended"], reply.data["dropped"]) == (Outcome.DONE, "cancel", 0)
        said = below(bot) + str(reply) + "\n".join(filed)
        assert [secret for secret in sandbox_secrets if secret in said] == []


async def test_it_starts_with_the_newest_few_lines_of_all(follower: MakeFollower, plant: Plant) -> None:
    await plant(*(f"old {number}" for number in range(30)))
    async with follower(60) as bot:
        bot.clock.now = time.time()
        following = await begun(bot, "logs follow")
        await until(lambda: "old " in below(bot), "they are there")
        reply = await ended(bot, following)
        old = [line for line in reply.files[0].path.read_text().splitlines() if "old " in line]
        assert old
        assert len(old) <= 10


async def test_it_ends_by_itself_when_its_time_is_over(follower: MakeFollower) -> None:
    async with follower(0.3) as bot:
        assert (await bot.types("slack:olga", "logs follow backend")).data["ended"] == "time"


async def test_the_button_stops_it_and_says_who(follower: MakeFollower) -> None:
    async with follower(60) as bot:
        following = await begun(bot)
        chat = bot.chats["slack"]
        await until(lambda: any(post.reply.buttons for post in chat.posts.values()), "there is a button")
        (card,) = [post for post in chat.posts.values() if post.reply.buttons]
        await bot.presses("slack:olga", card, "Stop")
        reply = await asyncio.wait_for(following, 60)
        assert (reply.data["ended"], "olga" in reply.data["stopped_by"], reply.data["stopped_by"] in reply.text) == ("cancel", True, True)


async def test_only_errors_or_only_what_holds_a_text(follower: MakeFollower, plant: Plant, word: str) -> None:
    async with follower(60) as bot:
        errors = asyncio.create_task(bot.types("slack:olga", "logs follow backend --errors"))
        search = asyncio.create_task(bot.types("discord:1", f"logs follow backend --search {word}x"))
        await until(lambda: len(bot.app.dispatch._running) == 2, "both run")
        await plant("fine", f"Error: {word}", "    at here (/app/x.js:1:1)", f"prompt: error {word}x", f"fine {word}x")
        await until(lambda: "at here" in below(bot), "the error is there")
        await until(lambda: f"fine {word}x" in below(bot, "discord"), "what was looked for is there")
        wrong, found = await ended(bot, errors), await ended(bot, search)
        in_errors, in_search = (reply.files[0].path.read_text() for reply in (wrong, found))
        assert f"Error: {word}" in in_errors
        assert "at here" in in_errors
        assert f"{word}x" not in in_errors
        assert [line.partition(f" {word}x")[0].rpartition(" ")[2] for line in in_search.splitlines()] == ["error", "fine"]


async def test_a_flood_is_cut_in_the_thread_and_whole_in_the_file(follower: MakeFollower, plant: Plant, word: str) -> None:
    async with follower(60) as bot:
        following = await begun(bot)
        await plant(*(f"{word} {'x' * 80} {number}" for number in range(3_000)), f"Error: {word} is over")
        await until(lambda: f"{word} is over" in below(bot), "the end of it is there")
        reply = await ended(bot, following)
        await bot.shown()
        posts = bot.chats["slack"].at(OPS["slack"])
        assert max(len(post.reply.code) for post in posts) <= 2_600
        assert any("left out here" in post.reply.text for post in posts)
        assert sum(word in line for line in reply.files[0].path.read_text().splitlines()) == 3_001
        assert reply.data["shown"] < 1_000


async def test_the_same_one_here_and_a_fourth_are_refused_and_told_which_run(follower: MakeFollower) -> None:
    async with follower(60) as bot:
        running = [asyncio.create_task(bot.types("slack:olga", f"logs follow {name}")) for name in ("backend", "frontend")]
        await until(lambda: len(bot.app.dispatch._running) == 2, "two run")
        twice = await bot.types("slack:vera", "logs follow --search x BACKEND")
        assert (twice.outcome, twice.data["reason"]) == (Outcome.REFUSED, "logs.follow_same")
        running.append(asyncio.create_task(bot.types("discord:1", "logs follow backend")))
        await until(lambda: len(bot.app.dispatch._running) == 3, "three run")
        fourth = await bot.types("slack:vera", "logs follow redis")
        assert fourth.data["reason"] == "logs.follow_full"
        assert "logs follow frontend" in fourth.text
        for each in await bot.app.audit.all_running():
            await bot.types("slack:olga", f"cancel {each.reference}")
        replies = await asyncio.wait_for(asyncio.gather(*running), 60)
        assert [reply.data["ended"] for reply in replies] == ["cancel"] * 3


def line(text: str, number: int = 0) -> LogLine:
    """One line."""
    return LogLine("backend", "backend-1", "stdout", 1_000.0 + number, text)


def test_a_container_that_never_stops_talking_is_bounded() -> None:
    collected = Collected((), Start(0.0, 10), bytes_at_most=10_000)
    for number in range(100_000):
        collected.take(line("x" * 99, number))
    assert collected.full
    assert (collected.seen, collected.dropped) == (100_000, 99_900)
    assert len(collected.batch()) == 100
    assert collected.batch() == []


def test_one_line_of_many_megabytes_is_not_kept_whole() -> None:
    collected = Collected((), Start(0.0, 10))
    collected.take(line("x" * 5_000_000))
    assert len(collected.batch()[0].text) < 3_000


def test_known_noise_and_its_trace_are_no_errors() -> None:
    wants = ErrorsOnly()
    texts = (
        "ValidationError: The Express 'trust proxy' setting is true",
        "    at noise",
        "Error: real",
        "    at real",
        "fine",
        "    at nothing",
    )
    assert [text for text in texts if wants(line(text))] == ["Error: real", "    at real"]
