"""``approvals``: what waits, since when, and for how long still."""

from __future__ import annotations

from pathlib import Path

from bot.testing.bot import a_bot
from tests.bot.demo import Demo


async def test_nothing_waits_at_first(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        reply = await bot.types("slack:vera", "approvals")
        assert (reply.title, reply.data) == ("No ticket waits for approval", [])


async def test_open_tickets_are_listed_oldest_first_with_the_time_left(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        first = (await bot.types("slack:olga", "demo wipe")).ticket
        bot.forward(600)
        second = (await bot.types("slack:ada", "wipe")).ticket
        reply = await bot.types("slack:vera", "approvals")
        assert [row["ticket"] for row in reply.data] == [first, second]
        assert [row["asker"] for row in reply.data] == ["olga", "ada"]
        assert reply.tables[0].rows[0][:4] == (f"#{first}", "olga", "demo wipe", "Wipe")
        assert reply.tables[0].rows[0][4].startswith("20")


async def test_a_ticket_that_ran_out_or_was_denied_is_not_listed(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        await bot.types("slack:olga", "demo wipe")
        bot.forward(1_790)
        denied = (await bot.types("slack:olga", "demo wipe")).ticket
        await bot.types("slack:ada", f"deny {denied}")
        bot.clock.forward(20)
        assert (await bot.types("slack:vera", "approvals")).data == []
