"""Reports of checklists where others see them: in every channel of a schedule, signed by several at once, without what is private."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.model import Reply
from bot.testing.clock import Clock
from tests.bot import scheduled
from tests.commands.test_checklist_people import Probe, a_team


async def test_a_scheduled_report_stands_on_both_platforms_and_a_signature_changes_both(tmp_path: Path) -> None:
    clock = Clock(scheduled.at("2026-01-22 08:59"))
    scheduled.write(tmp_path, scheduled.row("ours", "0 9 * * *", "checklist run mine"))
    async with a_team(tmp_path, Probe(), clock=clock) as bot:
        await bot.app.scheduler.round()
        await scheduled.look(bot, "2026-01-22 09:02")
        reports = []
        for name, chat in bot.chats.items():
            await bot.shown(name)
            reports += [post for post in chat.posts.values() if post.reply.title.startswith("Ours")]
        assert [post.place.platform for post in reports] == ["slack", "discord"]
        assert [len(chat.posts) for chat in bot.chats.values()] == [2, 2]  # and what could not be measured, in the thread of each
        await bot.presses("discord:1", reports[1], "Sign: Security")
        for name in bot.chats:
            await bot.shown(name)
        for post in reports:
            assert "looked at by ada" in post.reply.text
            assert post.reply.text.startswith("It was due 01-22 09:00 and runs 2m late.")
            assert post.reply.footer.startswith("schedule ours · ada · ")


async def test_what_is_for_the_asker_alone_is_judged_and_not_told(tmp_path: Path) -> None:
    async with a_team(tmp_path, Probe()) as bot:
        reply = await bot.types("slack:olga", "checklist run small")
        await bot.shown()
        assert "✘ Private: failed" in reply.text
        assert "eyes only" not in str(list(bot.chats["slack"].posts.values()))


async def test_two_who_sign_at_once_both_stand_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_team(tmp_path, Probe()) as bot:
        await bot.types("slack:olga", "checklist run mine")
        revise, begun, other_told = bot.app.audit.revise, list[str](), asyncio.Event()

        async def late(reference: str, reply: Reply) -> None:
            begun.append(reference)
            if len(begun) == 1:  # what this one knows is old by the time it is shown
                await other_told.wait()
            await revise(reference, reply)
            other_told.set()

        monkeypatch.setattr(bot.app.audit, "revise", late)
        await asyncio.gather(*(bot.types("slack:ada", f"checklist sign {item}") for item in ("later", "secure")))
        await bot.shown()
        report = bot.chats["slack"].posts["m1"].reply
        assert report.text.count("looked at by ada") == 2
        assert report.buttons == ()
