"""Contacts that would be called in vain are named, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import Account
from bot.oncall_check import OnCallCheck
from bot.testing.bot import a_bot
from bot.words import Words
from commands import oncall

KIM = '[[contact]]\nname = "kim"\naccounts = ["slack:{account}"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KIM.format(account="olga"), [("ok", "On call now: kim")]),
        (KIM.format(account="vera"), [("warn", "kim may not answer a call.")]),
        (KIM.format(account="STRANGER"), [("warn", "kim may not answer a call.")]),
        (KIM.format(account="ada") + 'mail = "k@b.kr"\n', [("warn", "No letter can be sent to kim.")]),
        ("", [("ok", "On call now: ada")]),
    ],
)
async def test_a_contact_that_cannot_answer_is_named(tmp_path: Path, text: str, said: list[tuple[str, str]]) -> None:
    (tmp_path / "oncall.toml").write_text(text)
    async with a_bot(tmp_path, oncall.group, running=False, vcc_team_dir=tmp_path) as bot:
        found = await OnCallCheck(bot.app.calling.book, bot.app.gate).findings(Words("en"))
        assert [(each.state, each.text) for each in found] == said
        assert all(each.fix for each in found if each.state != "ok")


async def test_where_nobody_can_be_called_it_says_what_to_do(tmp_path: Path) -> None:
    async with a_bot(tmp_path, oncall.group, running=False, vcc_admins=((Account("slack-group", "S1"),),)) as bot:
        (found,) = await OnCallCheck(bot.app.calling.book, bot.app.gate).findings(Words("en"))
        assert (found.state, found.text) == ("warn", "Nobody is on call")
