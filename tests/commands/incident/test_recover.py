"""``incident recover``: what a killed bot left of making a container again is put in order, and what waits is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.connectors import plain
from bot.errors import Unreachable
from bot.model import Outcome, Tone
from bot.ops.container_making import Changes
from bot.ops.containers import Containers
from bot.ops.recreate import Recreate
from bot.security.isolation import Isolated, Isolations
from bot.security.revoke_journal import Revocation, RevokeJournal
from bot.testing.bot import a_bot
from tests.commands.conftest import Bot


@pytest.mark.parametrize(("who", "reason"), [("slack:vera", "permissions.too_low"), ("slack:mallory", "permissions.unknown_account")])
async def test_a_stranger_is_refused(tmp_path: Path, who: str, reason: str) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        reply = await bot.types(who, "incident recover")
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)


class Killed(BaseException):
    """As if the bot had been killed here."""


async def cut_off(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> str:
    """A recreation that is killed once the old container is stopped; that container's id."""

    async def nothing(*_: object) -> None:
        return None

    async def killed(*_: object) -> None:
        raise Killed

    containers, home = bot.app.ops.containers, bot.app.settings.vcc_home
    identity = (await containers.service("frontend")).container_id
    dying = Recreate(containers, home / "recreate")
    with monkeypatch.context() as broken:
        broken.setattr(dying, "_put_back", nothing)
        broken.setattr(Containers, "start", killed)
        with pytest.raises(Killed):
            await dying.again(identity, Changes({"SOME": "value"}))
    return identity


async def test_the_old_container_is_put_back_and_what_waits_is_said(bot_on_sandbox: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    containers, home = bot_on_sandbox.app.ops.containers, bot_on_sandbox.app.settings.vcc_home
    before = await cut_off(bot_on_sandbox, monkeypatch)
    RevokeJournal(home).write(Revocation("tokens", 1.0, "olga", 1, "R-1", services=("frontend",)))
    setup = plain.text(await bot_on_sandbox("check setup", "ada"))
    assert "incident recover" in setup
    assert "incident revoke tokens" in setup
    reply = await bot_on_sandbox("incident recover")
    assert (reply.outcome, reply.tone, reply.data["left"]) == (Outcome.DONE, Tone.WARN, ["incident revoke tokens"])
    (now,) = await containers.replicas("frontend")
    assert (now.container_id, now.container_name, now.running) == (before, "vcc-frontend", True)
    RevokeJournal(home).clear("tokens")
    assert (await bot_on_sandbox("incident recover")).tone is Tone.GOOD


async def test_queues_that_a_crash_left_closed_are_open_again(bot_on_sandbox: Bot) -> None:
    """Killed between closing them and making Redis again: nothing has another password yet, and nobody may look until the morning."""
    ops, journal = bot_on_sandbox.app.ops, RevokeJournal(bot_on_sandbox.app.settings.vcc_home)
    names = tuple(queue.name for queue in await ops.bull.queues())
    for name in names:
        await ops.bull.pause(name)
    pending = Revocation("redis-password", 1.0, "olga", 1, "R-1", services=("redis", "backend"), queues=names, done=("close", "file"))
    journal.write(replace(pending, values={"REDIS_PASSWORD": "f" * 64}))
    reply = await bot_on_sandbox("incident recover")
    assert reply.outcome is Outcome.DONE
    assert not any(queue.is_paused for queue in await ops.bull.queues())
    left = journal.read("redis-password")
    assert left is not None
    assert left.left[0] == "close"
    journal.clear("redis-password")


async def test_what_cannot_be_put_in_order_yet_is_tried_again(bot_on_sandbox: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: object) -> str:
        raise Unreachable("docker", "gone")

    await cut_off(bot_on_sandbox, monkeypatch)
    with monkeypatch.context() as broken:
        broken.setattr(Recreate, "recover", unreachable)
        assert (await bot_on_sandbox("incident recover")).outcome is Outcome.FAILED
    assert await bot_on_sandbox.app.audit.promised("incident recover") is not None
    assert (await bot_on_sandbox("incident recover")).outcome is Outcome.DONE
    assert await bot_on_sandbox.app.audit.promised("incident recover") is None


async def test_an_isolation_is_not_forgotten_by_a_look_at_the_set_up(bot_on_sandbox: Bot) -> None:
    app = bot_on_sandbox.app
    isolations = Isolations(app.ops, app.settings.vcc_home)
    await isolations.cut(Isolated("frontend", 1.0, "olga", 4, await isolations.look("frontend")))
    try:
        assert "incident rejoin frontend" in plain.text(await bot_on_sandbox("check setup", "ada"))
    finally:
        kept = isolations.kept("frontend")
        assert kept is not None
        await isolations.rejoin(kept)
