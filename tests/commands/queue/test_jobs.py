"""``queue jobs``: pages of one state, in queues of any name, whatever is wrong with the jobs."""

from __future__ import annotations

import json

import pytest

from bot.model import Outcome, Tone
from tests.commands.conftest import Bot
from tests.commands.queue.conftest import API_KEY, OTHER, PROMPT, QUEUE, Shelf


async def test_buttons_turn_the_pages_from_the_first_to_the_last_and_back(bot: Bot, shelf: Shelf) -> None:
    ids = shelf.waiting(23)
    reply = await bot("queue jobs waiting", "vera")
    seen = [job["id"] for job in reply.data["jobs"]]
    assert [button.label for button in reply.buttons] == ["다음 ▶"]
    while reply.buttons[-1].label == "다음 ▶":
        reply = await bot(reply.buttons[-1].types)
        seen += [job["id"] for job in reply.data["jobs"]]
    assert seen == ids
    assert (reply.data["page"], reply.data["pages"], reply.data["total"]) == (3, 3, 23)
    assert (await bot(reply.buttons[0].types)).data["page"] == 2


async def test_a_page_behind_the_end_is_the_last_one(bot: Bot, shelf: Shelf) -> None:
    shelf.waiting(11)
    reply = await bot("queue jobs waiting --page 99")
    assert (reply.data["page"], len(reply.data["jobs"])) == (2, 1)


async def test_broken_jobs_are_named_as_such_and_nothing_they_carry_is_told(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("whole", f"bad token={API_KEY}")
    shelf.failed("text", "no", data="not JSON")
    shelf.client.hset(shelf.failed("half", "no"), mapping={"x": "y"})
    shelf.client.hdel(shelf.key("half"), "timestamp", "data")
    shelf.client.zadd(shelf.key("failed"), {"gone": 1})
    reply = await bot("queue jobs failed")
    notes = {row[0]: row[-1] for row in reply.tables[0].rows}
    assert reply.tone is Tone.WARN
    assert notes["gone"] == "해시가 없음"
    assert notes["half"].startswith("해시 일부가 없음")
    assert notes["text"].startswith("데이터가 JSON이 아님")
    assert "redacted" in notes["whole"]
    assert [secret for secret in (API_KEY, PROMPT) if secret in repr(reply)] == []
    assert json.dumps(reply.data)


async def test_of_several_queues_the_only_one_with_such_jobs_is_meant(bot: Bot, shelf: Shelf, other: Shelf) -> None:
    shelf.waiting(1)
    other.failed("2", "no")
    assert (await bot("queue jobs failed")).data["queue"] == OTHER
    assert (await bot("queue jobs waiting")).data["queue"] == QUEUE
    other.waiting(1)
    asked = await bot("queue jobs waiting")
    assert (asked.outcome, OTHER in asked.text) == (Outcome.REFUSED, True)
    assert (await bot(f'queue jobs waiting --queue "{OTHER}"')).data["total"] == 1


async def test_a_name_with_a_phones_quotes_is_found_however_it_is_typed(bot: Bot, shelf: Shelf) -> None:
    shelf.waiting(1)
    assert (await bot("queue jobs waiting --queue '이미지: 생성 “둘”'")).data["queue"] == QUEUE
    near = await bot("queue jobs waiting --queue '이미지: 생성'")
    assert (near.data["usage"], QUEUE in near.text) == (True, True)


async def test_stalled_jobs_are_the_active_ones_without_a_lock(bot: Bot, shelf: Shelf) -> None:
    shelf.client.lpush(shelf.key("active"), shelf.job("dead"), shelf.job("alive"))
    shelf.client.set(shelf.key("alive:lock"), "a worker")
    reply = await bot("queue jobs stalled")
    assert [job["id"] for job in reply.data["jobs"]] == ["dead"]
    assert "/vcc restart backend" in reply.text
    assert (await bot("queue jobs active")).data["total"] == 2


async def test_where_the_waiting_jobs_of_a_paused_queue_are_is_said(bot: Bot, shelf: Shelf) -> None:
    shelf.waiting(3)
    await bot("queue pause")
    assert (await bot("queue jobs waiting")).text.count("queue jobs paused") == 1
    assert (await bot("queue jobs paused")).data["total"] == 3


@pytest.mark.parametrize("line", ["queue jobs", "queue jobs broken", "queue jobs failed --page 0"])
async def test_what_cannot_be_meant_is_refused(bot: Bot, shelf: Shelf, line: str) -> None:
    shelf.waiting(1)
    assert (await bot(line)).data["usage"] is True


async def test_delayed_jobs_say_when_and_completed_ones_since_when(bot_on_sandbox: Bot) -> None:
    delayed = await bot_on_sandbox("queue jobs delayed")
    assert all(row[1].endswith("뒤") or row[1] == "곧" for row in delayed.tables[0].rows)
    completed = await bot_on_sandbox("queue jobs completed --page 2")
    assert len(completed.data["jobs"]) == 10
    assert all(job["data_job_id"] and job["progress"] == 100 for job in completed.data["jobs"])
