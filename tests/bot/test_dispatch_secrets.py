"""No secret leaves: not in an answer, a card, the record or the log."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from sqlite_utils import Database

from bot import journal
from bot.model import Fact
from bot.testing.bot import Bot
from tests.bot.demo import SECRET, Demo, rejected
from tests.bot.test_approvals import asked, settled


async def everything_in(bot: Bot, table: str) -> str:
    """All that a table of the state file holds."""

    def work(db: Database) -> str:
        return repr(list(db.query(f"SELECT * FROM {table}")))

    return await bot.app.store.read(work)


async def test_no_secret_leaves_in_any_part_of_an_answer(bot: Bot) -> None:
    reply = await bot.types("slack:vera", "demo leak")
    await bot.shown()
    assert "hunter22" not in repr(reply)
    assert "hunter22" not in repr(bot.chats["slack"].posts)
    for table in ("audit", "messages", "requests"):
        assert "hunter22" not in await everything_in(bot, table), table


async def test_a_secret_that_somebody_types_is_not_recorded(bot: Bot) -> None:
    await bot.types("slack:olga", f"demo change {SECRET}")
    await bot.shown()
    for table in ("audit", "messages", "requests"):
        assert "hunter22" not in await everything_in(bot, table), table


async def test_a_secret_in_a_plan_is_on_no_card_and_not_on_the_record(bot: Bot, demo: Demo) -> None:
    demo.title = SECRET
    demo.facts = (Fact("uri", "Address", SECRET, SECRET),)
    number = await asked(bot)
    await bot.types("slack:ada", f"deny {number} because {SECRET}")
    await settled(bot)
    assert bot.chats["discord"].cards(number)
    for chat in bot.chats.values():
        assert "hunter22" not in repr(chat.posts)
    assert "hunter22" not in repr(await bot.audit())


async def test_no_secret_reaches_the_log(bot: Bot, demo: Demo, tmp_path: Path) -> None:
    root = journal.begin(tmp_path, bot.app.redactor, quiet=True)
    try:
        await bot.types("slack:vera", "demo fail")
        demo.failure = rejected()
        await bot.types("slack:vera", "demo fail")
        logging.getLogger("vcc.test").warning("odd \ud800 letters from %s", SECRET)
    finally:
        journal.end(root)
    written = (tmp_path / "log" / "vcc.log").read_text(encoding="utf-8")
    assert "RuntimeError" in written
    assert "auth failed" in written
    assert "letters from" in written
    assert "hunter22" not in written


async def test_an_invisible_letter_does_not_hide_a_secret_from_the_record(bot: Bot) -> None:
    await bot.types("slack:vera", "demo read " + SECRET.replace("hunter22", "hun\u200bter22"))
    assert all("ter22" not in json.dumps(row) for row in await bot.audit())
