"""The house as a whole: opened, run, watched, closed; partly broken and still of use."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.app import App
from bot.errors import CannotStart, RecordUnwritable
from bot.model import Outcome
from bot.outbox import NotDelivered
from bot.testing.bot import OPS, Bot, a_bot, settings_for
from bot.testing.chat import TestChat
from bot.testing.waiting import until
from tests.bot.demo import Demo


async def test_two_bots_can_live_in_one_process(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path / "one", *demo.groups) as one, a_bot(tmp_path / "two", *demo.groups) as two:
        await asyncio.gather(one.types("slack:vera", "demo read 1"), two.types("slack:vera", "demo read 2"))
        await one.shown()
        await two.shown()
        assert [len(bot.chats["slack"].posts) for bot in (one, two)] == [1, 1]
        assert [len(await bot.audit()) for bot in (one, two)] == [2, 2]


async def test_a_second_bot_on_the_same_state_does_not_run(tmp_path: Path, bot: Bot, demo: Demo) -> None:
    await until(lambda: (tmp_path / "run.lock").exists(), "the first one runs")
    second = App(settings_for(tmp_path), groups=demo.groups[:-1])
    await second.open()
    with pytest.raises(CannotStart):
        await second.run()
    await second.close()
    assert (await bot.types("slack:vera", "demo read")).outcome is Outcome.DONE


async def test_with_one_platform_down_the_other_works(bot: Bot) -> None:
    bot.chats["slack"].fail(NotDelivered("down"))
    await bot.types("slack:vera", "demo read")
    await bot.types("discord:1", "demo read")
    await bot.shown("discord")
    assert len(bot.chats["discord"].at(OPS["discord"])) == 1
    bot.chats["slack"].recover()
    bot.forward(60)
    await bot.shown("slack")
    assert len(bot.chats["slack"].at(OPS["slack"])) == 1


class Dying(TestChat):
    """A connector whose transport dies at once, some times."""

    deaths = 1

    async def run(self) -> None:
        """Die, then run."""
        if self.deaths:
            self.deaths -= 1
            raise ConnectionError("half open")
        await super().run()


async def test_a_connector_that_dies_takes_nothing_with_it(tmp_path: Path, demo: Demo, caplog: pytest.LogCaptureFixture) -> None:
    app = App(settings_for(tmp_path), groups=demo.groups[:-1])
    await app.open()
    app.add(Dying("slack"))
    running = asyncio.create_task(app.run())
    await until(lambda: any("slack connector died" in record.getMessage() for record in caplog.records), "it died")
    bot = Bot(app, {}, app.clock)  # type: ignore[arg-type]
    assert (await bot.types("slack:vera", "help")).outcome is Outcome.DONE
    await bot.shown("slack")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await app.close()


async def test_nothing_opens_where_nothing_can_be_written(tmp_path: Path, demo: Demo) -> None:
    (tmp_path / "home").write_text("in the way", encoding="utf-8")
    app = App(settings_for(tmp_path / "home"), groups=demo.groups[:-1])
    with pytest.raises(RecordUnwritable):
        await app.open()
    await app.close()


async def test_health_names_every_connector(bot: Bot) -> None:
    assert bot.app.health() == {"slack": True, "discord": True}


async def test_with_docker_down_help_still_answers(bot: Bot) -> None:
    assert (await bot.types("slack:vera", "help")).outcome is Outcome.DONE
    assert list(bot.app.doors().services()) == []
