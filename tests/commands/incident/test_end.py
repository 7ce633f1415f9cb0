"""``incident resolve``, ``report``, ``notice``, ``followup`` and ``list``: how an incident ends, and what is left of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.model import Account, Outcome, Place, Reply, Tone
from bot.series import Series
from bot.testing.bot import Bot, a_bot

HOUR = 3_600.0
INCIDENTS = Place("slack", "INC")
CHANNELS: dict[str, Any] = {"vcc_channel_incidents": (Account("slack", "INC"),), "platforms": ("slack",)}


def markdown(reply: Reply) -> str:
    return reply.files[0].path.read_text(encoding="utf-8")


async def _worked_through(bot: Bot) -> Reply:
    await bot.types("slack:olga", "incident open service login | fails --service backend")
    bot.forward(5 * 60)
    await bot.types("slack:ada", "incident note first seen in the *frontend*")
    await bot.types("slack:olga", "queue pause")
    await bot.types("slack:vera", "status")
    await bot.types("slack:vera", "incident note me too")
    await bot.types("slack:olga", "incident step 3 skip not needed")
    await bot.types("slack:ada", "incident assign ada")
    await bot.types("slack:ada", "incident followup raise the disk alert --owner olga")
    bot.forward(HOUR)
    return await bot.types("slack:ada", "incident resolve Redis was full")


async def test_the_post_mortem_tells_what_happened_and_what_is_to_be_done(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False, **CHANNELS) as bot:
        for minute in range(20):
            await bot.app.history.add(bot.clock() + 60 * minute, {Series("host", "", "cpu_percent"): 40.0 + minute})
        ended = await _worked_through(bot)
        assert (ended.outcome, ended.tone) == (Outcome.DONE, Tone.WARN)
        assert "☐ 1. Look at the services" in ended.text
        assert ended.data["figures"]["lasted_seconds"] == HOUR + 300
        assert ended.data["figures"]["answered_after_seconds"] == 300
        told = markdown(ended)
        assert told.startswith("# Incident \\#1 Service incident — login \\| fails\n")
        assert "| Lasted | 1h 5m |" in told
        assert "- [ ] 3. Restart or roll back (if needed) (skipped) — olga" in told
        timeline = told[told.index("## Timeline") :]
        assert "| ada | first seen in the \\*frontend\\* |" in timeline
        assert "| olga | queue pause — " in timeline
        assert "| vera | status" not in timeline
        assert "| vera | incident note me too — refused" in timeline
        assert timeline.index("Opened: login") < timeline.index("queue pause") < timeline.index("Ended — Redis was full")
        assert "- [ ] raise the disk alert — olga" in told
        assert [file.media_type for file in ended.files] == ["text/markdown", "image/png"]


async def test_the_end_is_told_where_it_was_announced_with_the_report(tmp_path: Path) -> None:
    async with a_bot(tmp_path, **CHANNELS) as bot:
        ended = await _worked_through(bot)
        await bot.shown()
        announced, *below = bot.chats["slack"].at(INCIDENTS)
        assert announced.reply.tone is Tone.GOOD
        assert announced.reply.text == "Ended by ada after 1h 5m\nRedis was full"
        assert [post.reply.title for post in below if post.reply.files] == ["Post-mortem"]
        report = await bot.presses("slack:vera", announced, "Report")
        assert markdown(report).split("## Steps")[1][:400] == markdown(ended).split("## Steps")[1][:400]


async def test_what_is_over_stays_over_but_more_may_be_noted_to_do(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False, **CHANNELS) as bot:
        await _worked_through(bot)
        for line in ("incident resolve --incident 1", "incident step 4 --incident 1", "incident assign me --incident 1"):
            again = await bot.types("slack:olga", line)
            assert (again.outcome, again.data["reason"]) == (Outcome.REFUSED, "incident.over")
        later = await bot.types("slack:olga", "incident followup write it down --incident 1")
        assert [action["text"] for action in later.data["actions"]] == ["raise the disk alert", "write it down"]
        assert (await bot.types("slack:olga", "incident resolve")).data["reason"] == "incident.none_open"
        assert [each["state"] for each in (await bot.types("slack:vera", "incident list")).data["incidents"]] == ["resolved"]


async def test_two_incidents_at_once_keep_apart(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False, **CHANNELS) as bot:
        await bot.types("slack:olga", "incident open service one")
        await bot.types("slack:ada", "incident open security two")
        assert [each["number"] for each in (await bot.types("slack:vera", "incident")).data["incidents"]] == [1, 2]
        assert (await bot.types("slack:olga", "incident step 2 done")).data["reason"] == "incident.which"
        await bot.types("slack:olga", "incident note of one --incident 1")
        await bot.types("slack:olga", "incident resolve --incident 2")
        first, second = [(await bot.types("slack:vera", f"incident status {number}")).data for number in (1, 2)]
        assert (first["state"], second["state"]) == ("open", "resolved")
        assert "of one" in [entry["text"] for entry in first["timeline"]]
        assert "of one" not in [entry["text"] for entry in second["timeline"]]


async def test_the_notice_to_users_is_drafted_in_both_languages(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False, **CHANNELS) as bot:
        await bot.types("slack:olga", "incident open service 로그인이 안 됨")
        drafted = await bot.types("slack:vera", "incident notice")
        assert "영향: 로그인이 안 됨" in drafted.data["ko"]
        assert "Affected: 로그인이 안 됨" in drafted.data["en"]
        assert drafted.code == f"{drafted.data['ko']}\n\n{drafted.data['en']}"


@pytest.mark.parametrize("line", ["incident resolve", "incident followup x"])
async def test_a_stranger_is_refused(tmp_path: Path, line: str) -> None:
    async with a_bot(tmp_path, running=False, **CHANNELS) as bot:
        await bot.types("slack:olga", "incident open service one")
        assert (await bot.types("slack:vera", line)).data["reason"] == "permissions.too_low"
        assert (await bot.types("slack:mallory", line)).data["reason"] == "permissions.unknown_account"


async def test_a_secret_in_a_note_is_in_no_report(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False, mongodb_uri="mongodb://root:hunter2secret@localhost/vcc", **CHANNELS) as bot:
        await bot.types("slack:olga", "incident open service one")
        await bot.types("slack:olga", "incident note the password was hunter2secret")
        assert "hunter2secret" not in markdown(await bot.types("slack:vera", "incident report"))
