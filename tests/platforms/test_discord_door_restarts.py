"""Stories on the wire: the bot is stopped or dies in the middle, and is started again on the same state. The real discord.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import request_rows
from bot.testing.waiting import until
from tests.platforms.discord import FakeDiscord, Oracle
from tests.platforms.discord.library import pointed_at
from tests.platforms.discord_stories import House, Works, house, team_in, texts


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(oracle=Oracle.present()) as server:
        with pointed_at(server.api_url, server.gateway_url):
            yield server
        assert server.rest.violations == []


async def test_an_answer_on_its_way_at_a_stop_arrives_after_the_start(fake: FakeDiscord, tmp_path: Path) -> None:
    team, works = team_in(fake), Works()
    async with house(fake, tmp_path, team=team, works=works) as first:
        fake.fail(r"PATCH /webhooks/", "hang")
        await fake.slash(first.ada, first.ops, "vcc try echo", {"text": "on its way"})
        await until(lambda: bool(works.ran), "it ran")
    fake.heal()
    async with house(fake, tmp_path, team=team, works=works) as second:
        await fake.until(lambda: any("on its way" in texts(message) for message in second.visible()))
        await second.answer(second.ada, "vcc try echo", {"text": "later"})
        assert ["on its way" in texts(message) for message in second.visible()] == [True, False]
    assert works.ran == ["echo on its way", "echo later"]


async def test_a_request_taken_in_at_a_stop_runs_once_and_is_answered_after_the_start(fake: FakeDiscord, tmp_path: Path) -> None:
    team, works = team_in(fake), Works()
    async with house(fake, tmp_path, team=team, works=works) as first:
        fake.fail(r"POST /interactions/", "hang")
        await fake.slash(first.ada, first.ops, "vcc try echo", {"text": "taken in"})
        await until(lambda: _taken_in(first), "it is on the record")
    fake.heal()
    async with house(fake, tmp_path, team=team, works=works) as second:
        await fake.until(second.visible)
        await second.answer(second.ada, "vcc try echo", {"text": "later"})
        assert ["taken in" in texts(message) for message in second.visible()] == [True, False]
    assert works.ran == ["echo taken in", "echo later"]


async def _taken_in(bot: House) -> bool:
    return bool(await bot.app.store.read(request_rows.still_open))


async def test_a_typed_answer_on_its_way_at_a_stop_arrives_once(fake: FakeDiscord, tmp_path: Path) -> None:
    team, works = team_in(fake), Works()
    async with house(fake, tmp_path, team=team, works=works) as first:
        fake.fail(r"POST /channels/", "hang")
        await fake.say(first.ada, first.ops, f"<@{fake.application_id}> try echo typed")
        await until(lambda: bool(works.ran), "it ran")
    fake.heal()
    async with house(fake, tmp_path, team=team, works=works) as second:
        await fake.until(second.visible)
        await second.answer(second.ada, "vcc try echo", {"text": "later"})
        assert ["typed" in texts(message) for message in second.visible()] == [True, False]


async def test_work_that_a_stop_interrupted_is_told_in_its_message(fake: FakeDiscord, tmp_path: Path) -> None:
    team, works = team_in(fake), Works()
    async with house(fake, tmp_path, team=team, works=works) as first:
        delivery = await fake.slash(first.ada, first.ops, "vcc try slow")
        message = await delivery.until_finished()
        await first.app.dispatch.stop(0.1)
    async with house(fake, tmp_path, team=team, works=works) as second:
        await fake.until(lambda: "R-" in texts(message))
        assert second.visible() == [message]
    assert works.ran == []


async def test_the_commands_are_registered_anew_only_as_one_list(fake: FakeDiscord, tmp_path: Path) -> None:
    team = team_in(fake)
    for _ in range(2):
        async with house(fake, tmp_path, team=team):
            assert [root["name"] for root in fake.commands] == ["vcc"]


async def test_commands_that_cannot_be_registered_leave_mentions_working_and_are_named_by_the_check(
    fake: FakeDiscord, tmp_path: Path
) -> None:
    fake.fail(r"PUT /applications/", 403)
    async with house(fake, tmp_path) as bot:
        await fake.say(bot.ada, bot.ops, f"<@{fake.application_id}> try echo typed")
        await fake.until(bot.visible)
        assert ["not registered" in finding.text for finding in await bot.door.check(bot.app.words)] == [True]
