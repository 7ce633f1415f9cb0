"""``oncall``: who is on call, changing that for a while, and what a stranger may not do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import Account, Outcome, Tone
from bot.testing.bot import OPS, Bot, a_bot
from bot.testing.clock import DAWN
from commands import oncall

TEAM = """
order = ["kim", "ada"]
[[contact]]
name = "kim"
accounts = ["slack:UKIM"]
phone = "010-1234-5678"
[[contact]]
name = "ada"
accounts = ["slack:ada"]
mail = "ada@example.org"
"""
TURNS = TEAM + '[rotation]\nstart = 2026-01-05 09:00:00\norder = ["kim", "ada"]\n'


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """The folder of a team with two contacts."""
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "oncall.toml").write_text(TEAM)
    return folder


@pytest.fixture
async def bot(tmp_path: Path, team: Path) -> AsyncIterator[Bot]:
    """A bot of that team."""
    async with a_bot(tmp_path, oncall.group, vcc_team_dir=team) as bot:
        yield bot


async def announced(bot: Bot, platform: str = "discord") -> list[tuple[str, str]]:
    """What was said of who is on call without being asked."""
    await bot.shown(platform)
    said = [post.reply for post in bot.chats[platform].at(OPS[platform])]
    return [(reply.title, reply.text) for reply in said if reply.title.startswith("On call")]


async def test_show_says_who_is_on_call_and_how_to_reach_everybody(bot: Bot) -> None:
    reply = await bot.types("slack:vera", "oncall")
    assert reply.title == "On call now: kim"
    assert reply.text == "called in this order: kim → ada (the next one after 15m without an answer)"
    assert reply.tables[0].rows == (("kim", "slack:UKIM", "-", "010-1234-5678"), ("ada", "slack:ada", "ada@example.org", "-"))
    assert (reply.data["on_call"], reply.data["order"], reply.data["until"]) == ("kim", ["kim", "ada"], None)


async def test_without_a_file_the_admins_stand_in(tmp_path: Path) -> None:
    async with a_bot(tmp_path, oncall.group) as bot:
        reply = await bot.types("slack:vera", "oncall show")
        assert (reply.title, reply.data["order"]) == ("On call now: ada", ["ada", "ben"])
        assert "admins" in reply.text
        paged = await bot.types("slack:olga", "oncall page help")
        assert paged.data["called"] == "ada"


async def test_where_only_a_group_is_admin_nobody_can_be_called_and_it_says_what_to_do(tmp_path: Path) -> None:
    async with a_bot(tmp_path, oncall.group, vcc_admins=((Account("slack-group", "S1"),),)) as bot:
        reply = await bot.types("slack:vera", "oncall")
        assert (reply.title, reply.tone) == ("Nobody is on call", Tone.WARN)
        assert "oncall.toml" in reply.text
        refused = await bot.types("slack:olga", "oncall page help")
        assert (refused.outcome, refused.data["reason"]) == (Outcome.REFUSED, "oncall.nobody")


async def test_set_changes_it_for_a_while_announces_it_and_it_ends_by_itself(bot: Bot) -> None:
    await bot.app.calling.escalation.round()
    reply = await bot.types("slack:olga", "oncall set ADA --for 12h")
    assert (reply.title, reply.data) == ("On call now: ada", {"on_call": "ada", "until": DAWN + 43_200, "set_by": "olga"})
    assert await announced(bot) == [("On call now: ada", f"{reply.text} · set by olga")]
    shown = await bot.types("slack:vera", "oncall show")
    assert (shown.data["on_call"], shown.data["set_by"], shown.data["next"]) == ("ada", "olga", "kim")
    bot.forward(43_199)
    await bot.app.calling.escalation.round()
    assert len(await announced(bot)) == 1
    bot.forward(1)
    for _ in range(2):
        await bot.app.calling.escalation.round()
    (_, back) = await announced(bot)
    assert back == ("On call now: kim", "by turn")


async def test_whoever_comes_on_call_is_called_by_name(bot: Bot) -> None:
    await bot.types("slack:olga", "oncall set ada")
    await bot.shown("slack")
    said = [post.reply for post in bot.chats["slack"].posts.values() if post.reply.mentions]
    assert [reply.mentions for reply in said] == [(Account("slack", "ada"),)]


async def test_setting_whose_turn_it_is_goes_back_to_the_plan(bot: Bot) -> None:
    await bot.types("slack:olga", "oncall set ada")
    assert (await bot.types("slack:vera", "oncall")).data["set_by"] == "olga"
    await bot.types("slack:olga", "oncall set kim")
    shown = (await bot.types("slack:vera", "oncall")).data
    assert (shown["on_call"], shown["set_by"]) == ("kim", None)


async def test_turns_are_handed_over_and_announced_once_also_after_a_restart(tmp_path: Path, team: Path) -> None:
    (team / "oncall.toml").write_text(TURNS)
    async with a_bot(tmp_path, oncall.group, vcc_team_dir=team) as bot:
        await bot.app.calling.escalation.round()
        shown = await bot.types("slack:vera", "oncall show")
        now, following = shown.data["on_call"], shown.data["next"]
        assert {now, following} == {"kim", "ada"}
        changed = await bot.types("slack:olga", f"oncall set {following}")
        assert changed.data["until"] == shown.data["until"]
        assert len(await announced(bot)) == 1
        bot.clock.now = shown.data["until"]
        clock = bot.clock
    async with a_bot(tmp_path, oncall.group, vcc_team_dir=team, clock=clock) as bot:
        await bot.app.calling.escalation.round()
        assert (await bot.types("slack:vera", "oncall show")).data["on_call"] == following
        clock.forward(7 * 86_400)
        for _ in range(2):
            await bot.app.calling.escalation.round()
        assert [title for title, _ in await announced(bot)] == [f"On call now: {now}"]


@pytest.mark.parametrize(
    ("typed", "name"), [("me", "ada"), ("slack:ada", "ada"), ("discord:1", "ada"), ("slack:UKIM", "kim"), ("@vera", "vera"), ("나", "ada")]
)
async def test_a_person_is_meant_by_name_by_account_or_as_oneself(bot: Bot, typed: str, name: str) -> None:
    reply = await bot.types("slack:ada", f"oncall set {typed} --for 1h")
    assert reply.data["on_call"] == name


@pytest.mark.parametrize("typed", ["kin", "slack:STRANGER", "slack-group:S1", "mail:a@b.kr", "@nobody"])
async def test_somebody_unknown_is_refused_with_the_nearest_name(bot: Bot, typed: str) -> None:
    reply = await bot.types("slack:olga", f"oncall set {typed}")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "oncall.unknown")
    assert "kim" in reply.text


async def test_a_fault_in_the_file_is_told_and_the_last_good_one_stays_in_force(bot: Bot, team: Path) -> None:
    await bot.types("slack:vera", "oncall")
    (team / "oncall.toml").write_text('order = ["nobody"]\n')
    reply = await bot.types("slack:vera", "oncall")
    assert (reply.title, reply.tone) == ("On call now: kim", Tone.WARN)
    assert "nobody" in reply.text


@pytest.mark.parametrize("line", ["oncall set ada", "oncall page help", "oncall ack 1"])
async def test_a_stranger_is_refused(bot: Bot, line: str) -> None:
    for who in ("slack:STRANGER", "slack:vera"):
        reply = await bot.types(who, line)
        assert reply.outcome is Outcome.REFUSED
    assert await announced(bot) == []
