"""Incidents at Discord's door: a channel where one may be made, a thread where not or when it is gone, notes by pinning."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.command import Group
from bot.model import Account
from bot.testing.waiting import until
from commands import incident, status
from tests.platforms.discord import FakeDiscord, Oracle
from tests.platforms.discord.library import pointed_at
from tests.platforms.discord.records import MANAGE_CHANNELS, SEND_MESSAGES
from tests.platforms.discord_stories import House, Works, house, team_in, texts


class Incidents(Works):
    """The commands of these tests, and of incidents."""

    def groups(self) -> tuple[Group, ...]:
        return (*super().groups(), incident.group, status.group)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(oracle=Oracle.present()) as server:
        with pointed_at(server.api_url, server.gateway_url):
            yield server
        assert server.rest.violations == []
        assert server.notifications == []


@pytest.fixture
async def bot(fake: FakeDiscord, tmp_path: Path) -> AsyncIterator[House]:
    team, announced = team_in(fake), fake.add_channel("incidents")
    channels = (Account("discord", str(announced)),)
    async with house(fake, tmp_path, team=team, works=Incidents(), vcc_channel_incidents=channels) as running:
        yield running


def announced(bot: House) -> int:
    return next(channel.id for channel in bot.fake.world.channels.values() if channel.name == "incidents")


def rooms(bot: House) -> list[int]:
    return [channel.id for channel in bot.fake.world.channels.values() if channel.name.startswith("inc-")]


async def opened(bot: House, kind: str = "service") -> None:
    await bot.answer(bot.olga, "vcc incident open", {"kind": kind, "title": "login fails"})


async def room_of(bot: House) -> int:
    await bot.fake.until(lambda: len(rooms(bot)) == 1 and len(bot.visible(rooms(bot)[0])) == 2, 10)
    return rooms(bot)[0]


async def test_an_incident_has_a_channel_where_its_buttons_and_commands_work(bot: House) -> None:
    await opened(bot)
    room = await room_of(bot)
    assert bot.fake.world.channels[room].topic == "Incident #1 Service incident — login fails"
    overview = next(message for message in bot.visible(room) if "Save and read" in texts(message))
    await bot.fake.press(bot.olga, overview.id, "Step 2: done")
    await bot.fake.until(lambda: "▶ 3." in texts(overview))
    delivery = await bot.fake.slash(bot.ada, room, "vcc incident note", {"text": "seen at noon"})
    assert "Kept with incident #1" in texts(await delivery.until_finished(10))


async def test_a_channel_made_before_a_crash_is_found_again(bot: House) -> None:
    await opened(bot)
    room = await room_of(bot)
    await bot.app.store.write(lambda db: db.execute("UPDATE incident_rooms SET state = 'wanted', channel = ''"))
    await bot.app.incidents.watch.round()
    assert rooms(bot) == [room]


async def test_without_the_right_to_make_channels_it_goes_on_in_the_thread(bot: House) -> None:
    world = bot.fake.world
    for role in world.roles.values():
        role.permissions &= ~MANAGE_CHANNELS
    await opened(bot)
    await bot.fake.until(lambda: bot.visible(announced(bot)) and bot.visible(announced(bot))[0].thread_id is not None, 10)
    thread = bot.visible(announced(bot))[0].thread_id
    assert thread is not None
    await bot.fake.until(lambda: len(bot.visible(thread)) == 2, 10)
    assert not rooms(bot)
    await opened(bot, "security")
    delivery = await bot.fake.slash(bot.ada, thread, "vcc incident note", {"text": "seen at noon"})
    assert "Kept with incident #1" in texts(await delivery.until_finished(10))


async def test_the_check_warns_that_incidents_would_get_no_channel(bot: House) -> None:
    bot.fake.world.bot_role.permissions &= ~MANAGE_CHANNELS
    well, warned = await bot.door.check(bot.app.words)
    assert (well.state, warned.state, warned.part) == ("ok", "warn", "discord rooms")
    assert "Manage Channels" in warned.fix


@pytest.mark.parametrize("fault", ["deleted", "closed"])
async def test_a_channel_that_is_gone_is_told_below_the_announcement(bot: House, fault: str) -> None:
    await opened(bot)
    room = await room_of(bot)
    if fault == "deleted":
        del bot.fake.world.channels[room]
    else:
        bot.fake.deny(room, SEND_MESSAGES)
    await bot.answer(bot.olga, "vcc incident assign", {"who": f"discord:{bot.ada}"})

    async def told() -> bool:
        await bot.app.incidents.watch.round()
        thread = bot.visible(announced(bot))[0].thread_id
        return thread is not None and any("can no longer be used" in texts(message) for message in bot.visible(thread))

    await until(told, "the thread is told")
    thread = bot.visible(announced(bot))[0].thread_id
    await bot.fake.until(lambda: any(f"Lead: discord:{bot.ada}" in texts(each) for each in bot.visible(thread)), 10)


async def test_a_pinned_message_becomes_a_note_of_whoever_pinned_it_once(bot: House) -> None:
    await opened(bot)
    room = await room_of(bot)
    said = await bot.fake.say(bot.ada, room, "it's “the cache” --incident 9")
    elsewhere = await bot.fake.say(bot.ada, bot.ops, "hello")
    for message in (said, elsewhere, said):
        await bot.fake.pin(bot.olga, message)
    await bot.fake.until(lambda: any("Kept with incident #1" in texts(message) for message in bot.visible(room)), 10)
    found = await bot.app.incidents.book.get(1)
    assert found is not None
    notes = [entry for entry in await bot.app.incidents.book.timeline(found) if entry.what == "note"]
    assert [entry.person for entry in notes] == [f"discord:{bot.olga}"]
    assert notes[0].text.startswith(f"discord:{bot.ada}: ")
