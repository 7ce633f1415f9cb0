"""``queue retry``: one failed job or all of them, and clear refusals."""

from __future__ import annotations

import json

import pytest

from bot.model import Outcome, Tone
from tests.commands.conftest import Bot
from tests.commands.queue.conftest import OTHER, QUEUE, Shelf


async def test_one_failed_job_waits_again_and_the_answer_says_what_follows(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", "no")
    reply = await bot("queue retry 7")
    assert (reply.outcome, reply.tone, reply.data["retried"]) == (Outcome.DONE, Tone.GOOD, ["7"])
    assert "MongoDB" in reply.text
    assert shelf.client.lrange(shelf.key("wait"), 0, -1) == ["7"]
    again = await bot("queue retry 7")
    assert (again.outcome, "대기" in again.text) == (Outcome.REFUSED, True)


async def test_in_a_paused_queue_it_says_so_and_offers_to_resume(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", "no")
    await bot("queue pause")
    reply = await bot("queue retry 7")
    assert (reply.tone, reply.data["paused"]) == (Tone.WARN, True)
    resumed = await bot(reply.buttons[0].types)
    assert (resumed.data[0]["name"], resumed.data[0]["waiting"]) == (QUEUE, 1)


async def test_all_for_a_reason_takes_those_and_leaves_the_others(bot: Bot, shelf: Shelf) -> None:
    for number in range(120):
        shelf.failed(f"five{number}", f"Request failed with status code 5{number:02}")
    shelf.failed("other", "connect ECONNREFUSED 10.0.0.1:8188")
    reply = await bot('queue retry all --reason "status code <n>"')
    assert (len(reply.data["retried"]), reply.data["left"], reply.data["refused"]) == (120, 0, {})
    assert shelf.client.zrange(shelf.key("failed"), 0, -1) == ["other"]
    assert shelf.client.llen(shelf.key("wait")) == 120
    none = await bot("queue retry all --reason nonsense")
    assert (none.outcome, "nonsense" in none.text) == (Outcome.REFUSED, True)
    assert (await bot("queue retry all --reason econnrefused")).data["retried"] == ["other"]


async def test_what_cannot_be_retried_among_all_is_counted_and_left(bot: Bot, shelf: Shelf) -> None:
    for job in ("fine", "locked", "gone", "broken"):
        shelf.failed(job, "no")
    shelf.client.set(shelf.key("locked:lock"), "a worker")
    shelf.client.delete(shelf.key("gone"))
    shelf.client.hset(shelf.key("broken"), "data", "not JSON")
    reply = await bot("queue retry all")
    assert (reply.tone, reply.data["retried"]) == (Tone.WARN, ["fine"])
    assert reply.data["refused"] == {"locked": "locked", "gone": "missing", "broken": "broken"}
    assert reply.text.count("1건") == 3


async def test_more_than_one_go_can_read_is_said_and_goes_on_with_a_button(bot: Bot, shelf: Shelf) -> None:
    pipe = shelf.client.pipeline()
    for number in range(1010):
        pipe.zadd(shelf.key("failed"), {str(number): number})
        pipe.hset(shelf.key(str(number)), mapping={"opts": json.dumps({"attempts": 1}), "data": "{}", "failedReason": "no", "timestamp": 1})
    pipe.execute()
    reply = await bot("queue retry all --reason no")
    assert (len(reply.data["retried"]), reply.data["left"]) == (1000, 10)
    assert (await bot(reply.buttons[-1].types)).data["left"] == 0
    assert shelf.client.llen(shelf.key("wait")) == 1010


@pytest.mark.parametrize(
    ("job", "said"), [("locked", "워커"), ("gone", "해시가 없어"), ("broken", "깨져"), ("waiting", "실패 상태가 아니")]
)
async def test_each_refusal_says_what_is_wrong(bot: Bot, shelf: Shelf, job: str, said: str) -> None:
    shelf.failed(job, "no")
    if job == "locked":
        shelf.client.set(shelf.key("locked:lock"), "a worker")
    elif job == "gone":
        shelf.client.delete(shelf.key("gone"))
    elif job == "broken":
        shelf.client.hset(shelf.key("broken"), "opts", "[]]")
    else:
        shelf.client.zrem(shelf.key("failed"), job)
        shelf.client.lpush(shelf.key("wait"), job)
    reply = await bot(f"queue retry {job}")
    assert (reply.outcome, said in reply.text) == (Outcome.REFUSED, True), reply.text


async def test_which_queue_is_asked_when_several_have_failed_jobs(bot: Bot, shelf: Shelf, other: Shelf) -> None:
    shelf.failed("7", "no")
    other.failed("7", "no")
    for line in ("queue retry 7", "queue retry all"):
        assert (await bot(line)).data["usage"] is True
    assert (await bot(f'queue retry all --queue "{OTHER}"')).data["queue"] == OTHER
    assert (await bot("queue retry all")).data["queue"] == QUEUE
    assert (await bot("queue retry all")).outcome is Outcome.REFUSED


async def test_a_reason_goes_with_all_only_and_a_viewer_may_not(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", "no")
    assert (await bot("queue retry 7 --reason no")).data["usage"] is True
    assert (await bot("queue retry 7", "vera")).outcome is Outcome.REFUSED
    assert shelf.client.zcard(shelf.key("failed")) == 1
