"""The terminal's door: one line and its answer, or a conversation."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.connectors import console
from bot.model import Account, Outcome, Reply
from bot.testing.bot import Bot, a_bot
from tests.bot.demo import Demo
from tests.bot.test_dispatch import fill_the_disk

VERA = Account("local", "vera")


@pytest.fixture
async def demo() -> Demo:
    """The demo commands."""
    return Demo()


@pytest.fixture
async def bot(tmp_path: Path, demo: Demo) -> AsyncIterator[Bot]:
    """A bot without chats."""
    async with a_bot(tmp_path, *demo.groups, platforms=()) as bot:
        yield bot


async def test_a_line_is_answered_and_recorded_as_typed_at_the_console(bot: Bot) -> None:
    reply = await console.ask(bot.app.dispatch, bot.app.words, "demo read hello", VERA)
    assert (reply.title, reply.text) == ("read", "hello")
    assert {row["place"] for row in await bot.audit()} == {"local:console"}


async def test_the_same_line_twice_is_two_requests(bot: Bot, demo: Demo) -> None:
    for _ in range(2):
        await console.ask(bot.app.dispatch, bot.app.words, "demo read", VERA)
    assert len(demo.ran) == 2


async def test_a_full_disk_is_an_answer_and_not_a_traceback(bot: Bot, demo: Demo) -> None:
    await fill_the_disk(bot)
    reply = await console.ask(bot.app.dispatch, bot.app.words, "demo read " + "x" * 400, VERA)
    assert reply.outcome is Outcome.REFUSED
    assert "Nothing was run" in reply.text


def test_json_is_one_object() -> None:
    out = io.StringIO()
    assert console.print_reply(Reply("done"), as_json=True, out=out) == 0
    assert json.loads(out.getvalue())["title"] == "done"


def test_a_reply_goes_to_the_terminal_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.print_reply(Reply("done", outcome=Outcome.PENDING), as_json=False) == 4
    assert capsys.readouterr().out == "· done\n"


@pytest.mark.parametrize("end", ["exit\n", "quit\n", ""])
async def test_a_conversation_lasts_until_somebody_leaves(bot: Bot, demo: Demo, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"demo read one\n\nnonsense\n{end}"))
    out = io.StringIO()
    await console.converse(bot.app.dispatch, bot.app.words, VERA, out)
    assert out.getvalue().startswith('You are local:vera. "help"')
    assert "· read\none" in out.getvalue()
    assert "Unknown command" in out.getvalue()
    assert demo.ran == ["demo read one"]
