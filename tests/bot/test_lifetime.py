"""The app lives as long as it is needed, and is closed however that ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from bot.app import App
from bot.errors import CannotStart, RecordUnwritable
from bot.lifetime import opened, run_bot
from bot.model import Account, Invocation, Outcome, Place
from bot.testing.bot import settings_for
from bot.webserver import WebServer


def instances(home: Path) -> list[Path]:
    """Programs that show life."""
    return list((home / "instances").iterdir())


async def test_it_is_closed_after_use_and_after_a_failure(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    seen: list[int] = []

    async def use_and_fail() -> None:
        async with opened(settings_for(tmp_path), quiet=True):
            seen.append(len(instances(tmp_path)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await use_and_fail()
    assert seen == [1]
    assert instances(tmp_path) == []
    assert logging.getLogger().handlers == before


async def test_what_a_crash_interrupted_is_found_in_the_log(tmp_path: Path) -> None:
    async with opened(settings_for(tmp_path), quiet=True) as app:
        accepted = await app.dispatch.accept(Invocation("help", Account("local", "ada"), Place("local", "console"), "", 0.0))
        assert accepted is not None
    async with opened(settings_for(tmp_path), quiet=True):
        pass
    assert f"{accepted.reference} was interrupted" in (tmp_path / "log" / "vcc.log").read_text(encoding="utf-8")


async def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way", encoding="utf-8")
    with pytest.raises(RecordUnwritable):
        async with opened(settings_for(tmp_path / "home"), quiet=True):
            pass


async def ask(app: App) -> Outcome:
    """Type help as ada."""
    accepted = await app.dispatch.accept(Invocation("help", Account("local", "ada"), Place("local", "console"), "", 0.0))
    assert accepted is not None
    return (await app.dispatch.run(accepted)).outcome


async def test_the_bot_runs_until_what_it_runs_beside_ends(tmp_path: Path) -> None:
    heard: list[object] = []

    async def beside(app: App, server: WebServer) -> None:
        heard.append(await ask(app))
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{server.port}/healthz") as answer:
            heard.append(answer.status)

    assert await run_bot(settings_for(tmp_path, vcc_http_port=0), beside) == 0
    assert heard == [Outcome.DONE, 200]
    assert instances(tmp_path) == []


async def test_a_signal_ends_it_in_order(tmp_path: Path) -> None:
    async def beside(app: App, server: WebServer) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    async with asyncio.timeout(60):
        assert await run_bot(settings_for(tmp_path, vcc_http_port=0), beside) == 0
    assert instances(tmp_path) == []


async def test_a_second_bot_ends_with_a_sentence(tmp_path: Path) -> None:
    refused: list[str] = []

    async def beside(app: App, server: WebServer) -> None:
        try:
            await run_bot(settings_for(tmp_path, vcc_http_port=0))
        except CannotStart as error:
            refused.append(error.key)

    assert await run_bot(settings_for(tmp_path, vcc_http_port=0), beside) == 0
    assert refused == ["config.second_bot"]
