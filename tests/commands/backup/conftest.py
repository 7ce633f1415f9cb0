"""What the tests of the commands on backups share: a bot on the sandbox with a shelf of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.backup.shelf import Shelf
from tests.commands.conftest import Bot, MakeBot


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf that is there."""
    (tmp_path / "backups").mkdir()
    return Shelf(tmp_path / "backups")


@pytest.fixture
async def bot(make_bot: MakeBot, whole_sandbox: None, shelf: Shelf) -> Bot:
    """A bot that keeps its backups there."""
    return await make_bot(VCC_BACKUP_DIR=str(shelf.directory))
