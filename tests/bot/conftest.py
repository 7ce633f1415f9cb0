"""The bot with the demo commands, for every test of the corridor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing.bot import Bot, a_bot
from tests.bot.demo import Demo


@pytest.fixture
async def demo() -> Demo:
    """The demo commands and their world."""
    return Demo()


@pytest.fixture
async def bot(tmp_path: Path, demo: Demo) -> AsyncIterator[Bot]:
    """A bot of two admins, an operator and a viewer, on chats in memory."""
    async with a_bot(tmp_path, *demo.groups) as bot:
        yield bot
