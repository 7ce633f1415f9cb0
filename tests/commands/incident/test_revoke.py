"""``incident revoke``: who may, what is refused, what fails half-way and is gone on with. The whole of it runs in tests/grounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from bot.connectors import plain
from bot.errors import Unreachable
from bot.model import Account, Invocation, Outcome, Place
from bot.ops.recreate import Recreate
from bot.ops.small_record import SmallRecord
from bot.sandbox.deployment import Deployment, start_detached, stop
from bot.security.isolation import Held, Isolated
from bot.security.revoke_journal import Revocation, RevokeJournal
from bot.testing.bot import a_bot
from tests.commands.conftest import Bot


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, sandbox: Deployment) -> Iterator[Deployment]:
    """One of its own: its secrets and containers change. Asks for the common one so that it is skipped where that is."""
    home = tmp_path_factory.mktemp("revoked")
    yield start_detached(home, tuning={"VCC_SANDBOX_STALLED_SECONDS": "3"})
    stop(home)


@pytest.mark.parametrize("what", ["sessions", "tokens", "user mina@example.org", "api-keys", "mongodb-password", "redis-password"])
@pytest.mark.parametrize(("who", "reason"), [("slack:vera", "permissions.too_low"), ("slack:mallory", "permissions.unknown_account")])
async def test_a_stranger_is_refused(tmp_path: Path, what: str, who: str, reason: str) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        reply = await bot.types(who, f"incident revoke {what}")
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("incident revoke user", "revoke.who"),
        ("incident revoke tokens mina@example.org", "revoke.nobody"),
        ("incident revoke tokens --back", "revoke.no_copy"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_what_to_type(bot_on_sandbox: Bot, line: str, reason: str) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    reply = await bot_on_sandbox(line)
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)


async def test_a_user_that_is_not_there_fails_and_takes_nothing_away(bot_on_sandbox: Bot) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    assert (await bot_on_sandbox("incident revoke user nobody@example.org")).outcome is Outcome.FAILED


async def test_the_card_warns_while_no_evidence_is_kept(bot_on_sandbox: Bot) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    asked = await bot_on_sandbox("incident revoke tokens")
    assert asked.outcome is Outcome.PENDING
    assert "incident evidence" in plain.text(asked)
    assert "JWT_SECRET, SESSION_SECRET" in plain.text(asked)


async def test_a_rotation_that_fails_half_way_says_so_and_is_gone_on_with(bot_on_sandbox: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise Unreachable("docker", "gone")

    app = bot_on_sandbox.app
    await bot_on_sandbox("incident open security somebody got in")
    with monkeypatch.context() as broken:
        broken.setattr(Recreate, "again", fails)
        failed = await bot_on_sandbox.approved("incident revoke tokens")
    assert failed.outcome is Outcome.FAILED
    assert (failed.data["done"], failed.data["failed_at"]) == (["file"], "recreate:backend")
    assert "incident revoke tokens" in failed.text
    journal = app.settings.vcc_home / "revoke" / "tokens.json"
    new = json.loads(journal.read_text())["values"]["JWT_SECRET"]
    assert journal.stat().st_mode & 0o777 == 0o600
    assert new not in plain.text(failed)
    assert app.redactor.text(new) != new

    assert (await bot_on_sandbox("incident revoke redis-password")).outcome is Outcome.PENDING  # holds up nothing else
    rest = await bot_on_sandbox.approved("incident revoke tokens")
    assert (rest.outcome, rest.data["left"]) == (Outcome.DONE, [])
    backend = await app.ops.containers.service("backend")
    environment = (await app.ops.containers.inspect(backend.container_id))["Config"]["Env"]
    assert f"JWT_SECRET={new}" in environment
    assert f"JWT_SECRET={new}\n" in (Path(app.settings.vcc_project_dir or "") / ".env").read_text()
    assert not journal.exists()
    copies = list((app.settings.vcc_home / "revoked").iterdir())
    assert [path.stat().st_mode & 0o777 for path in copies] == [0o600]
    assert new not in copies[0].read_text()


async def test_nothing_the_bot_keeps_on_the_record_holds_a_new_secret(bot_on_sandbox: Bot) -> None:
    app = bot_on_sandbox.app
    await bot_on_sandbox("incident open security somebody got in")
    done = await bot_on_sandbox.approved("incident revoke tokens")
    assert done.outcome is Outcome.DONE, plain.text(done)
    backend = await app.ops.containers.service("backend")
    environment = (await app.ops.containers.inspect(backend.container_id))["Config"]["Env"]
    (new,) = [entry.partition("=")[2] for entry in environment if entry.startswith("JWT_SECRET=")]
    state = [path for path in app.settings.vcc_home.rglob("*") if path.is_file() and "revoked" not in path.parts]
    assert [path.name for path in state if new.encode() in path.read_bytes()] == []


async def test_what_was_begun_about_one_person_is_not_gone_on_with_by_a_line_about_another(bot_on_sandbox: Bot) -> None:
    app = bot_on_sandbox.app
    journal = RevokeJournal(app.settings.vcc_home)
    journal.write(Revocation("user", 1.0, "olga", 1, "R-1", who="0" * 24, done=("user",)))
    await bot_on_sandbox("incident open security somebody got in")
    (email, *_) = [each["email"] async for each in app.ops.mongo.excerpts.read("users")]
    refused = await bot_on_sandbox(f"incident revoke user {email}")
    assert refused.data["reason"] == "revoke.unfinished"
    assert "0" * 24 in plain.text(refused)
    going_on = await bot_on_sandbox(f"incident revoke user {'0' * 24}")
    assert going_on.outcome is Outcome.PENDING
    assert "0" * 24 in plain.text(going_on)
    journal.clear("user")


async def test_a_service_that_waits_for_a_revocation_does_not_come_back_while_another_is_under_way(bot_on_sandbox: Bot) -> None:
    app = bot_on_sandbox.app
    home, service = app.settings.vcc_home, await app.ops.containers.service("frontend")
    standing = await app.ops.containers.networks.standing("frontend", service.container_id)
    record = SmallRecord(home / "isolated" / "frontend.json")
    record.write(asdict(Isolated("frontend", 1.0, "olga", 1, (Held(standing, running=True),))))
    RevokeJournal(home).write(
        Revocation("tokens", 1.0, "olga", 1, "R-1", values={"JWT_SECRET": "f" * 64}, services=("frontend",), done=("file",))
    )
    revoking = Invocation("incident revoke sessions", Account("local", "olga"), Place("local", "console"), "", 0.0, reference="R-9")
    async with app.locks.hold(["revoke"], revoking, "olga"):
        reply = await bot_on_sandbox.approved("incident rejoin frontend")
    assert reply.data["reason"] == "locks.busy", plain.text(reply)
    assert (await app.ops.containers.service("frontend")).container_id == service.container_id


async def test_the_value_before_also_opens_the_queues_that_an_unfinished_attempt_closed(
    bot_on_sandbox: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise Unreachable("docker", "gone")

    monkeypatch.setattr("bot.security.revoke.DRAIN_WITHIN", 60.0)
    ops = bot_on_sandbox.app.ops
    await bot_on_sandbox("incident open security somebody got in")
    with monkeypatch.context() as broken:
        broken.setattr(Recreate, "again", fails)
        failed = await bot_on_sandbox.approved("incident revoke redis-password")
    assert failed.data["done"] == ["close", "file"], plain.text(failed)
    assert any(queue.is_paused for queue in await ops.bull.queues())
    back = await bot_on_sandbox.approved("incident revoke redis-password --back")
    assert back.outcome is Outcome.DONE, plain.text(back)
    assert not any(queue.is_paused for queue in await ops.bull.queues())
