"""``queue status --range``: what was measured of the queues, told in figures and a picture, also without Redis."""

from __future__ import annotations

import pytest

from bot.model import Outcome, Tone
from bot.series import Series
from tests.commands.conftest import Bot, MakeBot
from tests.commands.queue.conftest import OTHER, QUEUE, Shelf
from tests.commands.record import Shape, record, wave

NO_REDIS = "redis://:secret@127.0.0.1:9"


def shapes(queue: str, waiting: float = 40) -> dict[Series, Shape]:
    """A queue that ends four jobs a minute, of which every tenth fails, and whose failed ones pile up."""
    told: dict[str, Shape] = {
        "waiting": wave(waiting, 10),
        "active": lambda ago: 5,
        "delayed": lambda ago: 2,
        "failed": lambda ago: 20 - ago / 3_600,
        "stalled": lambda ago: 0,
        "oldest_waiting_s": wave(300, 200),
        "finished_per_min": wave(4, 1),
        "failed_per_min": lambda ago: 0.4,
    }
    return {Series("queue", queue, figure): shape for figure, shape in told.items()}


async def test_a_range_is_told_in_figures_a_share_of_failures_and_a_picture(bot: Bot, shelf: Shelf) -> None:
    shelf.waiting(1)
    await record(bot, shapes(QUEUE), 2)
    reply = await bot("queue status --range 1h", "vera")
    assert (reply.outcome, reply.tone, reply.title) == (Outcome.DONE, Tone.NEUTRAL, "큐 추이 — 최근 1시간")
    (queue,) = reply.data["queues"]
    assert (queue["name"], reply.data["redis_up"]) == (QUEUE, True)
    assert queue["failure_percent"] == pytest.approx(10, abs=1)
    assert queue["waiting"]["least"] == pytest.approx(30, abs=0.5)
    assert queue["waiting"]["mean"] == pytest.approx(40, abs=3)
    assert queue["waiting"]["most"] == pytest.approx(50, abs=0.5)
    assert queue["failed"]["latest"] == pytest.approx(20, abs=0.1)
    assert dict(reply.fields) == {QUEUE: "분당 4.0건, 실패율 10%"}
    rows = {row[1]: row[2:] for row in reply.tables[0].rows}
    assert list(rows) == ["대기", "처리 중", "지연", "실패", "최장 대기", "분당 처리", "분당 실패"]
    assert rows["처리 중"] == ("5", "5", "5", "5")
    assert rows["최장 대기"][0].startswith("1분 4")
    (picture,) = reply.files
    assert picture.path.read_bytes().startswith(b"\x89PNG")
    assert "대기: 최소 30" in picture.alt
    assert "분당 처리·실패" in picture.alt


async def test_without_redis_the_record_still_answers_and_says_so(make_bot: MakeBot) -> None:
    bot = await make_bot(REDIS_URL=NO_REDIS)
    assert (await bot("queue status")).outcome is Outcome.FAILED
    await record(bot, shapes(QUEUE), 1)
    reply = await bot("queue status --range 24h")
    assert (reply.outcome, reply.tone, reply.data["redis_up"], len(reply.files)) == (Outcome.DONE, Tone.WARN, False, 1)
    assert "Redis가 응답하지 않아" in reply.text
    assert "부터 기록이 있습니다" in reply.text
    assert reply.data["queues"][0]["active"]["count"] > 50


async def test_two_queues_share_the_picture_of_their_pace_and_what_is_wrong_now_stands_beside_it(bot: Bot, shelf: Shelf) -> None:
    shelf.waiting(2)
    await bot("queue pause")
    idle: dict[Series, Shape] = {
        Series("queue", OTHER, figure): lambda ago: 0 for figure in ("waiting", "finished_per_min", "failed_per_min")
    }
    await record(bot, shapes(QUEUE) | idle, 1)
    reply = await bot("queue status --range 1h")
    assert reply.tone is Tone.WARN
    assert "/vcc queue resume" in reply.text
    assert f"{QUEUE} 분당 실패: 최소 0.4" in reply.files[0].alt
    assert dict(reply.fields)[OTHER] == "끝난 작업 없음"
    assert [(queue["name"], queue["failure_percent"] is None) for queue in reply.data["queues"]] == [(OTHER, True), (QUEUE, False)]


async def test_of_many_queues_the_busiest_are_shown_and_the_rest_is_counted(bot: Bot) -> None:
    many: dict[Series, Shape] = {}
    for number in range(12):
        many |= shapes(f"queue {number}", waiting=100 + number)
    await record(bot, many, 1, 300)
    reply = await bot("queue status --range 1h")
    shown = [row[0] for row in reply.tables[0].rows]
    assert (shown[0], len(set(shown)), "queue 0" in shown) == ("queue 11", 8, False)
    assert {row[1] for row in reply.tables[0].rows} == {"대기", "분당 처리", "분당 실패"}
    assert "12개 중 대기가 많았던 8개" in reply.footer
    assert len(reply.data["queues"]) == 12
    assert "queue 11: 최소" in reply.files[0].alt


async def test_without_a_record_it_says_so_and_draws_nothing(bot: Bot) -> None:
    reply = await bot("queue status --range 7d")
    assert (reply.outcome, reply.files, reply.tables) == (Outcome.DONE, (), ())
    assert "아직 기록이 없습니다" in reply.text


async def test_another_range_is_refused_with_those_there_are(bot: Bot) -> None:
    reply = await bot("queue status --range 2h")
    assert reply.outcome is Outcome.REFUSED
    assert "24h, 1h, 7d" in reply.text
