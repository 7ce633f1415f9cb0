"""What a hostile review found, each as the story that showed it; the mechanism is tested beside its own room."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot import cards, outbox
from bot.command import Group
from bot.context import Context
from bot.errors import RecordUnwritable
from bot.model import Fact, Outcome, Plan, Reply, Risk
from bot.outbox import NotDelivered
from bot.permissions import system_account
from bot.store import audit_rows
from bot.testing.bot import OPS, Bot, a_bot
from tests.bot.demo import Demo


async def test_who_asks_as_an_unlisted_user_of_the_machine_cannot_approve_from_a_chat(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups) as bot:
        asked = await bot.types(str(system_account()), "demo wipe")
        assert asked.ticket is not None
        refused = await bot.types("slack:ada", f"approve {asked.ticket}")
        assert refused.data["reason"] == "permissions.maybe_same_person"
        assert demo.applied == []


async def test_an_intact_record_verifies_while_others_are_typing(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups, running=False) as bot:
        typing = asyncio.gather(*(bot.types("slack:olga", "demo read") for _ in range(60)))
        found = [await bot.app.audit.verify() for _ in range(20)]
        await typing
        assert [broken for _, broken in found] == [0] * 20


async def test_a_message_that_breaks_its_courier_does_not_silence_its_channel(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups) as bot:
        chat = bot.chats["slack"]
        chat.fail(ZeroDivisionError("a bug in a renderer"), times=1_000)
        await bot.types("slack:olga", "demo read")
        await _given_up(bot)
        chat.recover()
        await bot.types("slack:olga", "demo read")
        await bot.shown()
        assert len(chat.at(OPS["slack"])) == 1


async def test_a_message_that_the_platform_refuses_for_good_is_given_up(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups) as bot:
        bot.chats["slack"].fail(NotDelivered("metadata_too_large", refused=True), times=1_000)
        await bot.types("slack:olga", "demo read")
        await _given_up(bot)


async def _given_up(bot: Bot) -> None:
    """Let time pass until the outbox has given a message up."""
    async with asyncio.timeout(60):
        while not any(dead for _, _, dead, _ in await outbox.state(bot.app.store)):
            bot.forward(61)
            await asyncio.sleep(0.02)


def test_a_warning_that_nobody_saw_voids_the_approval() -> None:
    fact = Fact("thing", "Thing", "one", 1)
    approved = Plan("restart", "", (fact,), ("redis",), False, "")
    now = Plan("restart", "", (fact,), ("redis",), False, "", warnings=("the append-only file is off",))
    assert [after.shown for _, after in cards.changes(approved, now) if after] == ["the append-only file is off"]
    assert cards.changes(now, approved) == ()


async def test_a_disk_that_was_full_for_a_moment_leaves_no_target_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group("hold")

    @group.command("it", Risk.CHANGE, examples=("hold it",), locks=lambda: ("it",))
    async def it(ctx: Context) -> Reply:
        return Reply("held")

    async with a_bot(tmp_path, group, running=False) as bot:
        full = [True]
        accepted = await bot.app.dispatch.accept(bot.invocation("local:olga", "hold it"))
        assert accepted is not None
        monkeypatch.setattr("bot.dispatch._CLOSE_AGAIN", (0.01,) * 50)
        close = bot.app.audit.close

        async def unclosable(*arguments: object) -> None:
            if full[0]:
                raise RecordUnwritable("disk full")
            await close(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(bot.app.audit, "close", unclosable)
        assert (await bot.app.dispatch.run(accepted)).outcome is Outcome.DONE
        full[0] = False
        await bot.quiet()
        assert (await bot.types("local:olga", "hold it")).outcome is Outcome.DONE


def test_a_page_of_the_record_comes_with_the_head_of_the_same_moment() -> None:
    chain = audit_rows.Chain()
    assert chain.follow([]) == 0
    assert chain.end((0, "")) == 0
    assert chain.end((1, "x")) == 1


async def test_the_record_says_which_user_of_the_machine_typed_for_somebody(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups, running=False) as bot:
        await bot.types("local:ada", "demo read")
        assert json.loads((await bot.audit())[0]["detail"])["typed_by"] == system_account().id


async def test_the_reason_of_a_denial_stands_on_the_card(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups) as bot:
        asked = await bot.types("slack:olga", "demo wipe")
        await bot.types("slack:ada", f"deny {asked.ticket} not before the backup")
        await bot.shown()
        (card,) = [post for post in bot.chats["slack"].cards(asked.ticket or 0) if not post.reply.private]
        assert ("Reason", "not before the backup") in card.reply.fields
