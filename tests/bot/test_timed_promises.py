"""A line promised for a time is typed then, whether its request ended, failed or was cut off, and whoever is running by then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.command import Group
from bot.context import Context
from bot.errors import Conflict
from bot.model import Outcome, Reply, Risk
from bot.testing.bot import Bot, a_bot

MINUTES = 600.0


class Lamp:
    """A group that lights a lamp for ten minutes; what happened is in ``done``."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.broken = False
        self.seen: list[Mapping[str, Any] | None] = []
        self.group = Group("lamp")
        for name in ("on", "off", "out", "look"):
            self.group.command(name, Risk.CHANGE, examples=(f"lamp {name}",))(getattr(self, name))

    async def on(self, ctx: Context) -> Reply:
        """Light it, with a promise."""
        await ctx.promise_at(ctx.clock() + MINUTES, "lamp off", "lamp", {"before": len(self.done)})
        self.done.append("on")
        if self.broken:
            raise Conflict("approvals.none")
        return Reply("on")

    async def off(self, ctx: Context) -> Reply:
        """Put it out, as promised."""
        if self.broken:
            raise Conflict("approvals.none")
        promised = await ctx.promised("lamp")
        self.seen.append(promised.note if promised else None)
        self.done.append(f"off for {ctx.person.name}")
        return Reply("off")

    async def out(self, ctx: Context) -> Reply:
        """Put it out by hand."""
        await ctx.release("lamp")
        self.done.append("out")
        return Reply("out")

    async def look(self, ctx: Context) -> Reply:
        """Whether something is promised."""
        promised = await ctx.promised("lamp")
        return Reply("look", data=None if promised is None else [promised.at - ctx.clock(), dict(promised.note)])


async def _pass(bot: Bot, seconds: float) -> None:
    bot.forward(seconds)
    await bot.app.tending.keep_promises()


async def test_the_line_is_typed_at_its_time_and_not_before_and_only_once(tmp_path: Path) -> None:
    lamp = Lamp()
    async with a_bot(tmp_path, lamp.group, running=False) as bot:
        await bot.types("slack:olga", "lamp on")
        await _pass(bot, MINUTES - 1)
        assert lamp.done == ["on"]
        assert (await bot.types("slack:olga", "lamp look")).data == [1.0, {"before": 0}]
        await _pass(bot, 1)
        assert lamp.done == ["on", "off for olga"]
        assert lamp.seen == [{"before": 0}]
        await _pass(bot, 10 * MINUTES)
        assert lamp.done == ["on", "off for olga"]
        assert (await bot.types("slack:olga", "lamp look")).data is None


async def test_it_is_said_where_it_was_asked_and_is_on_the_record(tmp_path: Path) -> None:
    lamp = Lamp()
    async with a_bot(tmp_path, lamp.group) as bot:
        await bot.types("slack:olga", "lamp on")
        await _pass(bot, MINUTES)
        await bot.shown()
        assert [post.reply.title for post in bot.chats["slack"].posts.values()] == ["on", "off"]
        lines = [(row["line"], row["person"]) for row in await bot.audit() if row["event"] == "closed"]
        assert lines == [("lamp on", "olga"), ("lamp off", "olga")]


async def test_a_newer_run_moves_the_time_instead_of_adding_one(tmp_path: Path) -> None:
    lamp = Lamp()
    async with a_bot(tmp_path, lamp.group, running=False) as bot:
        await bot.types("slack:olga", "lamp on")
        await _pass(bot, MINUTES - 60)
        await bot.types("slack:ada", "lamp on")
        await _pass(bot, 120)
        assert lamp.done == ["on", "on"]
        await _pass(bot, MINUTES)
        assert lamp.done == ["on", "on", "off for ada"]
        assert lamp.seen == [{"before": 1}]


async def test_what_was_done_by_hand_is_not_done_again(tmp_path: Path) -> None:
    lamp = Lamp()
    async with a_bot(tmp_path, lamp.group, running=False) as bot:
        await bot.types("slack:olga", "lamp on")
        await bot.types("slack:olga", "lamp out")
        await _pass(bot, 2 * MINUTES)
    assert lamp.done == ["on", "out"]


async def test_a_bot_that_was_down_at_the_time_keeps_it_at_its_start(tmp_path: Path) -> None:
    lamp = Lamp()
    async with a_bot(tmp_path, lamp.group, running=False) as bot:
        await bot.types("slack:olga", "lamp on")
        clock = bot.clock
    clock.forward(MINUTES + 1)
    async with a_bot(tmp_path, lamp.group, clock=clock, running=False) as bot:
        await bot.app.tending.keep_promises()
    assert lamp.done == ["on", "off for olga"]


async def test_a_request_that_failed_or_was_cut_off_keeps_it_for_its_time_too(tmp_path: Path) -> None:
    lamp = Lamp()
    async with a_bot(tmp_path, lamp.group, running=False) as bot:
        lamp.broken = True
        assert (await bot.types("slack:olga", "lamp on")).outcome is Outcome.REFUSED
        lamp.broken = False
        accepted = await bot.app.dispatch.accept(bot.invocation("slack:ada", "lamp on"))
        assert accepted is not None
        clock = bot.clock
    async with a_bot(tmp_path, lamp.group, clock=clock, running=False) as bot:
        await bot.app.tending.keep_promises()
        assert lamp.done == ["on"]
        await _pass(bot, MINUTES)
        assert lamp.done == ["on", "off for olga"]


async def test_a_line_that_fails_is_tried_again_until_it_is_done(tmp_path: Path) -> None:
    lamp = Lamp()
    async with a_bot(tmp_path, lamp.group, running=False) as bot:
        await bot.types("slack:olga", "lamp on")
        lamp.broken = True
        await _pass(bot, MINUTES)
        assert lamp.done == ["on"]
        lamp.broken = False
        await _pass(bot, 60)
        assert lamp.done == ["on", "off for olga"]
