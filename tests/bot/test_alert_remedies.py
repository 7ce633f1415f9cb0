"""Remedies: offered so many times, counted from the record, and looked at afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.audit import new_reference
from bot.model import Account, Outcome, Reply
from bot.testing.bot import Bot, a_bot
from tests.bot.alerted import STATE, looks, notices, rule, titles

DOWN = rule(STATE, **{"for": "0s", "clear_for": "0s"})


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """The whole house on chats in memory."""
    async with a_bot(tmp_path) as bot:
        yield bot


async def ran(bot: Bot, line: str, outcome: Outcome = Outcome.DONE) -> None:
    """The record of a request that ended so."""
    asked = replace(bot.invocation("slack:olga", line), reference=new_reference(), approved_by=Account("slack", "ada"), ticket=1)
    accepted = await bot.app.audit.open(asked)
    assert accepted is not None
    await bot.app.audit.close(accepted, Reply("it ended", outcome=outcome), "Olga")


def buttons(bot: Bot) -> list[str]:
    return [button.types for button in notices(bot)[0].reply.buttons]


def said(bot: Bot) -> list[str]:
    return [post.reply.title for post in bot.chats["slack"].posts.values() if post.below]


async def test_a_remedy_is_a_button_that_types_the_line_and_needs_its_own_approval(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0)
    assert "restart backend" in buttons(bot)


async def test_it_is_said_that_it_ran_and_that_it_helped(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0)
    await ran(bot, "/vcc service restart backend")
    await looks(bot, DOWN, backend=1.0)
    await looks(bot, DOWN, backend=0.0)
    assert said(bot)[0].startswith('"restart backend" was run (Olga, 1 of 2)')
    assert said(bot)[1].startswith('Recovered after "restart backend"')


async def test_what_recovers_before_the_next_look_owes_it_to_the_remedy_too(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0)
    await ran(bot, "restart backend")
    await looks(bot, DOWN, backend=0.0)
    assert said(bot)[-1].startswith('Recovered after "restart backend"')


async def test_it_is_said_that_it_did_not_help_and_after_so_many_tries_the_button_is_gone(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0)
    for _ in range(2):
        await ran(bot, "restart backend", Outcome.FAILED)
        await looks(bot, DOWN, backend=1.0)
        await looks(bot, DOWN, after=241, backend=1.0)
    assert [line.partition("(")[0].strip() for line in said(bot)] == [
        '"restart backend" was run',
        'Goes on after "restart backend"',
        '"restart backend" was run',
        'Goes on after "restart backend" was run 2 time',
    ]
    assert "restart backend" not in buttons(bot)
    assert "its button is gone" in notices(bot)[0].reply.text


@pytest.mark.parametrize("outcome", [Outcome.PENDING, Outcome.REFUSED])
async def test_what_only_asked_or_was_refused_is_no_try(bot: Bot, outcome: Outcome) -> None:
    await looks(bot, DOWN, backend=1.0)
    await ran(bot, "restart backend", outcome)
    await looks(bot, DOWN, backend=1.0)
    assert said(bot) == []


async def test_what_ran_before_the_alert_or_for_another_service_is_no_try(bot: Bot) -> None:
    await ran(bot, "restart backend")
    await looks(bot, DOWN, backend=1.0)
    await ran(bot, "restart frontend")
    await looks(bot, DOWN, backend=1.0)
    assert said(bot) == []


async def test_tries_are_counted_across_a_restart(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        await looks(bot, DOWN, backend=1.0)
        await ran(bot, "restart backend")
        clock = bot.clock
    async with a_bot(tmp_path, clock=clock) as again:
        for _ in range(2):
            await looks(again, DOWN, backend=1.0)
        (alert,) = await again.app.alerts.open()
        assert alert.remedies == 1
        assert len(titles(again)) >= 1
