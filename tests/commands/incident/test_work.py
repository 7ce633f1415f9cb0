"""``incident``: opened, worked through and told of, in the places of incidents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.model import Account, Outcome, Place, Tone
from bot.testing.bot import a_bot

INCIDENTS = Place("slack", "INC")
CHANNELS: dict[str, Any] = {"vcc_channel_incidents": (Account("slack", "INC"),)}


async def test_an_incident_is_announced_and_its_announcement_follows_what_is_done(tmp_path: Path) -> None:
    async with a_bot(tmp_path, **CHANNELS) as bot:
        reply = await bot.types("slack:olga", "incident open service login fails --service backend")
        assert (reply.outcome, reply.data["number"], reply.data["lead"]) == (Outcome.DONE, 1, "olga")
        await bot.shown()
        (announced,) = [post for post in bot.chats["slack"].at(INCIDENTS) if not post.below]
        assert announced.reply.title == "Incident #1 Service incident — login fails"
        assert announced.reply.tone is Tone.BAD
        done = await bot.types("slack:olga", "incident step 2 done all green but backend")
        assert done.data["steps"][1]["state"] == "done"
        await bot.types("slack:ada", "incident step 3 skip")
        await bot.shown()
        assert ("Steps", "3/5") in announced.reply.fields


@pytest.mark.parametrize(
    ("who", "line", "reason"),
    [
        ("slack:vera", "incident open service", "permissions.too_low"),
        ("slack:vera", "incident note x", "permissions.too_low"),
        ("slack:vera", "incident step 1", "permissions.too_low"),
        ("slack:vera", "incident assign me", "permissions.too_low"),
        ("slack:vera", "incident followup x", "permissions.too_low"),
        ("slack:mallory", "incident open security", "permissions.unknown_account"),
        ("slack:olga", "incident step 9", "incident.no_step"),
        ("slack:olga", "incident step 1 undo", "incident.step_before"),
        ("slack:olga", "incident note x --incident 7", "incident.none_such"),
        ("slack:olga", "incident assign vera", "incident.unknown_person"),
        ("slack:olga", "incident assign olga", "incident.leads_already"),
    ],
)
async def test_what_may_not_or_cannot_be_is_refused(tmp_path: Path, who: str, line: str, reason: str) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        await bot.types("slack:olga", "incident open service login fails")
        reply = await bot.types(who, line)
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)


async def test_status_names_the_incidents_that_go_on(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        await bot.types("slack:olga", "incident open service login fails")
        await bot.types("slack:olga", "incident open security")
        await bot.types("slack:olga", "incident resolve --incident 2")
        glance = await bot.types("slack:vera", "status")
        assert [each["number"] for each in glance.data["incidents"]] == [1]
        assert ("Incidents", "#1 login fails") in glance.fields
