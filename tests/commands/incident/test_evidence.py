"""``incident evidence``: who may, what is kept of the sandbox without a secret in it, what is told when something could not be had."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bot.model import Outcome, Tone
from bot.testing.bot import a_bot
from tests.commands.conftest import Bot, MakeBot


@pytest.mark.parametrize(("who", "reason"), [("slack:vera", "permissions.too_low"), ("slack:mallory", "permissions.unknown_account")])
async def test_a_stranger_is_refused(tmp_path: Path, who: str, reason: str) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        reply = await bot.types(who, "incident evidence")
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)


def contents(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: (gzip.decompress(raw) if name.endswith(".gz") else raw).decode() for name, raw in found.items()}


async def test_everything_is_kept_and_no_secret_is(bot_on_sandbox: Bot, sandbox_secrets: tuple[str, ...]) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    kept = await bot_on_sandbox("incident evidence")
    assert (kept.outcome, kept.tone, kept.data["missing"]) == (Outcome.DONE, Tone.GOOD, [])
    folder = bot_on_sandbox.app.settings.vcc_home / "evidence" / "1" / kept.data["bundle"]
    held = contents(folder)
    assert sorted(name for name in held if name.startswith("logs/")) == [
        f"logs/vcc-{service}.log.gz" for service in ("backend", "frontend", "mongodb", "redis")
    ]
    assert [(name, secret) for name, text in held.items() for secret in sandbox_secrets if secret in text] == []
    assert "incident open security" in held["audit.jsonl.gz"]
    assert '"JWT_SECRET=<redacted>"' in held["containers/vcc-backend.inspect.json"]
    assert '"isAdmin": true' in held["mongodb/users.json"]
    assert " 404 " in held["access/vcc-frontend.log.gz"]
    shown = "".join(str(row) for table in kept.tables for row in table.rows)
    assert [secret for secret in sandbox_secrets if secret in shown] == []
    timeline = await bot_on_sandbox("incident report 1")
    assert timeline.outcome is Outcome.DONE
    verified = await bot_on_sandbox("incident evidence --verify")
    assert (verified.outcome, verified.tone) == (Outcome.DONE, Tone.GOOD)
    folder.rename(folder.with_name(".away"))
    gone = await bot_on_sandbox("incident evidence --verify")
    assert (gone.outcome, gone.data["bundles"][0]["lost"]) == (Outcome.FAILED, [kept.data["bundle"]])


async def test_what_cannot_be_had_is_told_and_the_rest_is_kept(make_bot: MakeBot, whole_sandbox: None) -> None:
    bot = await make_bot(MONGODB_URI="mongodb://a:b@127.0.0.1:1/vcc-manager")
    await bot("incident open security somebody got in")
    kept = await bot("incident evidence")
    assert (kept.outcome, kept.tone) == (Outcome.DONE, Tone.WARN)
    assert [each["name"] for each in kept.data["missing"]] == ["mongodb/counts.json"]
    assert "mongodb/counts.json" in kept.text


async def test_nothing_kept_is_not_told_as_well_kept(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        await bot.types("slack:olga", "incident open security somebody got in")
        reply = await bot.types("slack:olga", "incident evidence --verify")
        assert (reply.tone, reply.data) == (Tone.WARN, {"bundles": []})
