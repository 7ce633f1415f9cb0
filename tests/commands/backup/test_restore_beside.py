"""``backup restore`` while others go on: writers nobody stopped, jobs, a full disk, and an end that nobody foresaw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.backup import restore as restoring
from bot.backup.restore_journal import RestoreJournal
from bot.backup.restore_sides import DatabaseSide
from bot.backup.work import Step
from bot.errors import OutsideError
from bot.model import Outcome
from bot.ops.mongo import Mongo
from bot.ops.mongo_values import DatabaseStats
from bot.sandbox.deployment import Deployment
from tests.commands.backup.restore_parts import QUEUE, client_of
from tests.commands.conftest import Bot

LATER = {"email": "meanwhile@example.com"}


@pytest.mark.parametrize("reason", ["restore.backend_works", "restore.written_meanwhile"])
async def test_who_writes_after_the_safety_backup_stops_it_and_loses_nothing(
    bot: Bot, sandbox: Deployment, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    await bot("backup create --no-uploads --no-pause")
    saved = restoring.Restoration._saved

    async def disturbed(self: restoring.Restoration, run: restoring._Run) -> dict[str, int] | None:
        found = await saved(self, run)
        with client_of(sandbox.env) as live:
            live["users"].insert_one(dict(LATER))
        if reason == "restore.backend_works":
            await bot.app.ops.containers.start((await bot.app.ops.containers.service("backend")).container_id)
        return found

    monkeypatch.setattr(restoring.Restoration, "_saved", disturbed)
    reply = await bot.approved("backup restore --only users --force --wait 1s")
    assert (reply.outcome, reply.data.get("reason"), reply.data.get("put_back")) == (Outcome.FAILED, reason, True), reply
    with client_of(sandbox.env) as live:
        assert live["users"].delete_many(LATER).deleted_count == 1
    assert (await bot.app.ops.containers.service("backend")).running


async def test_files_alone_hold_the_queue_too_before_the_backend_stops(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot("backup create --no-database")
    say, held = restoring.Restoration._say, list[tuple[str, ...]]()

    def looked(self: restoring.Restoration, step: Step) -> None:
        say(self, step)
        if step.name == "stop":
            noted = RestoreJournal(bot.app.settings.vcc_home).read()
            held.append(noted.queues if noted else ())
            raise OutsideError("error.rejected", system="docker")

    monkeypatch.setattr(restoring.Restoration, "_say", looked)
    asked = await bot("backup restore --only files --force --wait 1s --without-safety")
    assert "active" in asked.data["facts"]
    assert (await bot(f"approve {asked.ticket}", "ada")).data["step"] == "stop"
    assert held == [(QUEUE,)]
    assert not (await bot.app.ops.bull.queue(QUEUE)).is_paused


async def test_an_end_that_nobody_foresaw_is_led_out_later_too(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot("backup create --no-uploads --no-pause")

    def broken(self: restoring.Restoration, step: Step) -> None:
        if step.name == "hold":
            raise RuntimeError("a bug")

    async def fails(self: DatabaseSide) -> None:
        raise OutsideError("error.rejected", system="mongodb")

    with monkeypatch.context() as patch:
        patch.setattr(restoring.Restoration, "_say", broken)
        patch.setattr(DatabaseSide, "undo", fails)
        assert (await bot.approved("backup restore --only users")).outcome is Outcome.CRASHED
        assert await bot.app.audit.promised("backup recover") is not None
    assert (await bot("backup recover")).data["recovered"] == 1
    assert await bot.app.audit.promised("backup recover") is None


async def test_a_server_without_room_for_both_sides_is_not_filled(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot("backup create --no-uploads --no-pause")
    stats = Mongo.stats

    async def full(self: Mongo) -> DatabaseStats:
        found = await stats(self)
        return replace(found, disk_used_bytes=found.disk_total_bytes - 1000)

    monkeypatch.setattr(Mongo, "stats", full)
    reply = await bot("backup restore --only database")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "restore.no_room_database")
