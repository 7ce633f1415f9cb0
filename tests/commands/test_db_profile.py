"""``db profile`` on a real mongod: always with an end, and afterwards it is as it was found."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo.errors import OperationFailure

from bot.errors import Unreachable
from bot.model import Outcome, Tone
from bot.ops.mongo_profiler import Profiler, Profiling
from bot.testing.bot import Bot, a_bot
from commands import db
from tests.servers import RealMongod

OFF = (0, 100, 1.0)


class Level:
    """The profiler as the vendor's own client sees it."""

    def __init__(self, server: RealMongod) -> None:
        self._server = server

    def __call__(self) -> tuple[int, int, float]:
        with self._server.client() as client:
            answer = client[self._server.database].command("profile", -1)
        return answer["was"], answer["slowms"], answer["sampleRate"]

    def set(self, level: int, slowms: int, rate: float = 1.0) -> None:
        """Switch it behind the bot's back."""
        with self._server.client() as client:
            client[self._server.database].command("profile", level, slowms=slowms, sampleRate=rate)


@pytest.fixture
def level(real_mongod: RealMongod) -> Iterator[Level]:
    """The profiler, off before the test and after it."""
    level = Level(real_mongod)
    level.set(*OFF)
    yield level
    level.set(*OFF)


@asynccontextmanager
async def a_bot_on(server: RealMongod, home: Path, **more: Any) -> AsyncIterator[Bot]:
    async with a_bot(home, db.group, running=False, mongodb_uri=SecretStr(server.uri), **more) as bot:
        yield bot


async def _pass(bot: Bot, minutes: float) -> None:
    bot.forward(minutes * 60)
    await bot.app.tending.keep_promises()


async def test_it_is_level_one_for_its_minutes_and_then_off_by_itself(level: Level, real_mongod: RealMongod, tmp_path: Path) -> None:
    async with a_bot_on(real_mongod, tmp_path) as bot:
        reply = await bot.types("slack:olga", "db profile on --slowms 50 --minutes 10")
        assert (reply.outcome, reply.tone, level()) == (Outcome.DONE, Tone.GOOD, (1, 50, 1.0))
        assert reply.data["until"] == bot.clock() + 600
        status = await bot.types("slack:olga", "db profile status")
        assert (status.data["level"], status.data["slowms"], status.data["until"]) == (1, 50, bot.clock() + 600)
        await _pass(bot, 9.9)
        assert level() == (1, 50, 1.0)
        await _pass(bot, 0.1)
        assert level() == OFF
        assert (await bot.types("slack:olga", "db profile status")).data["until"] is None


@pytest.mark.parametrize("found", [(2, 200, 0.5), (1, 40, 1.0), (0, 30, 1.0)])
@pytest.mark.parametrize("ends", ["by itself", "by hand"])
async def test_what_was_found_is_restored_and_a_running_one_is_somebody_else_s(
    level: Level, real_mongod: RealMongod, tmp_path: Path, found: tuple[int, int, float], ends: str
) -> None:
    level.set(*found)
    async with a_bot_on(real_mongod, tmp_path) as bot:
        reply = await bot.types("slack:olga", "db profile on --slowms 70 --minutes 5")
        assert level() == (1, 70, 1.0)
        assert (reply.tone is Tone.WARN, "not by this bot" in reply.text) == (found[0] > 0, found[0] > 0)
        if ends == "by hand":
            await bot.types("slack:ada", "db profile off")
            assert level() == found
        await _pass(bot, 6)
        assert level() == found


async def test_a_second_run_keeps_the_level_found_first_and_the_first_timer_does_not_end_it(
    level: Level, real_mongod: RealMongod, tmp_path: Path
) -> None:
    level.set(2, 200)
    async with a_bot_on(real_mongod, tmp_path) as bot:
        await bot.types("slack:olga", "db profile on --minutes 10")
        await _pass(bot, 8)
        second = await bot.types("slack:ada", "db profile on --slowms 30 --minutes 10")
        assert (second.data["before"]["level"], second.data["extended"], second.tone) == (2, True, Tone.GOOD)
        await _pass(bot, 5)
        assert level() == (1, 30, 1.0)
        early = await bot.types("slack:olga", "db profile off --due")  # what the first timer would type, taken before it was replaced
        assert (early.outcome, level()) == (Outcome.REFUSED, (1, 30, 1.0))
        await _pass(bot, 5)
        assert level() == (2, 200, 1.0)


async def test_the_way_back_is_on_the_disk_before_anything_is_switched(
    level: Level, real_mongod: RealMongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    switch = Profiler.switch

    async def watched(self: Profiler, wanted: Profiling) -> None:
        promised = await bot.app.audit.promised("db.profile")
        seen.append(promised and (promised.line, dict(promised.note)))
        await switch(self, wanted)

    monkeypatch.setattr(Profiler, "switch", watched)
    async with a_bot_on(real_mongod, tmp_path) as bot:
        await bot.types("slack:olga", "db profile on")
    assert seen == [("db profile off --due", {"level": 0, "slowms": 100, "sample_rate": 1.0})]


async def test_a_server_that_is_down_at_the_time_is_switched_back_when_it_is_up(
    level: Level, real_mongod: RealMongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(self: Profiler) -> Profiling:
        raise Unreachable("mongodb", "connection refused")

    async with a_bot_on(real_mongod, tmp_path) as bot:
        await bot.types("slack:olga", "db profile on --minutes 1")
        with monkeypatch.context() as patched:
            patched.setattr(Profiler, "read", down)
            await _pass(bot, 1)
        assert level()[0] == 1
        await _pass(bot, 1)
        assert level() == OFF


def _looker(server: RealMongod) -> SecretStr:
    """The address of an account that may look at the profiler and not switch it."""
    seen = {"resource": {"db": server.database, "collection": "system.profile"}, "actions": ["find"]}
    with server.client() as client:
        database = client[server.database]
        for command in ({"dropUser": "looker2"}, {"dropRole": "looks"}):
            with contextlib.suppress(OperationFailure):
                database.command(command)
        database.command("createRole", "looks", privileges=[seen], roles=["read"])
        database.command("createUser", "looker2", pwd="looker2-word", roles=["looks"])
    return SecretStr(f"mongodb://looker2:looker2-word@127.0.0.1:{server.port}/{server.database}")


async def test_an_account_that_may_not_switch_is_told_the_role_and_nothing_is_left_to_do(
    level: Level, real_mongod: RealMongod, tmp_path: Path
) -> None:
    async with a_bot(tmp_path, db.group, running=False, mongodb_uri=_looker(real_mongod)) as bot:
        assert (await bot.types("slack:olga", "db profile status")).outcome is Outcome.DONE
        reply = await bot.types("slack:olga", "db profile on")
        assert (reply.outcome, "dbAdmin" in reply.text, level()) == (Outcome.FAILED, True, OFF)
        assert await bot.app.audit.promised("db.profile") is None


async def test_a_refusal_leaves_an_earlier_run_s_way_back_as_it_was(level: Level, real_mongod: RealMongod, tmp_path: Path) -> None:
    async with a_bot_on(real_mongod, tmp_path) as bot:
        ends = (await bot.types("slack:olga", "db profile on --minutes 10")).data["until"]
        clock = bot.clock
    async with a_bot(tmp_path, db.group, running=False, clock=clock, mongodb_uri=_looker(real_mongod)) as bot:
        clock.forward(60)
        assert (await bot.types("slack:olga", "db profile on --minutes 100")).outcome is Outcome.FAILED
        promised = await bot.app.audit.promised("db.profile")
        assert promised is not None
        assert promised.at == ends


async def test_when_nobody_knows_whether_it_was_switched_the_way_back_stays(
    level: Level, real_mongod: RealMongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = Profiler.switch

    async def cut_off(self: Profiler, wanted: Profiling) -> None:
        await switch(self, wanted)
        raise Unreachable("mongodb", "the answer was lost")

    monkeypatch.setattr(Profiler, "switch", cut_off)
    async with a_bot_on(real_mongod, tmp_path) as bot:
        reply = await bot.types("slack:olga", "db profile on --minutes 1")
        assert (reply.outcome, level()[0]) == (Outcome.FAILED, 1)
        monkeypatch.undo()
        await _pass(bot, 1)
        assert level() == OFF


@pytest.mark.parametrize("words", ["--minutes 0", "--minutes 10000", "--slowms 0", "--minutes 0.5", "--level 2"])
async def test_too_long_too_short_and_everything_at_once_are_refused(
    level: Level, real_mongod: RealMongod, tmp_path: Path, words: str
) -> None:
    async with a_bot_on(real_mongod, tmp_path) as bot:
        reply = await bot.types("slack:olga", f"db profile on {words}")
    assert (reply.outcome, level()) == (Outcome.REFUSED, OFF)


async def test_a_viewer_may_not_switch(level: Level, real_mongod: RealMongod, tmp_path: Path) -> None:
    async with a_bot_on(real_mongod, tmp_path) as bot:
        assert (await bot.types("slack:vera", "db profile on")).outcome is Outcome.REFUSED
    assert level() == OFF


async def test_somebody_else_s_profiling_is_switched_off_by_hand_only_and_said(
    level: Level, real_mongod: RealMongod, tmp_path: Path
) -> None:
    level.set(2, 100)
    async with a_bot_on(real_mongod, tmp_path) as bot:
        assert (await bot.types("slack:olga", "db profile off --due")).outcome is Outcome.DONE
        assert level()[0] == 2
        reply = await bot.types("slack:olga", "db profile off")
        assert ("had not been switched on" in reply.text, level()) == (True, OFF)
        assert "already" in (await bot.types("slack:olga", "db profile off")).title
