"""Stories on the wire: cards and their buttons on Discord, pressed by the right, the wrong and several people. The real discord.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.platforms.discord import FakeDiscord, Message, Oracle
from tests.platforms.discord.library import pointed_at
from tests.platforms.discord_stories import House, Works, house, labels, team_in, texts


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(oracle=Oracle.present()) as server:
        with pointed_at(server.api_url, server.gateway_url):
            yield server
        assert server.rest.violations == []
        assert server.notifications == []


@pytest.fixture
async def bot(fake: FakeDiscord, tmp_path: Path) -> AsyncIterator[House]:
    async with house(fake, tmp_path) as running:
        yield running


async def asked(bot: House, member: int | None = None) -> Message:
    """A card, open."""
    card = await bot.answer(member or bot.olga, "vcc sweep files")
    assert labels(card) == ["Approve", "Deny"]
    return card


async def until_says(bot: House, card: Message, text: str) -> None:
    await bot.fake.until(lambda: text in texts(card))


async def test_a_second_person_approves_and_the_card_shows_the_outcome(bot: House) -> None:
    card = await asked(bot)
    told = await bot.pressed(bot.ada, card, "Approve")
    assert told.ephemeral_to == bot.ada
    await until_says(bot, card, "Swept")
    assert bot.works.ran == ["swept 3"]
    assert labels(card) == []
    assert bot.visible() == [card]


async def test_nobody_approves_their_own_request(bot: House) -> None:
    card = await asked(bot, bot.ada)
    told = await bot.pressed(bot.ada, card, "Approve")
    assert "your own" in texts(told)
    assert told.ephemeral_to == bot.ada
    assert labels(card) == ["Approve", "Deny"]
    assert bot.works.ran == []


async def test_those_without_the_right_are_told_alone(bot: House) -> None:
    card = await asked(bot)
    for member, sentence in ((bot.vera, "role"), (bot.stranger, "not known")):
        told = await bot.pressed(member, card, "Approve")
        assert sentence in texts(told)
        assert told.ephemeral_to == member
    assert bot.works.ran == []


async def test_denying_closes_the_card(bot: House) -> None:
    card = await asked(bot)
    await bot.pressed(bot.ben, card, "Deny")
    await until_says(bot, card, "Denied")
    assert labels(card) == []
    assert bot.works.ran == []


async def test_two_people_pressing_at_once_run_it_once(bot: House) -> None:
    card = await asked(bot)
    custom_id = card.components[0]["components"][0]["custom_id"]
    presses = [await bot.fake.press(member, card.id, custom_id) for member in (bot.ada, bot.ben)]
    told = await asyncio.gather(*(press.until_finished() for press in presses))
    assert sorted("already" in texts(message) for message in told) == [False, True]
    await until_says(bot, card, "Swept")
    assert bot.works.ran == ["swept 3"]


async def test_a_card_can_be_approved_after_the_bot_was_started_again(fake: FakeDiscord, tmp_path: Path) -> None:
    team, works = team_in(fake), Works()
    async with house(fake, tmp_path, team=team, works=works) as first:
        card = await asked(first)
    async with house(fake, tmp_path, team=team, works=works) as second:
        await second.pressed(second.ada, card, "Approve")
        await until_says(second, card, "Swept")
    assert works.ran == ["swept 3"]
    assert len([message for message in fake.messages(team.ops) if message.ephemeral_to is None]) == 1


async def test_a_ticket_that_ran_out_says_so(bot: House) -> None:
    card = await asked(bot)
    bot.clock.ahead = 31 * 60
    told = await bot.pressed(bot.ada, card, "Approve")
    assert "expired" in texts(told).lower() or "ran out" in texts(told)
    assert bot.works.ran == []


@pytest.mark.parametrize(
    ("custom_id", "sentence"),
    [
        ("vcc:approve 999 --plan 0", "999"),
        ("vcc:approve 1 --plan 0000000000", "card"),
        ("vcc:approve 1; rm -rf /", "must be a number"),
        ("vcc:", "cannot be used"),
        ("other:approve 1", "cannot be used"),
    ],
)
async def test_a_button_that_was_tampered_with_does_nothing_but_say_so(bot: House, custom_id: str, sentence: str) -> None:
    card = await asked(bot)
    card.components[0]["components"][0]["custom_id"] = custom_id
    told = await bot.pressed(bot.ada, card, custom_id)
    assert told.ephemeral_to == bot.ada
    assert sentence in texts(told)
    assert bot.works.ran == []


async def test_a_plan_that_changed_is_asked_again_on_a_new_card(bot: House) -> None:
    card = await asked(bot)
    bot.works.size = 4
    await bot.pressed(bot.ada, card, "Approve")
    await bot.fake.until(lambda: len(bot.visible()) == 2)
    fresh = bot.visible()[1]
    assert "3 → 4" in texts(fresh)
    await bot.pressed(bot.ben, fresh, "Approve")
    await until_says(bot, fresh, "Swept")
    assert bot.works.ran == ["swept 4"]


async def test_an_approved_request_refused_in_the_end_says_so_on_its_card(bot: House) -> None:
    card = await asked(bot)
    bot.works.refuse = True
    await bot.pressed(bot.ada, card, "Approve")
    await until_says(bot, card, "4711")
    assert bot.visible() == [card]


async def test_a_button_whose_answer_is_for_all_posts_it_in_the_channel(bot: House) -> None:
    card = await bot.answer(bot.ada, "vcc try button")
    delivery = await bot.fake.press(bot.ada, card.id, "Echo")
    await bot.fake.until(lambda: len(bot.visible()) == 2)
    assert "from-the-button" in texts(bot.visible()[1])
    await bot.fake.until(lambda: delivery.message is None)
    assert "Unknown command" in texts(await bot.pressed(bot.ada, card, "Strange"))
