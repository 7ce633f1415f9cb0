"""``backup restore`` on a real deployment: exactly what the backup holds, or exactly what there was before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.backup import restore as restoring
from bot.backup.restore_journal import RestoreJournal
from bot.backup.restore_sides import FilesSide
from bot.backup.shelf import Shelf
from bot.backup.work import Step
from bot.errors import OutsideError
from bot.model import Outcome, Reply, Tone
from bot.ops.snapshot_restore import unfinished
from bot.sandbox.deployment import Deployment
from tests.bot.ops.dump_parts import fixture
from tests.commands.backup.restore_parts import QUEUE, add_job, client_of, closed, database_of, quiet, spoil, tree_of
from tests.commands.conftest import Bot

LIVE = "VCC_UPLOADS_DIR"


@pytest.fixture(scope="module", autouse=True)
def closed_queue(sandbox: Deployment) -> Iterator[None]:
    yield from closed(sandbox.env)


def nothing_left(bot: Bot, sandbox: Deployment) -> None:
    """No working directory, no collection of ours, no record."""
    assert RestoreJournal(bot.app.settings.vcc_home).read() is None
    assert unfinished(Path(sandbox.env[LIVE])) == {}
    with client_of(sandbox.env) as live:
        assert not [name for name in live.list_collection_names() if name.startswith("vccbot.")]


async def test_everything_is_exactly_as_in_the_backup_again(bot: Bot, shelf: Shelf, sandbox: Deployment) -> None:
    uploads = Path(sandbox.env[LIVE])
    async with quiet(sandbox.env) as queues:
        made = await bot("backup create --wait 5s")
        database, tree = database_of(sandbox.env), tree_of(uploads)
        job = add_job(sandbox.env, spoil(sandbox.env))
        asked = await bot("backup restore")
        assert asked.outcome is Outcome.PENDING, asked.text
        card = "\n".join(f"{name}: {value}" for name, value in asked.fields)
        assert made.data["id"] in card
        assert asked.data["facts"]["lost"] >= 3
        assert "latercollection 1 → 0" in card
        assert (await bot(f"approve {asked.ticket}", "olga")).outcome is Outcome.REFUSED
        assert database_of(sandbox.env) != database
        reply = await bot(f"approve {asked.ticket}", "ada")
        assert (reply.outcome, reply.tone) == (Outcome.DONE, Tone.GOOD), reply.text
        assert database_of(sandbox.env) == database
        assert tree_of(uploads) == tree
        assert reply.data["jobs_taken"] >= 1
        (state,) = await queues.jobs.where(QUEUE, [job])
        assert not state.known
        assert (await queues.queue(QUEUE)).is_paused  # it was closed by somebody else before
    nothing_left(bot, sandbox)
    safety = shelf.get(reply.data["safety"])
    assert safety.manifest is not None
    assert (safety.manifest.reason, safety.manifest.uploads is not None) == ("safety", True)
    assert (await bot("status")).data["services"]


async def test_the_state_before_comes_back_from_the_safety_backup(bot: Bot, shelf: Shelf, sandbox: Deployment) -> None:
    async with quiet(sandbox.env):
        first = await bot("backup create --wait 5s")
        spoil(sandbox.env)
        database, tree = database_of(sandbox.env), tree_of(Path(sandbox.env[LIVE]))
        reply = await bot.approved("backup restore")
        asked = await bot(f"backup restore {reply.data['safety']}")
        assert "안전 백업입니다" in str(asked)
        assert "sessions" in str(asked)  # documents of it expire
        again = await bot(f"approve {asked.ticket}", "ada")
        assert again.outcome is Outcome.DONE, again.text
        assert database_of(sandbox.env) == database
        assert tree_of(Path(sandbox.env[LIVE])) == tree
        assert (await bot.approved(f"backup restore {first.data['id']} --without-safety")).outcome is Outcome.DONE
    nothing_left(bot, sandbox)


async def test_one_collection_leaves_all_others_alone(bot: Bot, sandbox: Deployment) -> None:
    async with quiet(sandbox.env):
        await bot("backup create --no-uploads --wait 5s")
        before = database_of(sandbox.env)
        with client_of(sandbox.env) as live:
            live["users"].insert_one({"email": "later@example.com"})
            live["tags"].insert_one({"later": True})
        reply = await bot.approved("backup restore --only users")
        assert reply.outcome is Outcome.DONE, reply.text
        after = database_of(sandbox.env)
        assert after["users"] == before["users"]
        with client_of(sandbox.env) as live:
            assert live["tags"].delete_many({"later": True}).deleted_count == 1
    assert (await bot("backup restore --only nosuch")).data["reason"] == "restore.no_collection"


async def test_files_alone_leave_the_database_and_the_queue_alone(bot: Bot, sandbox: Deployment) -> None:
    uploads = Path(sandbox.env[LIVE])
    async with quiet(sandbox.env):
        await bot("backup create --wait 5s")
        tree = tree_of(uploads)
        with client_of(sandbox.env) as live:
            live["users"].insert_one({"email": "later@example.com"})
        (uploads / "generated" / "later.png").write_bytes(b"later")
        reply = await bot.approved("backup restore --only files")
        assert reply.outcome is Outcome.DONE, reply.text
        assert tree_of(uploads) == tree
        with client_of(sandbox.env) as live:
            assert live["users"].delete_many({"email": "later@example.com"}).deleted_count == 1


@pytest.mark.parametrize("form", ["directory", "archive.gz"])
async def test_what_mongodump_wrote_is_restored_and_the_own_state_comes_back(
    bot: Bot, shelf: Shelf, sandbox: Deployment, form: str
) -> None:
    source = fixture() / form
    target = shelf.directory / "upload" / source.name
    target.parent.mkdir()
    await asyncio.to_thread(shutil.copytree if source.is_dir() else shutil.copy, source, target)
    async with quiet(sandbox.env):
        before = await bot("backup create --no-uploads --wait 5s")
        database = database_of(sandbox.env)
        reply = await bot.approved(f"backup restore upload/{source.name}")
        assert reply.outcome is Outcome.DONE, reply.text
        assert set(database_of(sandbox.env)) - {"failedjobs"} == set(reply.data["collections"])
        back = await bot.approved(f"backup restore {before.data['id']} --without-safety")
        assert back.outcome is Outcome.DONE, back.text
        assert database_of(sandbox.env) == database
    nothing_left(bot, sandbox)


@pytest.mark.parametrize("path", ["../elsewhere", "/etc/passwd", ".remote", "upload/../..", "."])
async def test_nothing_outside_the_backup_directory_is_read(bot: Bot, path: str) -> None:
    assert (await bot(f"backup restore {path}")).outcome in (Outcome.REFUSED, Outcome.FAILED)


def _no_room(*_: object, **__: object) -> None:
    raise OutsideError("dump.no_space", system="backup")


async def _stops_at(bot: Bot, line: str, monkeypatch: pytest.MonkeyPatch, step: str) -> Reply:
    say = restoring.Restoration._say

    def fail(self: restoring.Restoration, told: Step) -> None:
        say(self, told)
        if told.name == step:
            if step == "reconcile":  # nor must the way back need any
                patch.setattr(RestoreJournal, "write", _no_room)
            raise OutsideError("error.rejected", system="mongodb")

    with monkeypatch.context() as patch:
        patch.setattr(restoring.Restoration, "_say", fail)
        return await bot.approved(line)


async def test_whatever_step_fails_the_old_data_is_in_place(
    bot: Bot, shelf: Shelf, sandbox: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = Path(sandbox.env[LIVE])
    async with quiet(sandbox.env) as queues:
        first = await bot("backup create --wait 5s")
        job = add_job(sandbox.env, spoil(sandbox.env))
        database, tree = database_of(sandbox.env), tree_of(uploads)
        for step in ("build", "swap", "reconcile", "healthy"):
            reply = await _stops_at(bot, f"backup restore {first.data['id']}", monkeypatch, step)
            assert (reply.outcome, reply.data["step"], reply.data["put_back"]) == (Outcome.FAILED, step, True), (step, reply.text)
            assert "되돌렸습니다" in reply.text, step
            assert database_of(sandbox.env) == database, step
            assert tree_of(uploads) == tree, step
            (state,) = await queues.jobs.where(QUEUE, [job])
            assert state.known, step
            assert (await bot.app.ops.containers.service("backend")).running, step
            nothing_left(bot, sandbox)
        assert (await bot.approved(f"backup restore {first.data['id']}")).outcome is Outcome.DONE


async def test_what_cannot_be_put_back_or_tidied_at_once_is_told_and_recovered_later(
    bot: Bot, shelf: Shelf, sandbox: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = Path(sandbox.env[LIVE])

    async def fails(self: FilesSide) -> None:
        raise OutsideError("error.rejected", system="uploads")

    async with quiet(sandbox.env):
        made = await bot("backup create --wait 5s")
        wanted = database_of(sandbox.env), tree_of(uploads)
        spoil(sandbox.env)
        before = database_of(sandbox.env), tree_of(uploads)
        with monkeypatch.context() as patch:
            patch.setattr(FilesSide, "undo", fails)
            reply = await _stops_at(bot, "backup restore", monkeypatch, "reconcile")
            assert (reply.outcome, reply.data["put_back"], reply.data["over"]) == (Outcome.FAILED, False, False)
            assert "직접 시작하지 마세요" in reply.text
            assert [button.types for button in reply.buttons] == ["backup recover"]
            assert not (await bot.app.ops.containers.service("backend")).running  # not on half of the data
            assert (await bot("backup restore")).outcome is not Outcome.DONE
            assert await bot.app.audit.promised("backup recover") is not None
            assert (await bot("backup recover")).outcome is Outcome.FAILED
        assert (await bot("backup recover")).outcome is Outcome.DONE
        assert (database_of(sandbox.env), tree_of(uploads)) == before
        assert await bot.app.audit.promised("backup recover") is None
        with monkeypatch.context() as patch:
            patch.setattr(FilesSide, "settle", fails)
            reply = await bot.approved(f"backup restore {made.data['id']}")
            assert (reply.outcome, reply.tone, reply.data["over"]) == (Outcome.DONE, Tone.WARN, False)
        assert (await bot("backup recover")).data == {"recovered": 1, "kept": [True]}
        assert (database_of(sandbox.env), tree_of(uploads)) == wanted
    nothing_left(bot, sandbox)


async def test_a_bit_flipped_in_the_backup_stops_it_before_anything_else_stops(bot: Bot, shelf: Shelf, sandbox: Deployment) -> None:
    made = await bot("backup create --no-uploads --no-pause")
    (name,) = (shelf.get(made.data["id"]).path / "database" / "vcc-manager").glob("users.bson")
    content = bytearray(name.read_bytes())
    content[content.index(b"@") + 1] ^= 1
    name.write_bytes(content)
    started = (await bot.app.ops.containers.service("backend")).started_at
    reply = await bot.approved("backup restore")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.FAILED, "restore.damaged_file")
    assert "users.bson" in reply.text
    assert (await bot.app.ops.containers.service("backend")).started_at == started


async def test_a_backup_that_changed_meanwhile_is_not_what_was_approved(bot: Bot, shelf: Shelf) -> None:
    made = await bot("backup create --no-uploads --no-pause")
    asked = await bot("backup restore --only database")
    manifest = shelf.get(made.data["id"]).path / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    assert (await bot(f"approve {asked.ticket}", "ada")).outcome is Outcome.PENDING


async def test_a_viewer_may_not_ask(bot: Bot) -> None:
    assert (await bot("backup restore", "vera")).outcome is Outcome.REFUSED
    assert (await bot("backup recover", "vera")).outcome is Outcome.REFUSED


async def test_without_anything_to_recover_it_says_so(bot: Bot) -> None:
    reply = await bot("backup recover")
    assert (reply.outcome, reply.data["recovered"]) == (Outcome.DONE, 0)
