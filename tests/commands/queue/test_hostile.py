"""What no Bull writes but a Redis can hold: the queue commands answer all the same, and keep to themselves what is not theirs to show."""

from __future__ import annotations

import json

import pytest

from bot.model import Outcome
from tests.commands.conftest import Bot
from tests.commands.queue.conftest import DATA, Shelf

LINES = (
    "queue status",
    "queue jobs failed",
    "queue jobs delayed",
    "queue jobs waiting",
    "queue job 7",
    "queue job 8",
    "queue job 7 --data",
)


@pytest.mark.parametrize("moment", ["99999999999999999999", "-9999999999999999999", "253402300800000"])
async def test_moments_that_no_calendar_has_are_unknown(bot: Bot, shelf: Shelf, moment: str) -> None:
    shelf.job("7", timestamp=moment, processedOn=moment, finishedOn=moment)
    shelf.client.zadd(shelf.key("failed"), {"7": float(moment)})
    shelf.job("8", timestamp=moment)
    shelf.client.zadd(shelf.key("delayed"), {"8": float("inf")})
    shelf.job("9", timestamp=moment)
    shelf.client.lpush(shelf.key("wait"), "9")
    for line in LINES:
        assert (await bot(line, "ada")).outcome is Outcome.DONE, line


async def test_names_that_are_no_text_are_told_and_break_nothing(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", "no", data=json.dumps({**DATA, "jobId": "\ud800", "\ud801": "\ud802"}), name=b"\xff")
    shelf.job("8")
    shelf.client.lpush(shelf.key("wait"), "8", b"\xfe\xff")
    shelf.client.lpush(b"bull:\xff\xfeodd:wait", "1")
    for line in (*LINES, "db ping", "redis keys", "status"):
        reply = await bot(line, "ada")
        assert reply.outcome in (Outcome.DONE, Outcome.REFUSED), (line, reply)
    assert [queue["name"] for queue in (await bot("status")).data["queues"]] == [shelf.queue, "??odd"]
    assert (await bot("queue jobs waiting --queue odd")).data["total"] == 1
