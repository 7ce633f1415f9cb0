"""A place in memory for who dies again and again: what is killed must sync, and need not wait for a disk. A kill loses neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.ops.tree_parts import memory


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory."""
    yield from memory()
