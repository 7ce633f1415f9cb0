"""``backup create`` on a real deployment: a whole backup or none, compared with its source, and the queues open again."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import bson
import pymongo
import pytest

from bot.backup import create, queue_part, room
from bot.backup.database_part import DatabaseCopy, Dumped
from bot.backup.shelf import SUMS, Shelf
from bot.errors import OutsideError, Unreachable
from bot.line import join
from bot.model import Outcome, Tone
from bot.ops.bull_values import QueueStatus
from bot.ops.dump import Dump
from bot.sandbox.deployment import Deployment
from tests.bot.backup.parts import queue_lines
from tests.commands.conftest import Bot, MakeBot

QUEUE = "image generation"
UNHELD = "backup create --no-pause"


async def queue(bot: Bot) -> QueueStatus:
    return await bot.app.ops.bull.queue(QUEUE)


def left(shelf: Shelf) -> list[str]:
    return sorted(entry.name for entry in shelf.directory.iterdir())


def database(sandbox: Deployment) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(sandbox.env["MONGODB_URI"])


async def test_a_whole_backup_is_made_and_good(bot: Bot, shelf: Shelf, sandbox_secrets: tuple[str, ...]) -> None:
    reply = await bot("backup")
    assert (reply.outcome, reply.tone) == (Outcome.DONE, Tone.GOOD), reply.text
    made = shelf.get(reply.data["id"])
    assert made.manifest is not None
    assert (made.proof.good_at, made.manifest.reason, made.manifest.asked_by) == (made.manifest.finished_at, "asked", "olga")
    assert made.manifest.database is not None
    assert made.manifest.database.consistency == "paused_queue"
    assert {each.name for each in made.manifest.database.collections} >= {"users", "imagegenerationjobs", "generatedimages"}
    assert made.manifest.uploads is not None
    assert made.manifest.uploads.files == made.manifest.uploads.new_files > 400
    assert made.manifest.configuration is not None
    assert any("compose" in name for name in made.manifest.configuration.files)
    by_hand = ["sha256sum", "--check", "--quiet", SUMS]
    assert (await asyncio.to_thread(subprocess.run, by_hand, cwd=made.path, check=False)).returncode == 0
    assert not (await queue(bot)).is_paused
    assert (await bot("backup verify")).outcome is Outcome.DONE
    plain = "".join(path.read_text() for path in (made.path / "queue").iterdir())
    assert not [secret for secret in sandbox_secrets if secret in plain]


async def test_the_queue_is_written_down_so_that_a_restored_database_can_be_compared(bot: Bot, shelf: Shelf) -> None:
    reply = await bot(UNHELD)
    lines = {line["id"]: line for line in queue_lines(shelf.get().path / "queue", QUEUE)}
    (part,) = reply.data["queues"]
    assert part["waiting"] + part["active"] + part["delayed"] + part["failed"] == len(lines)
    assert {line["state"] for line in lines.values()} >= {"waiting", "delayed", "failed"}
    one = next(line for line in lines.values() if line["state"] == "failed")
    assert bson.ObjectId.is_valid(one["document"])
    assert one["options"]["attempts"] == 3
    assert "inputData.prompt" in one["data_names"]
    assert not list((shelf.get().path / "queue").glob("*.age"))


async def test_the_next_one_shares_what_has_not_changed(bot: Bot, shelf: Shelf, sandbox: Deployment) -> None:
    await bot("backup create --no-database")
    added = Path(sandbox.env["VCC_UPLOADS_DIR"]) / "reference" / "added.png"
    added.write_bytes(b"png")
    try:
        reply = await bot("backup create --no-database")
    finally:
        added.unlink()
    assert reply.data["database"] is None
    assert reply.data["uploads"]["new_files"] < 10
    assert "uploads/reference/added.png" not in [entry.path for entry in (shelf.get().manifest or pytest.fail("none")).files]
    assert (shelf.get().path / "uploads" / "reference" / "added.png").read_bytes() == b"png"


async def test_a_directory_that_is_missing_is_not_made(make_bot: MakeBot, tmp_path: Path, whole_sandbox: None) -> None:
    bot = await make_bot(VCC_BACKUP_DIR=str(tmp_path / "not-mounted"))
    reply = await bot("backup")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "backup.no_place")
    assert not (tmp_path / "not-mounted").exists()
    unset = await make_bot(VCC_BACKUP_DIR="")
    assert "VCC_BACKUP_DIR" in (await unset("backup")).text


async def test_without_room_it_is_not_begun_and_both_figures_are_told(bot: Bot, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free", lambda directory: 5 << 20)
    reply = await bot("backup")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "backup.no_room")
    assert "5.0 MiB" in reply.text
    assert "MiB 필요" in reply.text
    assert left(shelf) == []


async def test_the_empty_placeholder_of_the_uploads_is_refused(
    make_bot: MakeBot, shelf: Shelf, tmp_path: Path, whole_sandbox: None
) -> None:
    (tmp_path / "placeholder" / "generated").mkdir(parents=True)
    (tmp_path / "placeholder" / "generated" / ".gitkeep").touch()
    bot = await make_bot(VCC_BACKUP_DIR=str(shelf.directory), VCC_UPLOADS_DIR=str(tmp_path / "placeholder"))
    for line in ("backup", "backup create --no-database"):
        reply = await bot(line)
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "backup.placeholder")
    assert left(shelf) == []


@pytest.mark.parametrize(
    ("collection", "status", "reason"),
    [("backupjobs", "processing", "backup.app_busy_backup"), ("restorejobs", "validating", "backup.app_busy_restore")],
)
async def test_while_the_applications_own_runs_it_is_refused(
    bot: Bot, shelf: Shelf, sandbox: Deployment, collection: str, status: str, reason: str
) -> None:
    with database(sandbox) as client:
        client["vcc-manager"][collection].insert_many([{"status": "completed"}, {"status": status}])
        try:
            reply = await bot("backup")
        finally:
            client["vcc-manager"].drop_collection(collection)
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)
    assert left(shelf) == []


async def test_ended_half_way_nothing_is_left_and_the_queue_is_open(bot: Bot, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it holds the queue, what would open it after a crash is promised already."""
    begun = asyncio.Event()

    async def never(self: Dump, *_: object, **__: object) -> Dumped:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Dump, "run", never)
    running = asyncio.create_task(bot("backup create --wait 20s"))
    await asyncio.wait_for(begun.wait(), 60)
    assert (await queue(bot)).is_paused
    promised = await bot.app.store.read(lambda db: [row[0] for row in db.execute("SELECT line FROM promises").fetchall()])
    assert promised == [join(("queue", "resume", QUEUE))]
    (request,) = await bot.app.audit.all_running()
    await bot(f"cancel {request.reference}", "ada")
    reply = await asyncio.wait_for(running, 60)
    assert (reply.outcome, reply.data["reason"]) == (Outcome.FAILED, "backup.ended_by")
    assert "ada" in reply.text
    assert left(shelf) == []
    assert not (await queue(bot)).is_paused


async def test_jobs_that_do_not_end_in_time_do_not_stop_it_and_it_says_so(bot: Bot, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(self: queue_part.Stillness, names: object, wait: float) -> bool:
        return False

    monkeypatch.setattr(queue_part.Stillness, "_drained", busy)
    reply = await bot("backup create --no-uploads")
    assert (reply.outcome, reply.tone) == (Outcome.DONE, Tone.WARN)
    assert reply.data["database"]["consistency"] == "none"
    assert "시점" in reply.text
    assert not (await queue(bot)).is_paused


async def test_a_dump_that_lacks_documents_is_no_backup(bot: Bot, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    look = DatabaseCopy._look

    async def more(self: DatabaseCopy, *, first: bool) -> Any:
        seen = await look(self, first=first)
        return type(seen)({**seen.counts, "users": seen.counts["users"] + 500}, seen.moves, seen.newest)

    monkeypatch.setattr(DatabaseCopy, "_look", more)
    reply = await bot("backup create --no-pause --no-uploads")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.FAILED, "backup.miscounted")
    assert "users" in reply.text
    assert left(shelf) == []


async def test_a_server_that_goes_away_leaves_nothing_and_names_the_step(bot: Bot, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await bot("backup create --no-database")

    async def gone(self: Dump, *_: object, **__: object) -> Dumped:
        raise Unreachable("mongodb")

    monkeypatch.setattr(Dump, "run", gone)
    reply = await bot(UNHELD)
    assert (reply.outcome, reply.data["step"]) == (Outcome.FAILED, "database")
    assert reply.data["last_good"] == first.data["id"]
    assert left(shelf) == [first.data["id"]]


async def test_without_redis_there_is_a_backup_that_says_what_is_missing(make_bot: MakeBot, shelf: Shelf, whole_sandbox: None) -> None:
    bot = await make_bot(VCC_BACKUP_DIR=str(shelf.directory), REDIS_URL="")
    reply = await bot("backup create --no-uploads")
    assert (reply.outcome, reply.tone, reply.data["good"]) == (Outcome.DONE, Tone.WARN, True)
    assert (reply.data["queues"], reply.data["uploads"]) == ([], None)
    assert reply.data["database"]["consistency"] == "none"


async def test_nothing_at_all_is_not_asked_for(bot: Bot) -> None:
    assert (await bot("backup create --no-uploads --no-database")).outcome is Outcome.REFUSED


async def test_a_viewer_may_look_and_not_make(bot: Bot, shelf: Shelf) -> None:
    assert (await bot("backup", "vera")).outcome is Outcome.REFUSED
    assert (await bot("backup list", "vera")).outcome is Outcome.DONE
    assert left(shelf) == []


async def test_one_at_a_time(bot: Bot, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(*_: object, **__: object) -> None:
        begun.set()
        await go_on.wait()
        raise OutsideError("error.rejected", system="uploads")

    monkeypatch.setattr(create, "find_uploads", wait)
    first = asyncio.create_task(bot("backup create --no-database"))
    await asyncio.wait_for(begun.wait(), 60)
    second = await bot("backup")
    assert (second.outcome, second.data["reason"]) == (Outcome.REFUSED, "locks.busy")
    go_on.set()
    assert (await asyncio.wait_for(first, 60)).outcome is Outcome.FAILED


async def test_what_a_crash_left_is_swept_by_the_next(bot: Bot, shelf: Shelf) -> None:
    (shelf.directory / ".making-2026-01-01T00-00-00Z" / "uploads").mkdir(parents=True)
    (shelf.directory / ".deleting-2026-01-01T00-00-00Z").mkdir()
    reply = await bot("backup create --no-database")
    assert left(shelf) == [reply.data["id"]]
    assert json.loads((shelf.get().path / "proof.json").read_text())["good_at"] is not None


async def test_the_uploads_come_out_of_the_container_when_no_directory_is_mounted(
    make_bot: MakeBot, shelf: Shelf, whole_sandbox: None
) -> None:
    bot = await make_bot(VCC_BACKUP_DIR=str(shelf.directory), VCC_UPLOADS_DIR="")
    reply = await bot(UNHELD)
    assert (reply.outcome, reply.data["good"]) == (Outcome.DONE, True), reply.text
    assert reply.data["uploads"]["source"] == "container"
    assert reply.data["uploads"]["files"] > 400
