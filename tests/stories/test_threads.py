"""Long work that speaks as it goes: below its answer on both platforms, in order, through an outage, until somebody ends it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.command import Group
from bot.context import Context
from bot.model import Progress, Reply, Risk
from bot.testing.bot import a_bot
from bot.testing.waiting import until
from commands import cancel
from tests.platforms.discord.records import PUBLIC_THREADS, Message
from tests.stories.stage import CHANNEL, Stage, stage, texts

SETTINGS = {"VCC_VIEWERS": "slack:UVERA,discord:{vera},slack:UEVE", "VCC_OPERATORS": "slack:UOLGA,discord:{olga}"}
PEOPLE = ("vera", "olga", "eve")


class Teller:
    """A command that says one line for each that a test hands it, until it is told to end."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self.group = Group("tell")
        self.group.command("live", Risk.READ, timeout=60, examples=("tell live",), cancellable=True)(self.tell)
        self.group.command("deaf", Risk.READ, timeout=60, examples=("tell deaf",))(self.deaf)
        self.groups = (self.group, cancel.group)

    async def tell(self, ctx: Context) -> Reply:
        """Post what comes."""
        ctx.say(Progress("telling"))
        told = 0
        while not (who := await ctx.cancelled()):
            try:
                line = await asyncio.wait_for(self.lines.get(), 0.05)
            except TimeoutError:
                continue
            await ctx.post(Reply(line, private=line.startswith("psst")))
            told += 1
        return Reply(f"told {told}", f"ended by {who}")

    async def deaf(self, ctx: Context) -> Reply:
        """Hear nobody."""
        await self.lines.get()
        return Reply("heard")


@pytest.fixture
async def teller() -> Teller:
    """A fresh one."""
    return Teller()


def _threads(on: Stage) -> list[Message]:
    return [message for message in on.discord.messages(on.room) if message.thread_id]


def _below_slack(on: Stage, parent: str) -> list[str]:
    return [each.text for each in on.slack.messages(CHANNEL) if each.thread_ts == parent and each.ts != parent]


async def test_what_is_posted_stands_below_the_answer_in_slack_through_an_outage(teller: Teller, tmp_path: Path) -> None:
    async with stage(tmp_path, PEOPLE, SETTINGS, teller.groups) as on:
        await on.slack.slash("UVERA", CHANNEL, text="tell live")
        await on.slack.until(lambda: bool(on.slack.messages(CHANNEL)))
        (answer,) = on.slack.messages(CHANNEL)
        teller.lines.put_nowait("one")
        await on.slack.until(lambda: _below_slack(on, answer.ts) == ["one"])
        on.slack.fail("chat.postMessage", times=2)
        for word in ("two", "three", "four"):
            teller.lines.put_nowait(word)
        await on.slack.until(lambda: len(_below_slack(on, answer.ts)) == 4)
        assert _below_slack(on, answer.ts) == ["one", "two", "three", "four"]
        # Another viewer may not end it; the one who asked may, with the button.
        await on.slack.press("UEVE", answer, "Stop")
        await on.slack.until(lambda: any("slack:UVERA" in each.text for each in on.slack.ephemerals("UEVE")))
        await on.slack.press("UVERA", answer, "Stop")
        await on.slack.until(lambda: "told 4" in on.said_in_slack()[0])
        assert "ended by slack:UVERA" in on.said_in_slack()[0]
        assert answer.blocks is not None
        assert "Stop" not in on.said_in_slack()[0]


@pytest.mark.parametrize("may_open_threads", [True, False])
async def test_what_is_posted_stands_in_a_thread_of_discord_or_else_in_the_channel(
    may_open_threads: bool, teller: Teller, tmp_path: Path
) -> None:
    async with stage(tmp_path, PEOPLE, SETTINGS, teller.groups) as on:
        if not may_open_threads:
            on.discord.deny(on.room, PUBLIC_THREADS)
        await on.discord.slash(on.members["vera"], on.room, "vcc tell live")
        await on.discord.until(lambda: any("telling" in said for said in on.said_in_discord()))
        (answer,) = on.discord.messages(on.room)
        for word in ("one", "two", "three"):
            teller.lines.put_nowait(word)

        def below() -> list[str]:
            place = answer.id if may_open_threads else on.room
            return [" ".join(texts([each.content, each.embeds])).strip("*") for each in on.discord.messages(place) if each.id != answer.id]

        await on.discord.until(lambda: bool(_threads(on)) or not may_open_threads)
        await on.discord.until(lambda: len(below()) == 3)
        assert below() == ["one", "two", "three"]
        assert bool(_threads(on)) == may_open_threads
        # An operator may end what a viewer asked for.
        await on.discord.press(on.members["olga"], answer.id, "Stop")
        await on.discord.until(lambda: "told 3" in on.said_in_discord()[0])


async def test_what_is_posted_in_private_is_seen_by_the_asker_alone(teller: Teller, tmp_path: Path) -> None:
    async with stage(tmp_path, PEOPLE, SETTINGS, teller.groups) as on:
        await on.slack.slash("UVERA", CHANNEL, text="tell live")
        await on.discord.slash(on.members["vera"], on.room, "vcc tell live")
        await on.slack.until(lambda: any("telling" in said for said in on.said_in_slack()))
        await on.discord.until(lambda: any("telling" in said for said in on.said_in_discord()))
        teller.lines.put_nowait("psst one")
        await asyncio.sleep(0)
        await until(lambda: teller.lines.empty(), "the first one takes it")
        teller.lines.put_nowait("psst two")
        direct = on.discord.world.direct_channel(on.discord.world.member(on.members["vera"])).id

        def told() -> list[str]:
            return [each.text for each in on.slack.ephemerals("UVERA")] + [str(each.content) for each in on.discord.messages(direct)]

        await on.slack.until(lambda: len(told()) == 2)
        public = [
            *on.said_in_slack(),
            *on.said_in_discord(),
            *(str(m.content) for t in _threads(on) for m in on.discord.messages(t.thread_id or 0)),
        ]
        assert not any("psst" in said for said in public)


async def test_only_what_runs_and_can_be_ended_is_ended(teller: Teller, tmp_path: Path) -> None:
    async with a_bot(tmp_path, *teller.groups) as bot:
        deaf = await bot.app.dispatch.accept(bot.invocation("slack:vera", "tell deaf"))
        assert deaf is not None
        running = bot.app.dispatch.start(deaf)
        refused = await bot.types("slack:vera", f"cancel {deaf.reference}")
        assert "cannot be stopped" in refused.text
        teller.lines.put_nowait("end")
        assert (await running).title == "heard"
        assert "not running" in (await bot.types("slack:vera", f"cancel {deaf.reference}")).text
        assert "not running" in (await bot.types("slack:vera", "cancel R-NOBODY")).text


async def test_at_the_terminal_it_is_said_at_once(teller: Teller, tmp_path: Path) -> None:
    said: list[Reply] = []
    async with a_bot(tmp_path, *teller.groups, running=False) as bot:
        bot.app.say_at_terminal = said.append
        teller.lines.put_nowait("one of redis://:hunter2@redis:6379")
        accepted = await bot.app.dispatch.accept(bot.invocation("local:vera", "tell live"))
        assert accepted is not None
        running = bot.app.dispatch.start(accepted)
        await until(lambda: bool(said), "something is said")
        await bot.types("local:vera", f"cancel {accepted.reference.lower()}")
        assert (await running).title == "told 1"
    assert "hunter2" not in said[0].title
