"""``check setup``: the worst first, each with its fix."""

from __future__ import annotations

from pathlib import Path

from bot.model import Tone
from bot.testing.bot import a_bot
from commands import check
from tests.bot.demo import CORRIDOR


async def test_what_is_wrong_comes_first_and_has_a_fix(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *CORRIDOR, check.group) as bot:
        reply = await bot.types("slack:vera", "check setup")
        states = [each["state"] for each in reply.data]
        assert states == sorted(states, key=("bad", "warn", "ok").index)
        assert states[0] == "bad"
        assert reply.tone is Tone.BAD
        assert all(each["fix"] for each in reply.data if each["state"] != "ok")
        assert {"slack", "discord", "docker", "mongodb", "people"} <= {each["part"] for each in reply.data}


async def test_the_set_up_is_told_without_secrets(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *CORRIDOR, check.group, mongodb_uri="mongodb://root:hunter22-secret@127.0.0.1:9/vcc") as bot:
        assert "hunter22" not in repr(await bot.types("slack:vera", "check setup"))
