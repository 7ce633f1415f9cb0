"""``backup fetch``, and what ``list``, ``show`` and ``prune`` do with a second place, as typed; also when it does not answer."""

from __future__ import annotations

import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.backup import room
from bot.backup.remote_copy import send
from bot.backup.shelf import PROOF, Shelf
from bot.backup.work import Hooks, Threads
from bot.errors import Busy
from bot.model import Outcome, Tone
from commands.backup import listing, prune
from tests.bot.backup.parts import fill_uploads, make
from tests.bot.ops.remote_parts import Bucket, tree
from tests.commands.conftest import Bot, MakeBot
from tests.parts import free_port

DAY = 86_400.0
PRUNE = "backup prune --keep-last 1 --daily 0 --weekly 0 --monthly 0"


@dataclass(frozen=True, slots=True)
class Twice:
    """Three backups that stand here and over there, the newest first, and a bot that knows both places."""

    bot: Bot
    shelf: Shelf
    bucket: Bucket
    ids: list[str]

    def lose(self, *identities: str) -> None:
        for identity in identities:
            shutil.rmtree(self.shelf.directory / identity)

    def there(self) -> list[str]:
        """The ids over there, the newest first."""
        keys = self.bucket.keys("vcc/backups/")
        return sorted((key.split("/")[2] for key in keys if key.endswith("/manifest.json")), reverse=True)


def place(bucket: str, endpoint: str) -> dict[str, str]:
    return {
        "VCC_BACKUP_S3_URL": f"s3://{bucket}/vcc",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-key",
        "AWS_REGION": "us-east-1",
    }


@pytest.fixture
async def twice(make_bot: MakeBot, shelf: Shelf, tmp_path: Path, s3_endpoint: str, s3_client: Any) -> Twice:
    bucket = Bucket(s3_client, f"b{uuid.uuid4().hex}")
    bot = await make_bot(VCC_BACKUP_DIR=str(shelf.directory), VCC_COMPOSE_PROJECT="p", **place(bucket.name, s3_endpoint))
    uploads, threads = fill_uploads(tmp_path / "some-uploads", 2), Threads()
    ids = [make(shelf, uploads, time.time() - days * DAY - 60) for days in (2, 1, 0)][::-1]
    for identity in ids:
        backup = shelf.get(identity)
        assert backup.manifest is not None
        assert (await send(bot.app.ops.remote, backup, backup.manifest, Hooks(), threads)).there
        shelf.prove(identity, remote_at=time.time())
    threads.close()
    return Twice(bot, shelf, bucket, ids)


@pytest.fixture
async def alone(make_bot: MakeBot, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bot:
    """A bot with two backups, sent once, to a second place that is not there any more."""
    uploads = fill_uploads(tmp_path / "some-uploads", 1)
    for days in (1, 0):
        shelf.prove(make(shelf, uploads, time.time() - days * DAY - 60), remote_at=time.time())
    for command in (listing, prune):
        monkeypatch.setattr(command, "_PATIENCE", 0.3)
    return await make_bot(VCC_BACKUP_DIR=str(shelf.directory), **place("backups", f"http://127.0.0.1:{free_port()}"))


async def test_the_list_tells_where_each_copy_is_and_show_what_is_known_of_one_that_is_only_there(twice: Twice) -> None:
    newest, middle, oldest = twice.ids
    twice.lose(newest)
    await twice.bot.app.ops.remote.delete(oldest)
    reply = await twice.bot("backup list", "vera")
    assert [(row[0], row[3], row[4]) for row in reply.tables[0].rows] == [
        (newest, "원격에만", "원격"),
        (middle, "정상", "로컬 + 원격"),
        (oldest, "정상", "로컬"),
    ]
    assert [each["here"] for each in reply.data["backups"]] == [False, True, True]
    assert "아직 원격에" not in reply.text
    shown = await twice.bot(f"backup show {newest}", "vera")
    assert (shown.data["state"], shown.data["remote"]["sealed"]) == ("remote_only", False)
    assert shown.buttons[0].types == f"backup fetch {newest}"
    assert (await twice.bot("backup show 2020-01-01T00-00-00Z")).outcome is Outcome.FAILED
    for identity in (newest, middle):
        await twice.bot.app.ops.remote.delete(identity)
    assert f"2개 있습니다(최신 {middle})" in (await twice.bot("backup list", "vera")).text


async def test_with_the_shelf_lost_what_is_over_there_is_still_listed(twice: Twice) -> None:
    shutil.rmtree(twice.shelf.directory)
    reply = await twice.bot("backup list")
    assert (reply.tone, [row[0] for row in reply.tables[0].rows]) == (Tone.WARN, twice.ids)
    assert str(twice.shelf.directory) in reply.text


async def test_what_was_lost_is_fetched_when_there_is_room_and_a_second_person_agreed(
    twice: Twice, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = twice.ids[0]
    before = tree(twice.shelf.directory / newest)
    twice.lose(newest)
    with monkeypatch.context() as full:
        full.setattr(room, "free", lambda directory: 5 << 20)
        refused = await twice.bot("backup fetch")
    assert (refused.outcome, refused.data["reason"]) == (Outcome.REFUSED, "backup.fetch_no_room")
    assert "MiB 필요, 5.0 MiB 남음" in refused.text
    asked = await twice.bot("backup fetch")
    facts = asked.data["facts"]
    assert (asked.outcome, facts["id"], facts["here"], facts["sealed"]) == (Outcome.PENDING, newest, False, False)
    assert (await twice.bot(f"approve {asked.ticket}", "olga")).outcome is Outcome.REFUSED
    reply = await twice.bot(f"approve {asked.ticket}", "ada")
    assert (reply.outcome, reply.tone, reply.data["id"]) == (Outcome.DONE, Tone.GOOD, newest), reply.text
    after = tree(twice.shelf.directory / newest)
    assert {**after, PROOF: b""} == {**before, PROOF: b""}
    assert (await twice.bot("backup show")).data["state"] == "good"
    assert (await twice.bot("backup verify")).outcome is Outcome.DONE
    assert (await twice.bot("backup fetch")).data["reason"] == "backup.fetch_not_needed"
    assert (await twice.bot("backup fetch", "vera")).outcome is Outcome.REFUSED


async def test_a_damaged_one_is_replaced_and_the_card_says_so(twice: Twice) -> None:
    newest = twice.ids[0]
    damaged = twice.shelf.directory / newest / "uploads" / "generated" / "1.png"
    sound = damaged.read_bytes()
    damaged.write_bytes(sound[::-1])
    assert (await twice.bot("backup verify")).outcome is Outcome.FAILED
    assert (await twice.bot("backup show")).buttons[0].types == f"backup fetch {newest}"
    asked = await twice.bot(f"backup fetch {newest}")
    assert asked.data["facts"]["here"] is True
    assert "손상" in asked.text
    assert (await twice.bot(f"approve {asked.ticket}", "ada")).outcome is Outcome.DONE
    assert damaged.read_bytes() == sound
    assert (await twice.bot("backup show")).data["state"] == "good"


async def test_what_is_damaged_over_there_is_told_by_name_and_nothing_is_left(twice: Twice) -> None:
    newest = twice.ids[0]
    content = (twice.shelf.directory / newest / "uploads" / "generated" / "0.png").read_bytes()
    (key,) = (each for each in twice.bucket.keys("vcc/objects/") if twice.bucket.get(each) == content)
    twice.bucket.put(key, content[::-1])
    twice.lose(*twice.ids)
    reply = await twice.bot.approved("backup fetch")
    assert (reply.outcome, reply.data["reason"]) == (Outcome.FAILED, "dump.damaged")
    assert "uploads/generated/0.png" in reply.text
    assert [entry.name for entry in twice.shelf.directory.iterdir()] == [".remote"]


async def test_prune_removes_in_both_places_exactly_what_was_approved(twice: Twice) -> None:
    newest, middle, oldest = twice.ids
    asked = await twice.bot(PRUNE)
    assert (asked.data["facts"]["going"], asked.data["facts"]["remote_going"]) == ([oldest, middle],) * 2
    reply = await twice.bot(f"approve {asked.ticket}", "ada")
    assert (reply.outcome, reply.tone) == (Outcome.DONE, Tone.GOOD), reply.text
    assert reply.data["removed"] == reply.data["remote"]["removed"] == [oldest, middle]
    assert ([each.id for each in twice.shelf.backups()], twice.there()) == ([newest], [newest])
    assert "원격" in reply.text


async def test_prune_leaves_the_second_place_when_it_is_told_to_and_takes_it_up_later(twice: Twice) -> None:
    newest, middle, oldest = twice.ids
    asked = await twice.bot(f"{PRUNE} --no-remote")
    assert "remote_going" not in asked.data["facts"]
    reply = await twice.bot(f"approve {asked.ticket}", "ada")
    assert (reply.data["remote"], twice.there()) == (None, twice.ids)
    later = await twice.bot.approved(PRUNE)
    assert (later.data["removed"], later.data["remote"]["removed"]) == ([], [oldest, middle])
    assert twice.there() == [newest]


async def test_what_fails_over_there_costs_nothing_here_and_is_said(twice: Twice, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = await twice.bot(PRUNE)

    class Gone:
        """Answers once, for the second look, and then no more."""

        def __init__(self, remote: Any) -> None:
            self.list = remote.list

        async def delete(self, identity: str) -> None:
            raise Busy("remote.busy_push")

    monkeypatch.setattr(twice.bot.app.ops, "_remote", Gone(twice.bot.app.ops.remote))
    reply = await twice.bot(f"approve {asked.ticket}", "ada")
    assert (reply.outcome, reply.tone, reply.data["remote"]["reason"]) == (Outcome.DONE, Tone.WARN, "remote.busy_push")
    assert "/vcc backup prune" in reply.text
    assert [each.id for each in twice.shelf.backups()] == twice.ids[:1]
    assert twice.there() == twice.ids


async def test_a_second_place_that_does_not_answer_delays_no_list_and_keeps_no_prune_from_working_here(alone: Bot, shelf: Shelf) -> None:
    newest, oldest = (each.id for each in shelf.backups())
    reply = await alone("backup list")
    assert [row[4] for row in reply.tables[0].rows] == ["로컬 + 원격(미확인)"] * 2
    assert "원격" in reply.text
    assert reply.data["remote"] == {"configured": True, "reachable": False, "unreadable": []}
    asked = await alone(PRUNE)
    assert (asked.data["facts"]["going"], asked.data["facts"]["remote_going"]) == ([oldest], None)
    assert "원격" in asked.text
    pruned = await alone(f"approve {asked.ticket}", "ada")
    assert (pruned.data["removed"], pruned.data["remote"]) == ([oldest], None)
    assert [each.id for each in shelf.backups()] == [newest]
