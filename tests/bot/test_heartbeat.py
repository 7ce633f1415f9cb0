"""The heartbeat: somebody outside hears of us as long as we are well, and of nothing else; its address is told nobody."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.app import App
from bot.errors import RecordUnwritable
from bot.heartbeat import STALE, Heartbeat, Signs
from bot.testing.bot import Bot, a_bot
from bot.testing.clock import DAWN, Clock
from bot.words import Words
from tests.bot.demo import Demo
from tests.parts import free_port

SECRET = "5f0c-secret-ping-key"


@asynccontextmanager
async def listening(status: int = 200) -> AsyncIterator[tuple[str, list[str]]]:
    """Somebody outside: the address to call, and what was called."""
    called: list[str] = []

    async def ping(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response(status=status)

    application = web.Application()
    application.add_routes([web.get("/{key}", ping)])
    async with TestServer(application) as server:
        yield str(server.make_url(f"/{SECRET}")), called


class Vitals:
    """What a bot is asked for its health."""

    def __init__(self) -> None:
        self.hears = {"slack": True, "discord": True}
        self.rounded_at = DAWN

    def heart(self, app: App, address: str) -> Heartbeat:
        return Heartbeat(address, Signs(app.store, lambda: self.hears, {"schedules": lambda: self.rounded_at}), app.clock)


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with a_bot(tmp_path, *Demo().groups, running=False) as bot:
        yield bot


async def findings(heart: Heartbeat) -> tuple[str, str]:
    (found,) = await heart.check(Words("en"), "UTC")
    return found.state, found.text


async def test_while_all_is_well_it_is_told_and_the_set_up_says_so(bot: Bot) -> None:
    async with listening() as (address, called):
        heart = Vitals().heart(bot.app, address)
        assert await findings(heart) == ("warn", "no ping was sent yet")
        assert await heart.beat()
        assert called == [f"/{SECRET}"]
        assert (await findings(heart))[0] == "ok"
        bot.clock.forward(STALE + 1)
        assert (await findings(heart))[0] == "warn"


async def test_one_platform_of_two_is_enough_and_none_is_not(bot: Bot) -> None:
    vitals = Vitals()
    async with listening() as (address, called):
        vitals.hears = {"slack": False, "discord": True}
        assert await vitals.heart(bot.app, address).beat()
        vitals.hears = {"slack": False, "discord": False}
        assert not await vitals.heart(bot.app, address).beat()
        vitals.hears = {}
        assert await vitals.heart(bot.app, address).beat()
        assert len(called) == 2


async def test_a_round_that_stands_still_silences_it(bot: Bot) -> None:
    vitals = Vitals()
    async with listening() as (address, called):
        bot.clock.forward(STALE + 1)
        assert not await vitals.heart(bot.app, address).beat()
        vitals.rounded_at = bot.clock()
        assert await vitals.heart(bot.app, address).beat()
        assert len(called) == 1


async def test_a_state_that_cannot_be_written_silences_it(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(work: object) -> None:
        raise RecordUnwritable("disk full")

    async with listening() as (address, called):
        monkeypatch.setattr(bot.app.store, "write", full)
        assert not await Vitals().heart(bot.app, address).beat()
        assert called == []


async def test_nobody_there_or_a_refusal_raises_nothing_and_tells_no_address(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "vcc")
    vitals = Vitals()
    assert not await vitals.heart(bot.app, f"http://127.0.0.1:{free_port()}/{SECRET}").beat()
    async with listening(404) as (address, _):
        heart = vitals.heart(bot.app, address)
        assert not await heart.beat()
        assert SECRET not in repr(await heart.check(Words("en"), "UTC"))
    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("vcc"))  # the server here has its own
    assert "no heartbeat" in said
    assert SECRET not in said


async def test_without_an_address_the_set_up_says_what_is_missing(bot: Bot) -> None:
    state, said = await findings(Vitals().heart(bot.app, ""))
    assert (state, said) == ("warn", "not set: nobody notices when the bot is silent")


async def test_a_running_bot_beats_once_its_rounds_go_on(tmp_path: Path) -> None:
    async with (
        listening() as (address, called),
        a_bot(tmp_path, *Demo().groups, running=False, clock=Clock(), vcc_deadman_url=address) as bot,
    ):
        assert not await bot.app.calling.heartbeat.beat()
        await bot.app.scheduler.round()
        await bot.app.calling.escalation.round()
        assert not await bot.app.calling.heartbeat.beat(), "nobody watches yet"
        await bot.app.watch.round()
        assert await bot.app.calling.heartbeat.beat()
        assert len(called) == 1


async def test_a_watch_that_stands_still_is_no_life_wherever_the_clock_went(tmp_path: Path) -> None:
    async with (
        listening() as (address, called),
        a_bot(tmp_path, *Demo().groups, running=False, clock=Clock(), vcc_deadman_url=address) as bot,
    ):
        await bot.app.watch.round()
        for jump in (STALE + 1, -3 * STALE):
            bot.clock.forward(jump)
            await bot.app.scheduler.round()
            await bot.app.calling.escalation.round()
            assert not await bot.app.calling.heartbeat.beat()
        assert called == []
