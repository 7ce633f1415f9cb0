"""``backup drill`` on a real deployment: restored beside the live data, compared, taken away again; and what spoils it is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymongo
import pytest

from bot.backup import room
from bot.backup.drill import NOT_RESTORABLE, Drill
from bot.backup.manifest import Manifest
from bot.backup.shelf import MANIFEST, Shelf
from bot.backup.verify import DAMAGED
from bot.errors import Unreachable
from bot.line import join
from bot.model import Outcome, Tone
from bot.ops.dump_values import LoadResult
from bot.ops.load import Load
from bot.ops.load_check import LoadCheck
from bot.ops.load_documents import Batch
from bot.sandbox.deployment import Deployment
from tests.bot.backup.parts import NOW, fill_uploads, make
from tests.commands.conftest import Bot

Client = pymongo.MongoClient[dict[str, Any]]
LIVE = "vcc-manager"


@pytest.fixture
def client(sandbox: Deployment) -> Iterator[Client]:
    """The sandbox's own server."""
    with pymongo.MongoClient[dict[str, Any]](sandbox.env["MONGODB_URI"]) as opened:
        yield opened


@pytest.fixture
async def made(bot: Bot) -> str:
    """A good backup of the whole sandbox."""
    reply = await bot("backup create --no-pause")
    assert reply.data["good"], reply.text
    return str(reply.data["id"])


@pytest.fixture
def small(bot: Bot, shelf: Shelf, tmp_path: Path) -> str:
    """A backup of one collection and a few files, which are no pictures whatever their names say."""
    return make(shelf, fill_uploads(tmp_path / "some-uploads"))


def scratch(client: Client) -> list[str]:
    return [name for name in client.list_database_names() if "-vccbot-" in name]


def nothing_left(client: Client, shelf: Shelf, made: str) -> bool:
    return scratch(client) == [] and [entry.name for entry in shelf.directory.iterdir()] == [made]


def spoiled(monkeypatch: pytest.MonkeyPatch, client: Client, spoil: Callable[[Any], object]) -> None:
    """When everything is loaded and found well, something happens to the scratch database."""
    run = Load.run

    async def then(self: Load, *arguments: Any, **options: Any) -> LoadResult:
        result = await run(self, *arguments, **options)
        await asyncio.to_thread(spoil, client[result.database])
        return result

    monkeypatch.setattr(Load, "run", then)


async def test_a_good_backup_is_proven_restorable_and_nothing_stays(bot: Bot, shelf: Shelf, made: str, client: Client) -> None:
    before = sorted(client[LIVE].list_collection_names()), list(client[LIVE]["users"].find())
    assert [button.types for button in (await bot("backup list")).buttons][-1] == join(("backup", "drill", made))
    reply = await bot("backup drill")
    assert (reply.outcome, reply.tone, reply.data["restorable"]) == (Outcome.DONE, Tone.GOOD, True), reply.text
    proof = shelf.get().proof
    assert proof.restorable_at == proof.verified_at
    assert proof.restorable_at is not None
    assert proof.drill_s == reply.data["took_s"] > 0
    database, uploads = reply.data["database"], reply.data["uploads"]
    part = (shelf.get().manifest or pytest.fail("none")).database
    assert part is not None
    assert (database["documents"], database["collections"]) == (part.documents, len(part.collections))
    assert database["indexes"] == sum(each.indexes for each in part.collections)
    assert database["compared"] == sum(min(100, each.documents) for each in part.collections)
    assert 200 <= uploads["files"] <= 201
    assert uploads["opened"] >= 198  # the two placeholders are no pictures
    assert (uploads["broken"], uploads["large"]) == ([], [])
    assert nothing_left(client, shelf, made)
    assert (sorted(client[LIVE].list_collection_names()), list(client[LIVE]["users"].find())) == before
    shown = await bot("backup show")
    assert shown.data["state"] == "restorable"
    assert join(("backup", "drill", made)) not in [button.types for button in shown.buttons]


SPOILT: tuple[tuple[Callable[[Any], object], str, str], ...] = (
    (lambda db: db["users"].drop_index("email_1"), "backup.drill.different.index_missing", "email_1"),
    (lambda db: db["users"].update_one({}, {"$set": {"email": "x"}}), "backup.drill.changed", "users"),
)


async def test_what_is_not_restored_as_it_was_is_named(bot: Bot, shelf: Shelf, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = (await bot("backup create --no-pause --no-uploads")).data["id"]
    for spoil, reason, named in SPOILT:
        with monkeypatch.context() as patched:
            spoiled(patched, client, spoil)
            reply = await bot("backup drill")
        assert (reply.outcome, reply.tone, reply.data["reason"]) == (Outcome.FAILED, Tone.BAD, reason), reply.text
        assert named in reply.text
        assert "운영 데이터는 그대로입니다" in reply.text
        proof = shelf.get().proof
        assert (proof.restorable_at, proof.fault) == (None, NOT_RESTORABLE)
        assert nothing_left(client, shelf, made)
    shown = await bot("backup show")
    assert "복원 훈련에 실패" in shown.text
    assert join(("backup", "drill", made)) in [button.types for button in shown.buttons]
    assert (await bot("backup drill")).data["restorable"]
    assert shelf.get().proof.fault == ""


async def test_documents_that_the_loading_changed_are_found_by_their_collection(
    bot: Bot, shelf: Shelf, small: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Load._insert

    async def half(self: Load, batch: Batch) -> None:
        await insert(self, replace(batch, documents=batch.documents[1:]))

    monkeypatch.setattr(Load, "_insert", half)
    reply = await bot("backup drill")
    assert (reply.outcome, reply.data["reason"], reply.data["step"]) == (Outcome.FAILED, "load.mismatch", "drill_database")
    assert "generatedimages" in reply.text
    assert shelf.get().proof.fault == NOT_RESTORABLE
    assert nothing_left(client, shelf, small)


async def test_a_flipped_bit_is_found_by_the_name_of_its_file(bot: Bot, shelf: Shelf, made: str, client: Client) -> None:
    """In a text, so that the file is still BSON of the same length."""
    shelf.prove(made, restorable_at=1.0)
    path = shelf.directory / made / "database" / LIVE / "users.bson"
    data = bytearray(path.read_bytes())
    data[data.index(b"@")] ^= 1
    path.write_bytes(data)
    reply = await bot("backup drill")
    assert (reply.outcome, reply.data["restorable"], reply.data["step"]) == (Outcome.FAILED, False, "verify")
    assert f"database/{LIVE}/users.bson" in reply.text
    proof = shelf.get().proof
    assert (proof.restorable_at, proof.verified_at, proof.fault) == (None, None, DAMAGED)
    assert nothing_left(client, shelf, made)


async def test_pictures_that_the_application_stored_broken_are_told_and_cost_nothing(
    bot: Bot, shelf: Shelf, small: str, client: Client
) -> None:
    reply = await bot(f"backup drill {small}")
    assert (reply.outcome, reply.tone, reply.data["restorable"]) == (Outcome.DONE, Tone.WARN, True)
    assert reply.data["uploads"]["broken"] == [f"generated/{number}.png" for number in range(5)]
    assert "generated/3.png" in reply.text
    assert nothing_left(client, shelf, small)


async def test_a_server_that_goes_away_says_nothing_of_the_backup(
    bot: Bot, shelf: Shelf, small: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.prove(small, restorable_at=5.0)
    before = shelf.get().proof

    async def gone(self: Load, batch: Batch) -> None:
        raise Unreachable("mongodb")

    monkeypatch.setattr(Load, "_insert", gone)
    reply = await bot("backup drill")
    assert (reply.outcome, reply.tone, reply.data) == (
        Outcome.FAILED,
        Tone.WARN,
        {"step": "drill_database", "reason": "error.unreachable"},
    )
    assert shelf.get().proof == before
    assert nothing_left(client, shelf, small)


async def test_somebody_ends_it_while_it_loads_and_nothing_is_left(
    bot: Bot, shelf: Shelf, small: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, begun, insert = shelf.get().proof, asyncio.Event(), Load._insert

    async def slowly(self: Load, batch: Batch) -> None:
        await insert(self, batch)
        begun.set()
        await asyncio.sleep(1)

    monkeypatch.setattr(Load, "_insert", slowly)
    running = asyncio.create_task(bot("backup drill"))
    await asyncio.wait_for(begun.wait(), 60)
    assert len(scratch(client)) == 1
    (request,) = await bot.app.audit.all_running()
    await bot(f"cancel {request.reference}", "ada")
    reply = await asyncio.wait_for(running, 60)
    assert (reply.outcome, reply.data["reason"]) == (Outcome.FAILED, "backup.drill.ended_by")
    assert shelf.get().proof == before
    assert nothing_left(client, shelf, small)


async def test_when_its_handler_is_cancelled_nothing_is_left_either(
    bot: Bot, shelf: Shelf, small: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, begun = shelf.get().proof, asyncio.Event()

    async def never(self: LoadCheck, name: str, documents: object) -> int:
        begun.set()
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(LoadCheck, "changed", never)
    running = asyncio.create_task(Drill(bot.app.ops, bot.app.settings).run())
    await asyncio.wait_for(begun.wait(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert shelf.get().proof == before
    assert nothing_left(client, shelf, small)


async def test_what_a_killed_one_left_is_swept_and_nothing_else(bot: Bot, shelf: Shelf, small: str, client: Client) -> None:
    (shelf.directory / ".drill-killed" / "uploads").mkdir(parents=True)
    ours, others = f"{LIVE}-vccbot-drill-0123456789", f"{LIVE}-vccbot-restore-1"
    for name in (ours, others):
        client[name]["users"].insert_one({"_id": 1})
    try:
        assert (await bot("backup drill")).data["restorable"]
        assert scratch(client) == [others]
    finally:
        client.drop_database(others)
        client.drop_database(ours)
    assert nothing_left(client, shelf, small)


async def test_without_room_it_is_not_begun(bot: Bot, shelf: Shelf, small: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def little(self: LoadCheck) -> int:
        return 1 << 20

    with monkeypatch.context() as patched:
        patched.setattr(LoadCheck, "free_bytes", little)
        reply = await bot("backup drill")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "backup.drill.no_room_database")
    assert "1.0 MiB" in reply.text
    monkeypatch.setattr(room, "free", lambda directory: 2 << 20)
    reply = await bot("backup drill")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "backup.drill.no_room")
    assert shelf.get().proof.fault == ""
    assert nothing_left(client, shelf, small)


async def test_a_viewer_may_not_and_what_cannot_be_drilled_is_told(bot: Bot, shelf: Shelf) -> None:
    assert (await bot("backup drill", "vera")).outcome is Outcome.REFUSED
    assert (await bot("backup drill")).outcome is Outcome.FAILED  # there is none
    with shelf.making(NOW) as making:
        making.finish(Manifest(making.id, "p", NOW, NOW, "asked", "olga", "R-1", "0", ()))
    assert (await bot("backup drill")).data["reason"] == "backup.drill.nothing"
    path = shelf.get().path / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 2}))
    assert (await bot("backup drill")).data["reason"] == "backup.newer_format"
    path.write_text("{")
    assert "manifest.json" in (await bot("backup drill")).text
