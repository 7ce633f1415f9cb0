"""The SDK behind threads: connects once, when asked, and again after a failure."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.errors import TimedOut, Unreachable
from bot.ops.container_engine import Engine
from tests.bot.ops.fake_engine import FakeEngine
from tests.bot.ops.silent import silent_socket


async def test_nothing_is_asked_before_the_first_call_and_many_callers_connect_once(engine: FakeEngine) -> None:
    adapter = Engine(engine.host)
    assert engine.asked == []
    assert await asyncio.gather(*(adapter.call(lambda client: client.ping(), 5) for _ in range(10))) == [True] * 10
    assert engine.asked.count("GET version") == 1
    adapter.close()


async def test_the_engines_own_version_is_spoken(engine: FakeEngine) -> None:
    engine.api_version = "1.40"
    adapter = Engine(engine.host)
    assert await adapter.version(5) == "1.40"
    adapter.close()


async def test_a_first_failure_is_not_remembered(engine: FakeEngine, tmp_path: Path) -> None:
    adapter = Engine(f"unix://{engine.socket.parent}/later.sock")
    with pytest.raises(Unreachable):
        await adapter.version(5)
    engine.socket.rename(engine.socket.parent / "later.sock")
    assert await adapter.version(5) == "1.41"
    adapter.close()


async def test_threads_that_hang_come_back_by_themselves(socket_directory: Path) -> None:
    path = socket_directory / "d.sock"
    async with silent_socket(path):
        adapter = Engine(f"unix://{path}")
        with pytest.raises(TimedOut):
            await adapter.version(0.2)
        with pytest.raises(TimedOut):
            await adapter.version(0.2)
        adapter.close()
