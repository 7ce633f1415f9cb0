"""The book of checklists: a reminder stands once wherever the report does."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from bot.model import Account, Place
from bot.store import message_rows
from bot.store.codec import reply_from
from bot.testing.bot import OPS, a_bot
from commands import checklist

LIST = """
[mine]
title = { ko = "우리 점검", en = "Ours" }
items = [{ id = "secure", title = { ko = "보안", en = "Security" }, by = "operator" }]
"""


def _shown_too(db: Database, reference: str, place: Place) -> None:
    """As a schedule with several channels does."""
    (first,) = message_rows.of_answer(db, reference)
    (content,) = db.execute("SELECT content FROM messages WHERE id = ?", (first,)).fetchone()
    message = message_rows.insert(db, place, Account("local", "-"), {}, 0.0)
    message_rows.show(db, message, reply_from(content), 0.0)


async def test_a_reminder_stands_once_wherever_the_report_does(tmp_path: Path) -> None:
    (tmp_path / "checklists.toml").write_text(LIST)
    async with a_bot(tmp_path, checklist.group, vcc_team_dir=tmp_path) as bot:
        await bot.types("slack:olga", "checklist run mine")
        (run,) = await bot.app.checklists.since(0)
        await bot.app.store.write(lambda db: _shown_too(db, run.reference, OPS["discord"]))
        for _ in range(2):  # the second as after a crash between the two
            await bot.types("slack:olga", "checklist remind 1")
        await bot.shown("discord")
        report, reminder = (post.reply for post in bot.chats["discord"].at(OPS["discord"]))
        assert report.reference == run.reference
        assert reminder.title == "Ours — 1 to sign for 0s"
        assert [button.types for button in reminder.buttons] == ["checklist sign 1-secure"]
