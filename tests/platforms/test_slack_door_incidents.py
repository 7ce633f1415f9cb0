"""Incidents at Slack's door: a channel with its people, found again, archived; without the right to make one a thread; notes by pinning."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from commands import incident, status
from tests.platforms.slack import FakeSlack, Message
from tests.platforms.slack.world import BOT_USER, Channel
from tests.platforms.slack_house import House, house, text_of, workspace

MORE = {"VCC_LANG": "en", "VCC_CHANNEL_INCIDENTS": "slack:C2"}
OPEN = "incident open service 로그인이 안 됨 --service Backend_API"
GROUPS = (incident.group, status.group)


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        fake.add_channel("C2", "incidents")
        yield fake


def rooms(slack: FakeSlack) -> list[Channel]:
    return [channel for channel in slack.site.world.channels.values() if channel.name.startswith("inc-")]


async def room_of(bot: House) -> Channel:
    await bot.until(lambda: len(rooms(bot.slack)) == 1 and len(bot.messages(rooms(bot.slack)[0].id)) == 2)
    return rooms(bot.slack)[0]


def overview(bot: House, room: Channel) -> Message:
    return next(message for message in bot.messages(room.id) if "Isolate" in text_of(message) or "Save and read" in text_of(message))


async def test_an_incident_has_a_channel_with_its_people_its_topic_and_buttons_that_work_there(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, MORE, also=GROUPS) as bot:
        await slack.slash("U3", "C1", text=OPEN)
        room = await room_of(bot)
        assert room.name.startswith("inc-1-backend-api-20")
        assert room.members == {"U1", "U2", "U3"}
        assert room.topic == "Incident #1 Service incident — 로그인이 안 됨"
        await slack.press("U3", overview(bot, room), "Step 2: done")
        await bot.until(lambda: "▶ 3." in text_of(overview(bot, room)))
        await slack.slash("U9", room.id, text="incident note x")
        await bot.until(lambda: slack.ephemerals("U9"))
        await slack.slash("U1", room.id, text="incident resolve all well")
        await bot.until(lambda: slack.files(room.id) and slack.files("C2"))
        assert slack.files("C2")[0].bytes.decode().startswith("# Incident")


async def test_people_of_a_group_are_let_in_too(slack: FakeSlack, tmp_path: Path) -> None:
    slack.add_user("U7", "mina")
    slack.add_group("S1", "ops-team", ["U7", "U3", BOT_USER])
    more = {**MORE, "VCC_OPERATORS": "slack-group:S1,slack-group:S2"}
    async with house(slack, tmp_path, more, also=GROUPS) as bot:
        await slack.slash("U1", "C1", text="incident open security somebody got in")
        await bot.until(lambda: rooms(slack) and bot.messages(rooms(slack)[0].id))
        (room,) = rooms(slack)
        assert room.private
        assert room.members == {"U1", "U2", "U3", "U7"}


async def test_a_channel_made_before_a_crash_is_found_again_but_not_somebody_elses(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, MORE, also=GROUPS) as bot:
        await slack.slash("U3", "C1", text=OPEN)
        room = await room_of(bot)
        await bot.app.store.write(lambda db: db.execute("UPDATE incident_rooms SET state = 'wanted', channel = ''"))
        await bot.app.incidents.watch.round()
        (again,) = rooms(slack)
        assert again.id == room.id
        room.creator = "U9"
        await bot.app.store.write(lambda db: db.execute("UPDATE incident_rooms SET state = 'wanted', channel = ''"))
        await bot.app.incidents.watch.round()
        assert sorted(channel.name for channel in rooms(slack)) == [room.name, f"{room.name}-2"]
        assert {channel.creator for channel in rooms(slack)} == {"U9", BOT_USER}


@pytest.mark.parametrize("refusal", ["missing_scope", "restricted_action"])
async def test_without_the_right_to_make_channels_it_goes_on_in_the_thread(slack: FakeSlack, tmp_path: Path, refusal: str) -> None:
    if refusal == "missing_scope":
        slack.scopes.difference_update({"channels:manage", "groups:write"})
    else:
        slack.fail("conversations.create", error=refusal)
    async with house(slack, tmp_path, MORE, also=GROUPS) as bot:
        await slack.slash("U3", "C1", text=OPEN)
        announced, *_ = await bot.posted(3, "C2")
        assert not rooms(slack)
        assert {message.thread_ts for message in bot.messages("C2")[1:]} == {announced.ts}
        root = f"<@{slack.bot_user}> incident note seen at noon"
        await slack.slash("U3", "C1", text="incident open security")
        await bot.until(lambda: len([each for each in bot.messages("C2") if not each.thread_ts]) == 2)
        await slack.say("U3", "C2", root, thread_ts=announced.ts)
        await bot.until(lambda: any("Kept with incident #1" in text_of(each) for each in bot.messages("C2")))


async def test_an_archived_channel_is_told_below_the_announcement(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, MORE, also=GROUPS) as bot:
        await slack.slash("U3", "C1", text=OPEN)
        room = await room_of(bot)
        room.archived = True
        await slack.slash("U3", "C1", text="incident assign slack:U1 --incident 1")
        await bot.settled()
        await bot.app.incidents.watch.round()
        await bot.until(lambda: any("can no longer be used" in text_of(each) for each in bot.messages("C2")))
        await bot.settled()
        below = [text_of(each) for each in bot.messages("C2") if each.thread_ts]
        assert sum("Lead:" in text and "slack:U1" in text and "▶" not in text for text in below) == 1


async def test_a_pinned_message_becomes_a_note_of_whoever_pinned_it_once(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, MORE, also=GROUPS) as bot:
        await slack.slash("U3", "C1", text=OPEN)
        room = await room_of(bot)
        await slack.say("U1", room.id, "it's “the cache” --incident 9 & more")
        said = slack.messages(room.id)[-1]
        await (await slack.pin("U3", said)).acked()
        await bot.until(lambda: any("Kept with incident #1" in text_of(each) for each in bot.messages(room.id)))
        await (await slack.pin("U3", said)).acked()
        await slack.say("U1", "C1", "hello")
        await (await slack.pin("U3", slack.messages("C1")[-1])).acked()
        await bot.settled()
        found = await bot.app.incidents.book.get(1)
        assert found is not None
        notes = [entry for entry in await bot.app.incidents.book.timeline(found) if entry.what == "note"]
        assert [(entry.person, entry.text) for entry in notes] == [("slack:U3", 'slack:U1: it\'s "the cache" --incident 9 & more')]
