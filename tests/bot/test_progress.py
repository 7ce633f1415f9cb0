"""Progress is shown late, seldom, in the message of the answer, and never into the work."""

from __future__ import annotations

import asyncio

import pytest

from bot import progress
from bot.model import Outcome, Progress
from bot.testing.bot import OPS, Bot
from bot.testing.waiting import until
from tests.bot.demo import SECRET, Demo


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, in hundredths of a second."""
    monkeypatch.setattr(progress, "FIRST_AFTER", 0.02)
    monkeypatch.setattr(progress, "THEN_EVERY", 0.02)


async def working(bot: Bot, demo: Demo, *steps: Progress) -> asyncio.Task[object]:
    """A request that said its steps and is still at work."""
    demo.steps = list(steps)
    demo.may_end.clear()
    task: asyncio.Task[object] = asyncio.create_task(bot.types("slack:vera", "demo work"))
    await demo.started.wait()
    return task


async def test_an_answer_that_comes_quickly_shows_no_progress(bot: Bot) -> None:
    await bot.types("slack:vera", "demo read")
    await bot.shown()
    (post,) = bot.chats["slack"].at(OPS["slack"])
    assert [reply.title for reply in post.said] == ["read"]


@pytest.mark.usefixtures("hurried")
async def test_long_work_shows_how_far_it_is_in_the_message_of_its_answer(bot: Bot, demo: Demo) -> None:
    task = await working(bot, demo, Progress("copying", 30, 120, "files"))
    posts = bot.chats["slack"].posts
    await until(lambda: bool(posts), "progress is shown")
    (post,) = posts.values()
    assert post.reply.outcome is Outcome.PENDING
    assert "copying" in post.reply.text
    assert "30/120 files (25%)" in post.reply.text
    assert "left" in post.reply.text
    demo.may_end.set()
    await task
    await bot.shown()
    assert len(posts) == 1
    assert post.reply.title == "worked"


@pytest.mark.usefixtures("hurried")
async def test_work_that_says_nothing_still_says_that_it_works(bot: Bot, demo: Demo) -> None:
    task = await working(bot, demo)
    await until(lambda: bool(bot.chats["slack"].posts), "progress is shown")
    (post,) = bot.chats["slack"].posts.values()
    assert post.reply.text == "Working…"
    demo.may_end.set()
    await task


@pytest.mark.usefixtures("hurried")
async def test_a_thousand_steps_are_not_a_thousand_messages(bot: Bot, demo: Demo) -> None:
    task = await working(bot, demo, *(Progress("copying", number, 1000, "files") for number in range(1, 1001)))
    await until(lambda: bool(bot.chats["slack"].posts), "progress is shown")
    demo.may_end.set()
    await task
    await bot.shown()
    (post,) = bot.chats["slack"].posts.values()
    assert "1,000/1,000" in post.said[0].text
    assert len(post.said) < 20


@pytest.mark.usefixtures("hurried")
async def test_progress_says_no_secret(bot: Bot, demo: Demo) -> None:
    task = await working(bot, demo, Progress(f"connecting to {SECRET} \u202e"))
    await until(lambda: bool(bot.chats["slack"].posts), "progress is shown")
    (post,) = bot.chats["slack"].posts.values()
    assert "connecting to" in post.reply.text
    assert "hunter22" not in post.reply.text
    assert "\u202e" not in post.reply.text
    demo.may_end.set()
    await task


@pytest.mark.usefixtures("hurried")
async def test_progress_without_a_total_tells_the_rate(bot: Bot, demo: Demo) -> None:
    task = await working(bot, demo, Progress("reading", 40, 0, "lines"))
    await until(lambda: bool(bot.chats["slack"].posts), "progress is shown")
    (post,) = bot.chats["slack"].posts.values()
    assert "40 lines ·" in post.reply.text
    demo.may_end.set()
    await task
