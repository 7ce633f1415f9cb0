"""Rows of messages: what stands below another one belongs to that one, or to none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.model import Account, Place, Reply
from bot.store import message_rows
from bot.store.engine import Store

PLACE, ASKER = Place("slack", "C1"), Account("slack", "U1")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    yield store
    store.close()


async def test_what_was_to_stand_below_a_forgotten_message_overwrites_no_other(store: Store) -> None:
    def work(db: Database) -> tuple[int, list[str]]:
        other = message_rows.insert(db, PLACE, ASKER, {}, 1.0)
        message_rows.show(db, other, Reply("another answer"), 1.0)
        below = message_rows.insert_below(db, 4711, 2.0)
        message_rows.show(db, below, Reply("lost"), 2.0)
        return below, [message.reply.title for message in message_rows.due(db, "slack", 3.0, 10)]

    assert await store.write(work) == (0, ["another answer"])
