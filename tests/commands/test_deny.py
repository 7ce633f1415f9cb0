"""``deny``: nothing runs, and both people see why."""

from __future__ import annotations

from pathlib import Path

from bot.model import Outcome
from bot.testing.bot import a_bot
from tests.bot.demo import Demo


async def test_a_denial_says_what_will_not_run_and_keeps_the_reason(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        number = (await bot.types("slack:olga", "demo wipe")).ticket
        reply = await bot.types("slack:ada", f"deny {number} not before the backup")
        assert (reply.outcome, reply.title, reply.text) == (Outcome.DONE, f"Closed #{number}", '"demo wipe" will not run.')
        (row,) = [row for row in await bot.audit() if row["event"] == "denied"]
        assert "not before the backup" in row["detail"]
        assert row["person"] == "ada"


async def test_a_ticket_is_closed_once(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        number = (await bot.types("slack:olga", "demo wipe")).ticket
        await bot.types("slack:olga", f"deny {number}")
        reply = await bot.types("slack:ada", f"deny {number}")
        assert reply.data["reason"] == "approvals.already.withdrawn"
        assert "olga" in reply.text
