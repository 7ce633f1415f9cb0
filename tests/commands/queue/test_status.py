"""``queue status``: figures of every queue, how fast it works, and why its jobs fail."""

from __future__ import annotations

import time

import pytest

from tests.commands.conftest import Bot
from tests.commands.queue.conftest import API_KEY, OTHER, QUEUE, Shelf

FIGURES = {"name", "waiting", "active", "delayed", "completed", "failed", "paused", "is_paused", "stalled", "oldest_waiting_at"}


async def test_status_lists_every_queue_with_its_figures(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox("queue", "vera")
    assert [queue["name"] for queue in reply.data] == ["image generation"]
    assert set(reply.data[0]) == FIGURES | {"throughput", "failed_reasons"}
    assert "최근 1시간 완료" in dict(reply.fields)["image generation"]


async def test_reasons_are_grouped_counted_and_without_secrets(bot: Bot, shelf: Shelf) -> None:
    for number in range(3):
        shelf.failed(str(number), f"Request failed with status code 50{number}")
    shelf.failed("9", f"denied for api_key={API_KEY}")
    shelf.client.zadd(shelf.key("failed"), {"gone": 1})
    reply = await bot("queue status")
    (queue,) = reply.data
    reasons = {each["reason"]: each["count"] for each in queue["failed_reasons"]}
    assert reasons["Request failed with status code <n>"] == 3
    assert (queue["failed"], len(reasons)) == (5, 3)
    assert API_KEY not in repr(reply)
    assert "(사유 없음)" in repr(reply.tables)


async def test_pace_is_taken_over_the_time_for_which_bull_kept_all(bot: Bot, shelf: Shelf) -> None:
    now = time.time()
    for number in range(50):  # as many as Bull keeps, within ten minutes
        shelf.job(f"c{number}")
        shelf.client.zadd(shelf.key("completed"), {f"c{number}": round((now - 600 + number * 12) * 1000)})
    shelf.failed("f1", "no", ago=30)
    reply = await bot("queue status")
    pace = reply.data[0]["throughput"]
    assert (pace["completed"], pace["failed"], pace["at_least"]) == (50, 1, True)
    assert pace["span"] == pytest.approx(600, abs=15)
    assert pace["per_minute"] == pytest.approx(5.0, abs=0.3)
    assert pace["failure_percent"] == pytest.approx(2.0)
    told = dict(reply.fields)[QUEUE]
    assert ("완료 최소 50건" in told, "기준 분당 5" in told) == (True, True)


async def test_each_queue_with_failures_has_a_button_that_shows_them(bot: Bot, shelf: Shelf, other: Shelf) -> None:
    shelf.failed("1", "no")
    other.failed("2", "no")
    reply = await bot("queue status")
    shown = [(await bot(button.types)).data for button in reply.buttons]
    assert [(data["queue"], [job["id"] for job in data["jobs"]]) for data in shown] == [(OTHER, ["2"]), (QUEUE, ["1"])]


async def test_there_may_be_no_queue_at_all(bot: Bot) -> None:
    reply = await bot("queue status")
    assert (reply.data, reply.tables) == ([], ())
