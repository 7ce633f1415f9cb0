"""``stats`` on a real deployment: now, over a range of time, and from the record alone."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.model import Outcome, Tone
from bot.ops.measures import sources
from bot.sampler import Sampler
from tests.commands.conftest import Bot, MakeBot, stop, until
from tests.commands.record import record_services

NO_DOCKER = "unix:///nowhere/docker.sock"


async def test_every_running_service_has_its_figures(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox("stats", "vera")
    assert {row[0] for row in reply.tables[0].rows} == {"backend", "frontend", "mongodb", "redis"}
    assert all(usage["memory_bytes"] > 0 and usage["processes"] > 0 for usage in reply.data)
    assert all(usage["hour_ago"] == {"cpu_percent": None, "memory_bytes": None} for usage in reply.data)


async def test_one_service_may_be_named_in_any_case(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox("stats Backend")
    assert [usage["service"] for usage in reply.data] == ["backend"]


@pytest.mark.parametrize("line", ["stats bakend", "stats bakend --range 24h"])
async def test_a_misspelt_service_gets_the_nearest_name(bot_on_sandbox: Bot, line: str) -> None:
    reply = await bot_on_sandbox(line)
    assert reply.outcome is Outcome.REFUSED
    assert reply.data["usage"] is True
    assert "backend" in reply.text


async def test_an_unlike_name_gets_all_names(bot_on_sandbox: Bot) -> None:
    assert "backend · frontend · mongodb · redis" in (await bot_on_sandbox("stats zzz")).text


async def test_a_stopped_service_is_named(bot_on_sandbox: Bot) -> None:
    await stop(bot_on_sandbox, "frontend")
    reply = await bot_on_sandbox("stats")
    assert "frontend" in reply.text
    assert "frontend" not in {usage["service"] for usage in reply.data}


async def test_a_project_without_containers_is_said_plainly(make_bot: MakeBot, whole_sandbox: None) -> None:
    reply = await (await make_bot(VCC_COMPOSE_PROJECT="elsewhere"))("stats")
    assert reply.outcome is Outcome.REFUSED
    assert "VCC_COMPOSE_PROJECT" in reply.text


async def test_now_stands_beside_an_hour_ago(bot_on_sandbox: Bot) -> None:
    await record_services(bot_on_sandbox)
    reply = await bot_on_sandbox("stats backend")
    assert reply.data[0]["hour_ago"]["memory_bytes"] == pytest.approx(2e8 - 3_600 * 1e4, rel=0.02)
    assert "CPU " in reply.tables[0].rows[0][-1]
    assert reply.tables[0].rows[0][-1].endswith("MiB")


async def test_a_range_is_told_in_figures_and_a_picture(bot_on_sandbox: Bot) -> None:
    await record_services(bot_on_sandbox)
    reply = await bot_on_sandbox("stats --range 1h")
    assert reply.tables[0].columns == ("서비스", "항목", "최소", "평균", "최대", "최근")
    assert [row[:2] for row in reply.tables[0].rows] == [(name, what) for name in ("backend", "gone#2") for what in ("CPU", "메모리")]
    (backend, _) = reply.data["services"]
    assert backend["cpu_percent"]["least"] == pytest.approx(20, abs=0.5)
    assert backend["cpu_percent"]["mean"] == pytest.approx(30, abs=2)
    assert backend["cpu_percent"]["most"] == pytest.approx(40, abs=0.5)
    assert backend["memory_bytes"]["latest"] == pytest.approx(2e8, rel=0.01)
    (picture,) = reply.files
    assert picture.media_type == "image/png"
    assert picture.path.read_bytes().startswith(b"\x89PNG")
    assert "backend: 최소" in picture.alt
    assert "CPU" in picture.alt


async def test_one_service_is_told_with_its_network_too(bot_on_sandbox: Bot) -> None:
    await record_services(bot_on_sandbox)
    reply = await bot_on_sandbox("stats BACKEND --range 24h")
    assert [service["service"] for service in reply.data["services"]] == ["backend"]
    assert reply.data["services"][0]["network_sent_per_s"]["most"] == pytest.approx(1_500, rel=0.1)
    assert "부터 기록이 있습니다" in reply.text
    assert "backend, 최근 1일" in reply.title


async def test_without_docker_the_record_still_answers_and_says_so(make_bot: MakeBot) -> None:
    bot = await make_bot(DOCKER_HOST=NO_DOCKER)
    await record_services(bot)
    reply = await bot("stats backend --range 1h")
    assert (reply.outcome, reply.tone, reply.data["docker_up"]) == (Outcome.DONE, Tone.WARN, False)
    assert "Docker" in reply.text
    assert reply.data["services"][0]["cpu_percent"]["count"] > 30
    last = await bot("stats backend")
    assert (last.outcome, last.tone) == (Outcome.DONE, Tone.WARN)
    assert last.tables[0].rows[0][:2] == ("backend", "30%")
    assert (await bot("stats bakend")).outcome is Outcome.REFUSED


async def test_without_docker_and_without_a_record_the_failure_is_told(make_bot: MakeBot) -> None:
    bot = await make_bot(DOCKER_HOST=NO_DOCKER)
    assert (await bot("stats")).outcome is Outcome.FAILED
    reply = await bot("stats --range 1h")
    assert reply.outcome is Outcome.DONE
    assert "아직 기록이 없습니다" in reply.text
    assert (reply.files, reply.tables) == ((), ())


async def test_another_range_is_refused_with_those_there_are(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox("stats --range 2h")
    assert reply.outcome is Outcome.REFUSED
    assert "24h, 1h, 7d" in reply.text


async def test_what_the_sampler_measures_is_what_is_told(bot_on_sandbox: Bot) -> None:
    app = bot_on_sandbox.app
    measuring = asyncio.create_task(Sampler(sources(app.ops), app.history, time.time, 0.5).run())

    async def twice() -> bool:
        known = await app.history.known()
        return any(series.figure == "network_sent_per_s" for series in known)

    try:
        await until(twice, "two rounds are measured")
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)
    reply = await bot_on_sandbox("stats --range 1h")
    assert {service["service"] for service in reply.data["services"]} == {"backend", "frontend", "mongodb", "redis"}
    assert all(service["memory_bytes"]["least"] > 0 for service in reply.data["services"])
    assert len(reply.files) == 1
