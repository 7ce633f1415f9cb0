"""``backup list``, ``show``, ``verify`` and ``prune`` as typed, and what ``status`` says of the backups."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from bot.backup import room
from bot.backup.pins import pin, unpin
from bot.backup.shelf import MANIFEST, Shelf
from bot.model import Outcome, Tone
from tests.bot.backup.parts import fill_uploads, make
from tests.commands.conftest import Bot, MakeBot

DAY = 86_400.0
PRUNE = "backup prune --keep-last 1 --daily 0 --weekly 0 --monthly 0"


@pytest.fixture
def made(shelf: Shelf, tmp_path: Path) -> list[str]:
    """Three backups, made today and on the two days before; the newest first."""
    uploads = fill_uploads(tmp_path / "some-uploads")
    return [make(shelf, uploads, time.time() - days * DAY - 60) for days in (2, 1, 0)][::-1]


async def test_the_list_shows_each_with_what_is_known_of_it(bot: Bot, shelf: Shelf, made: list[str]) -> None:
    shelf.prove(made[1], restorable_at=time.time(), drill_s=3.0)
    (shelf.directory / made[2] / MANIFEST).write_text("{")
    reply = await bot("backup list", "vera")
    assert [(row[0], row[3], row[4]) for row in reply.tables[0].rows] == [
        (made[0], "정상", "로컬"),
        (made[1], "복원 확인됨", "로컬"),
        (made[2], "읽을 수 없음", "로컬"),
    ]
    assert [each["state"] for each in reply.data["backups"]] == ["good", "restorable", "unreadable"]
    assert made[0] in reply.text
    assert len((await bot("backup list --limit 1")).tables[0].rows) == 1


async def test_an_empty_shelf_says_what_to_type(bot: Bot) -> None:
    reply = await bot("backup list")
    assert "/vcc backup" in reply.title
    assert (await bot("backup show")).outcome is Outcome.FAILED


async def test_show_means_the_newest_without_an_id(bot: Bot, made: list[str]) -> None:
    assert (await bot("backup show")).data["id"] == made[0]
    reply = await bot(f"backup show {made[2]}")
    assert (reply.data["id"], reply.tone) == (made[2], Tone.GOOD)
    assert reply.tables[0].rows[0][:2] == ("generatedimages", "5")


async def test_a_damaged_file_is_found_by_name_and_remembered(bot: Bot, shelf: Shelf, made: list[str]) -> None:
    assert (await bot("backup verify", "vera")).outcome is Outcome.DONE
    damaged = shelf.directory / made[0] / "uploads" / "generated" / "2.png"
    damaged.write_bytes(damaged.read_bytes()[::-1])
    reply = await bot("backup verify")
    assert (reply.outcome, reply.tone, reply.data["faults"]) == (Outcome.FAILED, Tone.BAD, 1)
    assert "내용 다름: uploads/generated/2.png" in reply.text
    assert (await bot("backup show")).data["state"] == "damaged"
    status = await bot("status")
    assert "backup_bad" in [problem["kind"] for problem in status.data["problems"]]
    assert status.data["backup"]["last_good"] == made[1]


async def test_prune_removes_exactly_what_was_approved(bot: Bot, shelf: Shelf, made: list[str]) -> None:
    asked = await bot(PRUNE)
    assert (asked.outcome, asked.data["facts"]["going"]) == (Outcome.PENDING, [made[2], made[1]])
    assert asked.data["facts"]["freed"] > 0
    reply = await bot(f"approve {asked.ticket}", "ada")
    assert (reply.outcome, reply.data["removed"]) == (Outcome.DONE, [made[2], made[1]])
    assert [each.id for each in shelf.backups()] == [made[0]]
    assert (await bot("backup verify")).outcome is Outcome.DONE
    assert (await bot(PRUNE)).outcome is Outcome.REFUSED


async def test_a_plan_that_is_no_longer_true_is_asked_again(bot: Bot, shelf: Shelf, made: list[str]) -> None:
    asked = await bot(PRUNE)
    shutil.rmtree(shelf.directory / made[2])
    reply = await bot(f"approve {asked.ticket}", "ada")
    assert reply.outcome is Outcome.PENDING
    assert [each.id for each in shelf.backups()] == made[:2]


async def test_what_is_being_restored_stays_and_a_viewer_may_not_ask(bot: Bot, shelf: Shelf, made: list[str]) -> None:
    pin(shelf.directory, made[1])
    assert (await bot(PRUNE)).data["facts"]["going"] == [made[2]]
    unpin(shelf.directory, made[1])
    assert (await bot(PRUNE, "vera")).outcome is Outcome.REFUSED


async def test_status_tells_the_age_and_warns_past_the_objective(make_bot: MakeBot, shelf: Shelf, made: list[str]) -> None:
    bot = await make_bot(VCC_BACKUP_DIR=str(shelf.directory))
    reply = await bot("status")
    assert 0 < reply.data["backup"]["last_good_age_s"] < 600
    assert "정상" in dict(reply.fields)["백업"]
    assert not [problem for problem in reply.data["problems"] if problem["part"] == "backup"]
    strict = await make_bot(VCC_BACKUP_DIR=str(shelf.directory), VCC_BACKUP_MAX_AGE_HOURS="0.005")
    assert [each["kind"] for each in (await strict("status")).data["problems"] if each["part"] == "backup"] == ["backup_old"]


async def test_status_warns_when_there_is_suddenly_less_and_when_there_is_no_room(
    make_bot: MakeBot, shelf: Shelf, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(shelf, fill_uploads(tmp_path / "few", 1), time.time() - 5)
    monkeypatch.setattr(room, "free", lambda directory: 1)
    bot = await make_bot(VCC_BACKUP_DIR=str(shelf.directory))
    found = {each["kind"] for each in (await bot("status")).data["problems"] if each["part"] == "backup"}
    assert found == {"backup_less_files", "backup_less_uploads_bytes", "backup_no_room"}


async def test_status_without_a_shelf_or_without_any_backup_says_so(make_bot: MakeBot, shelf: Shelf, tmp_path: Path) -> None:
    gone = await make_bot(VCC_BACKUP_DIR=str(tmp_path / "gone"))
    reply = await gone("status")
    assert reply.data["backup"] is None
    assert [each["kind"] for each in reply.data["problems"] if each["part"] == "backup"] == ["down"]
    bot = await make_bot(VCC_BACKUP_DIR=str(shelf.directory))
    assert "/vcc backup" in dict((await bot("status")).fields)["백업"]
    os.utime(shelf.directory, (time.time() - 2 * DAY,) * 2)
    assert [each["kind"] for each in (await bot("status")).data["problems"] if each["part"] == "backup"] == ["backup_none"]
