"""What the tests of the adapters share: the fake engine, started for one test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.ops.containers import Containers
from tests.bot.ops.fake_engine import FakeEngine, fake_engine


@pytest.fixture
def socket_directory() -> Iterator[Path]:
    """A directory with a path short enough for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="vcc") as directory:
        yield Path(directory)


@pytest.fixture
async def engine(socket_directory: Path) -> AsyncIterator[FakeEngine]:
    """A fake engine with no containers yet."""
    async with fake_engine(socket_directory) as running:
        yield running


@pytest.fixture
async def containers(engine: FakeEngine) -> AsyncIterator[Containers]:
    """The adapter on the fake engine, for the project ``vcc``."""
    adapter = Containers(engine.host, "vcc", deadline=5)
    yield adapter
    adapter.close()
