"""``access``: who somebody is to the bot, and why they may or may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import Outcome
from bot.testing.bot import a_bot
from tests.bot.demo import Demo


async def test_whoami_names_the_person_with_all_accounts_for_their_eyes_only(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        reply = await bot.types("discord:1", "access whoami")
        assert reply.private is True
        assert reply.data == {"account": "discord:1", "person": "ada", "role": "admin"}
        assert dict(reply.fields)["Accounts"] == "discord:1, local:ada, slack:ada"


@pytest.mark.parametrize(
    ("who", "command", "allowed", "says"),
    [
        ("slack:ada", "demo wipe", True, "another admin approves"),
        ("slack:olga", "demo change", True, "May run it."),
        ("slack:olga", "demo boss", False, "needs the role admin"),
        ("slack:vera", "demo change", False, "needs the role operator"),
        ("slack:vera", "demo", True, "May run it."),
        ("slack:zed", "demo", False, "not known"),
        ("@slack:vera", "wipe", False, "needs the role operator"),
    ],
)
async def test_explain_says_whether_and_why(tmp_path: Path, who: str, command: str, allowed: bool, says: str) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        reply = await bot.types("slack:vera", f"access explain {who} {command}")
        assert reply.data["allowed"] is allowed
        assert says in dict(reply.fields)["Verdict"]


@pytest.mark.parametrize("line", ["access explain ada demo wipe", "access explain slack:ada nonsense", "access explain slack:ada"])
async def test_explain_of_nothing_is_told(tmp_path: Path, line: str) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        reply = await bot.types("slack:vera", line)
        assert reply.outcome is Outcome.REFUSED
        assert reply.data["usage"] is True
