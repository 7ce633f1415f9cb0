"""What a request held back when a crash interrupted it is let go at the next start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.command import Group
from bot.context import Context
from bot.errors import Conflict
from bot.model import Outcome, Reply, Risk
from bot.testing.bot import Bot, a_bot


class Dam:
    """A group that closes something and promises to open it; what it did is in ``done``."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.broken = False
        self.closed, self.hold = asyncio.Event(), asyncio.Event()
        self.hold.set()
        self.group = Group("dam")
        self.group.command("close", Risk.CHANGE, examples=("dam close",))(self.close)
        self.group.command("open", Risk.CHANGE, examples=("dam open",))(self.open)

    async def close(self, ctx: Context) -> Reply:
        """Close, with a promise."""
        await ctx.promise("dam open")
        self.done.append("closed")
        self.closed.set()
        await self.hold.wait()
        return Reply("closed")

    async def open(self, ctx: Context) -> Reply:
        """Open."""
        if self.broken:
            raise Conflict("approvals.none")
        self.done.append(f"opened for {ctx.person.name}")
        return Reply("opened")


async def _killed_while_closed(home: Path, dam: Dam) -> None:
    """The dam is closed, and the bot is gone before it could close the request."""
    async with a_bot(home, dam.group, running=False) as bot:
        accepted = await bot.app.dispatch.accept(bot.invocation("slack:olga", "dam close"))
        assert accepted is not None
        await bot.app.audit.promise(accepted, ("dam open",))
        dam.done.append("closed")


async def test_a_promise_is_kept_at_the_next_start_by_the_same_person_and_said(tmp_path: Path) -> None:
    dam = Dam()
    await _killed_while_closed(tmp_path, dam)
    async with a_bot(tmp_path, dam.group) as bot:
        await bot.app.tending.keep_promises()
        await bot.shown()
        assert dam.done == ["closed", "opened for olga"]
        assert [post.reply.title for post in bot.chats["slack"].posts.values()] == ["Interrupted", "opened"]
        assert (await bot.app.audit.verify())[1] == 0


async def test_a_promise_survives_a_second_crash_before_it_could_be_kept(tmp_path: Path) -> None:
    dam = Dam()
    await _killed_while_closed(tmp_path, dam)
    async with a_bot(tmp_path, dam.group, running=False) as bot:
        assert len(await bot.app.audit.due_promises()) == 1
        clock = bot.clock
    clock.forward(3_600)
    async with a_bot(tmp_path, dam.group, clock=clock, running=False) as bot:
        await bot.app.tending.keep_promises()
        assert dam.done == ["closed", "opened for olga"]


async def test_a_request_that_ended_by_itself_leaves_nothing_to_keep(tmp_path: Path) -> None:
    dam = Dam()
    async with a_bot(tmp_path, dam.group) as bot:
        await bot.types("slack:olga", "dam close")
    async with a_bot(tmp_path, dam.group) as bot:
        await _keep(bot)
    assert dam.done == ["closed"]


async def _keep(bot: Bot) -> None:
    await bot.app.tending.keep_promises()


async def test_a_promise_that_fails_is_tried_again_until_it_is_done(tmp_path: Path) -> None:
    dam = Dam()
    await _killed_while_closed(tmp_path, dam)
    dam.broken = True
    async with a_bot(tmp_path, dam.group, running=False) as bot:
        await bot.app.tending.keep_promises()
        assert dam.done == ["closed"]
        dam.broken = False
        await bot.app.tending.keep_promises()
        assert dam.done == ["closed"]
        bot.forward(60)
        await bot.app.tending.keep_promises()
        assert dam.done == ["closed", "opened for olga"]
        bot.forward(3_600)
        await bot.app.tending.keep_promises()
        assert dam.done == ["closed", "opened for olga"]


async def test_a_running_bot_finds_what_another_program_left_and_keeps_its_promise(tmp_path: Path) -> None:
    dam = Dam()
    async with a_bot(tmp_path, dam.group, running=False) as bot:
        await _killed_while_closed(tmp_path, dam)
        await bot.app.tending.find_interrupted()
        await bot.app.tending.keep_promises()
        assert dam.done == ["closed", "opened for olga"]


async def test_a_bot_that_is_told_to_stop_keeps_the_promise_when_it_is_back(tmp_path: Path) -> None:
    dam = Dam()
    async with a_bot(tmp_path, dam.group, running=False) as bot:
        dam.hold.clear()
        accepted = await bot.app.dispatch.accept(bot.invocation("slack:olga", "dam close"))
        assert accepted is not None
        bot.app.dispatch.start(accepted)
        await dam.closed.wait()
    async with a_bot(tmp_path, dam.group, running=False) as bot:
        await bot.app.tending.keep_promises()
    assert dam.done == ["closed", "opened for olga"]


async def test_a_promise_is_kept_for_somebody_who_lost_the_right_meanwhile_and_nothing_else_is(tmp_path: Path) -> None:
    dam = Dam()
    await _killed_while_closed(tmp_path, dam)
    async with a_bot(tmp_path, dam.group, running=False, vcc_operators=()) as bot:
        await bot.app.tending.keep_promises()
        assert len(dam.done) == 2
        assert (await bot.types("slack:olga", "dam open")).outcome is Outcome.REFUSED
        assert len(dam.done) == 2
        assert [row["event"] for row in await bot.audit() if '"promised":true' in row["detail"]] == ["opened"]
