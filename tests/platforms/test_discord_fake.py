"""The real discord.py against our fake of Discord: commands, buttons, answers, expiries. Knows nothing of our bot."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest

from .discord import FakeDiscord, NotOffered
from .discord.library import connector_to, make_client, pointed_at, running
from .discord.sample_bot import SampleBot


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(oracle=True) as server:
        with pointed_at(server.api_url, server.gateway_url):
            yield server
        assert server.violations == []


async def test_a_command_is_deferred_answered_and_followed_up(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        delivery = await fake.slash(ada, ops, "vcc status")
        message = await delivery.until_finished()
        followups = await delivery.until_followups(1)
    assert (message.content, message.embeds[0]["fields"][0]["value"]) == ("all well", "0")
    assert (delivery.answer or {})["type"] == 5
    assert message.ephemeral_to is None
    assert followups[0].ephemeral_to == ada
    assert (followups[0].attachments[0].filename, followups[0].attachments[0].data) == ("figures.csv", b"a,b\n")
    assert [(call.method, call.status) for call in fake.calls][-3:] == [("POST", 200), ("PATCH", 200), ("POST", 200)]


async def test_typed_options_reach_the_bot_and_the_client_refuses_what_was_not_declared(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        delivery = await fake.slash(ada, ops, "vcc queue jobs", {"state": "failed", "limit": 3})
        message = await delivery.until_finished()
        assert (message.content, message.ephemeral_to) == ("failed  3", ada)
        refused: list[tuple[str, dict[str, Any]]] = [
            ("vcc queue clean", {}),
            ("vcc queue", {}),
            ("other", {}),
            ("vcc queue jobs", {}),
            ("vcc queue jobs", {"state": "lost"}),
            ("vcc queue jobs", {"state": "failed", "limit": "3"}),
            ("vcc queue jobs", {"state": "failed", "limit": 51}),
            ("vcc queue jobs", {"state": "failed", "stranger": 1}),
        ]
        for path, options in refused:
            with pytest.raises(NotOffered):
                await fake.slash(ada, ops, path, options)


async def test_autocomplete_offers_what_the_bot_says(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        offered = await fake.autocomplete(ada, ops, "vcc queue jobs", {"queue": "ima"}, focused="queue")
        assert [choice["value"] for choice in offered] == ["image-processing"]
        with pytest.raises(NotOffered):
            await fake.autocomplete(ada, ops, "vcc queue jobs", {"limit": 1}, focused="limit")


async def test_a_button_outlives_the_client_that_made_it(fake: FakeDiscord) -> None:
    ada, ben, ops = fake.add_member("ada"), fake.add_member("ben"), fake.add_channel("ops")
    first = SampleBot(fake)
    async with running(first.client, fake, first.tree):
        card = await (await fake.slash(ada, ops, "vcc card")).until_finished()
    second = SampleBot(fake)
    async with running(second.client, fake):
        delivery = await fake.press(ben, card.id, "Acknowledge")
        await delivery.until_answered()
    assert card.content == "acknowledged 7 by ben"
    assert card.edits == ["a card"]
    with pytest.raises(NotOffered):
        await fake.press(ben, card.id, "Acknowledge")


async def test_a_second_delivery_is_refused_as_already_answered(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        delivery = await fake.slash(ada, ops, "vcc card")
        await delivery.until_finished()
        await fake.redeliver(delivery)
        await fake.until(lambda: delivery.refusals)
    assert [refusal.code for refusal in delivery.refusals] == [40060]
    assert len(fake.messages(ops)) == 1


async def test_two_processes_on_one_token_both_get_the_interaction(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    one, two = SampleBot(fake), SampleBot(fake)
    async with running(one.client, fake, one.tree), running(two.client, fake):
        delivery = await fake.slash(ada, ops, "vcc card")
        await fake.until(lambda: delivery.answered and delivery.refusals)
    assert [refusal.code for refusal in delivery.refusals] == [40060]
    assert len(fake.messages(ops)) == 1


async def test_an_answer_after_three_seconds_is_refused(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    bot.hold.clear()
    async with running(bot.client, fake, bot.tree):
        delivery = await fake.slash(ada, ops, "vcc status")
        fake.clock.advance(3.1)
        assert delivery.did_not_respond
        bot.hold.set()
        await fake.until(lambda: delivery.refusals)
    assert [refusal.code for refusal in delivery.refusals] == [10062]
    assert fake.messages(ops) == []


async def test_the_token_of_an_interaction_dies_after_fifteen_minutes(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        await (await fake.slash(ada, ops, "vcc card")).until_finished()
        fake.clock.advance(901)
        with pytest.raises(discord.HTTPException) as caught:
            await bot.seen[-1].edit_original_response(content="too late")
    assert (caught.value.status, caught.value.code) == (401, 50027)


async def test_a_modal_is_opened_filled_in_and_answered(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        opened = await fake.slash(ada, ops, "vcc confirm")
        await opened.until_answered()
        delivery = await fake.submit(opened, {"code": "4711"})
        message = await delivery.until_finished()
    assert message.content == "typed 4711"
    with pytest.raises(NotOffered):
        await fake.submit(opened, {"code": ""})


async def test_members_and_their_roles_arrive_and_follow_changes(fake: FakeDiscord) -> None:
    ada = fake.add_member("ada")
    operators = fake.add_role("operators", [ada])
    client = make_client()
    async with running(client, fake):
        guild = client.get_guild(fake.guild_id)
        assert guild is not None
        member = guild.get_member(ada)
        assert member is not None
        assert operators in [role.id for role in member.roles]
        changed = client.wait_for("member_update", timeout=60)
        fake.remove_role(ada, operators)
        await changed
        assert operators not in [role.id for role in member.roles]
        fetched = await guild.fetch_member(ada)
        assert [role.id for role in fetched.roles] == [fake.guild_id]
        assert ada in [found.id async for found in guild.fetch_members()]
        assert [found.id for found in await guild.query_members("ada")] == [ada]


async def test_two_clients_in_one_process_can_talk_to_two_fakes(fake: FakeDiscord) -> None:
    async with FakeDiscord() as other:
        with pointed_at("http://discord.test/api/v10", "ws://discord.test/"):
            one, two = make_client(connector=connector_to(fake)), make_client(connector=connector_to(other))
            async with running(one, fake), running(two, other):
                assert [guild.id for guild in one.guilds] == [fake.guild_id]
                assert [guild.id for guild in two.guilds] == [other.guild_id]


async def test_what_a_client_sends_without_interaction(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    client = make_client()
    async with running(client, fake):
        channel = client.get_channel(ops)
        assert isinstance(channel, discord.TextChannel)
        async with channel.typing():
            sent = await channel.send("report", file=discord.File(io.BytesIO(b"x" * 100), "report.txt"), nonce="n-1")
        again = await channel.send("report", nonce="n-1")
        thread = await sent.create_thread(name="follow")
        await thread.send("line")
        alone = await channel.create_thread(name="alone", type=discord.ChannelType.public_thread)
        await sent.pin()
        assert [pin.id async for pin in channel.pins()] == [sent.id]
        assert await sent.attachments[0].read() == b"x" * 100
        edited = await sent.edit(content="changed", attachments=[])
        guild = client.get_guild(fake.guild_id)
        member = guild.get_member(ada) if guild else None
        assert guild is not None
        assert member is not None
        await member.send("psst")
        incident = await guild.create_text_channel("Incident 7", topic="down")
        await again.delete()
    assert again.id == sent.id
    assert (thread.id, alone.parent_id, edited.attachments, incident.name) == (sent.id, ops, [], "incident-7")
    assert [message.content for message in fake.messages(thread.id)] == ["line"]
    assert fake.messages(ops) == []
