"""``incident isolate`` and ``rejoin``: who may, what is refused, what the card says, and the way there and back on the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.model import Outcome, Tone
from bot.ops import own_container
from bot.testing.bot import a_bot
from commands.incident import isolate
from tests.commands.conftest import Bot


@pytest.mark.parametrize("line", ["incident isolate backend", "incident rejoin backend"])
@pytest.mark.parametrize(("who", "reason"), [("slack:vera", "permissions.too_low"), ("slack:mallory", "permissions.unknown_account")])
async def test_a_stranger_is_refused(tmp_path: Path, line: str, who: str, reason: str) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        reply = await bot.types(who, line)
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)


async def test_without_an_incident_and_without_an_isolation_there_is_nothing_to_do(bot_on_sandbox: Bot) -> None:
    assert (await bot_on_sandbox("incident isolate frontend")).data["reason"] == "incident.none_open"
    assert (await bot_on_sandbox("incident rejoin frontend")).data["reason"] == "isolate.none_isolated"


async def test_the_card_says_what_leaves_what_and_how_it_comes_back(bot_on_sandbox: Bot) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    asked = await bot_on_sandbox("incident isolate frontend")
    told = "\n".join([asked.text, *(f"{name}: {value}" for name, value in asked.fields)])
    assert asked.outcome is Outcome.PENDING
    assert "vcc-frontend" in told
    assert "vcc-manager_vcc-network" in told
    assert "incident rejoin frontend" in told
    assert (await bot_on_sandbox(f"approve {asked.ticket}", "olga")).outcome is Outcome.REFUSED


async def test_there_and_back(bot_on_sandbox: Bot) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    done = await bot_on_sandbox.approved("incident isolate frontend")
    home = bot_on_sandbox.app.settings.vcc_home
    try:
        assert (done.outcome, done.tone, done.data["answers"]) == (Outcome.DONE, Tone.GOOD, False)
        assert json.loads((home / "isolated" / "frontend.json").read_text())["by"] == "olga"
        assert (await bot_on_sandbox("incident isolate frontend")).data["reason"] == "isolate.already"
        assert (await bot_on_sandbox("incident rejoin redis")).data["reason"] == "isolate.not_isolated"
    finally:
        back = await bot_on_sandbox.approved("incident rejoin frontend")
    assert (back.outcome, back.tone, back.data["answers"]) == (Outcome.DONE, Tone.GOOD, True)
    assert not (home / "isolated" / "frontend.json").exists()


async def test_the_bot_does_not_cut_itself_off(bot_on_sandbox: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    own = (await bot_on_sandbox.app.ops.containers.service("backend")).container_id
    monkeypatch.setattr(isolate, "is_own", lambda container_id: container_id == own)
    assert own_container.is_own(own) is False
    assert (await bot_on_sandbox("incident isolate backend")).data["reason"] == "isolate.own"
