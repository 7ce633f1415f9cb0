"""``approve``: in chat it answers at once and the card goes on; at the terminal its answer is the outcome."""

from __future__ import annotations

from pathlib import Path

from bot.model import Outcome
from bot.testing.bot import OPS, a_bot
from tests.bot.demo import Demo


async def test_in_chat_the_approver_hears_at_once_and_the_card_tells_the_end(tmp_path: Path) -> None:
    demo = Demo()
    demo.may_end.clear()
    async with a_bot(tmp_path, *demo.groups) as bot:
        number = (await bot.types("slack:olga", "demo wipe")).ticket
        reply = await bot.types("slack:ada", f"approve {number}")
        assert (reply.title, reply.private, reply.ticket) == (f"Approved #{number}", True, number)
        assert demo.applied == []
        demo.may_end.set()
        await bot.quiet()
        await bot.shown()
        assert [post.reply.title for post in bot.chats["slack"].at(OPS["slack"])] == ["wiped", f"Approved #{number}"]


async def test_at_the_terminal_the_answer_is_the_outcome(tmp_path: Path) -> None:
    demo = Demo()
    async with a_bot(tmp_path, *demo.groups) as bot:
        number = (await bot.types("local:olga", "demo wipe")).ticket
        demo.failure = RuntimeError("bug")
        reply = await bot.types("local:ada", f"approve {number}")
        assert reply.outcome is Outcome.CRASHED
        assert reply.ticket == number


async def test_a_ticket_needs_its_number(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        for line in ("approve", "approve x", "approve 0", "approve -1"):
            reply = await bot.types("slack:ada", line)
            assert reply.data["usage"] is True, line
