"""Stories on the wire: the real discord.py and the whole bot against the fake Discord. Commands, answers, rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.connectors.discord import DiscordDoor
from bot.model import Account
from tests.golden.replies import HOSTILE
from tests.platforms.discord import FakeDiscord, Oracle
from tests.platforms.discord.library import pointed_at
from tests.platforms.discord_stories import House, house, labels, texts


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


async def test_a_command_is_deferred_at_once_and_answered_in_the_same_message(bot: House) -> None:
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try echo", {"text": "hello", "tag": "x"})
    assert (await delivery.until_answered())["type"] == 5
    message = await delivery.until_finished()
    assert message.content == "✅ **Echo**"
    assert "hello" in texts(message)
    assert "**tag:** x" in texts(message)
    assert len(bot.visible()) == 1


async def test_typed_options_reach_the_command_as_they_were_filled_in(bot: House) -> None:
    given = {"state": "waiting", "service": "backend", "most-lines": 7, "since": "2h", "deep": True}
    assert "waiting/backend/7/7200/True" in texts(await bot.answer(bot.ada, "vcc try typed", given))
    assert "failed//50/60/False" in texts(await bot.answer(bot.ada, "vcc try typed", {"state": "failed", "deep": False}))


@pytest.mark.parametrize("text", ["--tag evil", "it’s \"both\" 'quotes'", "—tag x", "  a  b ", "-- --deep", "/vcc status"])
async def test_a_value_never_becomes_an_option(bot: House, text: str) -> None:
    message = await bot.answer(bot.ada, "vcc try echo", {"text": text})
    assert "**tag:** -" in texts(message)


async def test_long_work_shows_progress_in_the_one_message(bot: House) -> None:
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try slow")
    message = await delivery.until_finished()
    assert "3/10" in texts(message)
    bot.works.gate.set()
    await bot.fake.until(lambda: "all ten copied" in texts(message))
    assert len(bot.visible()) == 1


async def test_a_refusal_is_seen_by_the_asker_alone(bot: House) -> None:
    refusal = await bot.private(bot.vera, "vcc sweep files")
    assert refusal.ephemeral_to == bot.vera
    assert "operator" in texts(refusal)
    await bot.fake.until(lambda: not bot.visible())


async def test_a_stranger_and_a_strange_channel_are_refused_with_a_sentence(bot: House) -> None:
    assert "not known" in texts(await bot.private(bot.stranger, "vcc try echo"))
    elsewhere = bot.fake.add_channel("elsewhere")
    delivery = await bot.fake.slash(bot.ada, elsewhere, "vcc try echo")
    (refusal,) = await delivery.until_followups(1)
    assert "VCC\\_CHANNEL\\_OPS" in texts(refusal)
    assert bot.works.ran == []
    await bot.fake.until(lambda: not bot.visible(elsewhere))


async def test_a_crash_shows_its_reference_and_nothing_else(bot: House) -> None:
    message = await bot.answer(bot.ada, "vcc try crash")
    assert "R-" in texts(message)
    assert "hunter2" not in texts(message)


async def test_services_and_commands_are_completed_for_those_who_may_ask(bot: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.app, "_service_names", ("backend", "frontend", "redis"))
    offered = await bot.fake.autocomplete(bot.ada, bot.ops, "vcc try typed", {"service": "end"}, focused="service")
    assert [choice["value"] for choice in offered] == ["backend", "frontend"]
    offered = await bot.fake.autocomplete(bot.vera, bot.ops, "vcc help", {"command": "try e"}, focused="command")
    assert [choice["value"] for choice in offered] == ["try echo"]
    assert await bot.fake.autocomplete(bot.stranger, bot.ops, "vcc try typed", {"service": ""}, focused="service") == []


async def test_descriptions_are_in_korean_and_english(bot: House) -> None:
    (root,) = bot.fake.commands
    assert root["description"] == "VCC Manager operations"
    assert root["description_localizations"]["ko"] == "VCC Manager 운영 명령"
    assert root["description_localizations"]["en-US"] == "VCC Manager operations"


async def test_a_mention_followed_by_a_line_is_a_command(bot: House) -> None:
    said = await bot.fake.say(bot.ada, bot.ops, f"<@{bot.fake.application_id}> VCC try echo “a b” <@{bot.ben}>")
    await bot.fake.until(bot.visible)
    (answer,) = bot.visible()
    assert f"a b @\u200b{bot.ben}" in texts(answer)
    assert answer.reference is not None
    assert answer.reference["message_id"] == str(said.id)


async def test_a_refused_mention_is_answered_in_a_direct_message(bot: House) -> None:
    await bot.fake.say(bot.stranger, bot.ops, f"<@{bot.fake.application_id}> try echo hi")
    direct = bot.fake.world.direct_channel(bot.fake.world.member(bot.stranger)).id
    await bot.fake.until(lambda: bot.fake.messages(direct))
    assert "not known" in texts(bot.fake.messages(direct)[0])
    assert bot.visible() == []


async def test_a_refused_mention_of_somebody_without_direct_messages_is_answered_in_the_channel(bot: House) -> None:
    bot.fake.world.member(bot.stranger).accepts_direct = False
    await bot.fake.say(bot.stranger, bot.ops, f"<@{bot.fake.application_id}> try echo hi")
    await bot.fake.until(bot.visible)
    assert "not known" in texts(bot.visible()[0])


async def test_talk_that_does_not_begin_with_our_mention_is_none_of_ours(bot: House) -> None:
    await bot.fake.say(bot.ada, bot.ops, f"ask <@{bot.fake.application_id}> try echo hi")
    await bot.fake.say(bot.ada, bot.ops, "vcc try echo hi")
    await bot.answer(bot.ada, "vcc try echo", {"text": "after"})
    assert bot.works.ran == ["echo after"]


async def test_a_command_in_a_thread_belongs_to_its_channel_and_is_answered_in_the_thread(bot: House) -> None:
    guild = bot.door._client.get_guild(bot.fake.guild_id)
    thread = await guild.get_channel(bot.ops).create_thread(name="talk", type=None)
    delivery = await bot.fake.slash(bot.ada, thread.id, "vcc try echo", {"text": "inside"})
    assert "inside" in texts(await delivery.until_finished())
    await bot.fake.say(bot.ada, thread.id, f"<@{bot.fake.application_id}> try echo again")
    await bot.fake.until(lambda: any("again" in texts(message) for message in bot.visible(thread.id)))


@pytest.mark.parametrize("text", [HOSTILE, "@everyone <@&1> **x** `y` ```z``` [a](http://b) <#1> # h > q - l"])
async def test_foreign_text_is_inert(bot: House, text: str) -> None:
    message = await bot.answer(bot.ada, "vcc try echo", {"text": text})
    assert "@everyone" not in texts(message).split("```")[0]
    assert message.mentions.targets() == ()


async def test_a_long_answer_comes_with_the_whole_of_it_as_a_file(bot: House) -> None:
    message = await bot.answer(bot.ada, "vcc try long")
    (file,) = message.attachments
    assert b"line 699 of many" in file.data
    assert "attached file" in texts(message)


async def test_a_very_long_line_is_answered(bot: House) -> None:
    refusal = await bot.private(bot.ada, "vcc try echo", {"text": "x" * 6000})
    assert "6\u200b" not in texts(refusal)
    assert "2000" in texts(refusal)


async def test_the_same_interaction_delivered_twice_runs_once(bot: House) -> None:
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try echo", {"text": "once"})
    await bot.fake.redeliver(delivery)
    await delivery.until_finished()
    await bot.fake.until(lambda: delivery.refusals)
    assert [refusal.code for refusal in delivery.refusals] == [40060]
    assert (bot.works.ran, len(bot.visible())) == (["echo once"], 1)


async def test_roles_come_from_the_guild_and_are_asked_for_again_when_they_change(bot: House) -> None:
    vera = Account("discord", str(bot.vera))
    assert (await bot.app.gate.person_of(vera)).role.name == "VIEWER"
    bot.fake.set_roles(bot.vera, [])
    assert "not known" in texts(await bot.private(bot.vera, "vcc try echo"))


async def test_roles_that_cannot_be_looked_up_grant_nothing(bot: House) -> None:
    bot.fake.fail("GET /guilds/.*/members/", 403, times=9)
    assert (await bot.app.gate.person_of(Account("discord", str(bot.vera)))).role.name == "NOBODY"


async def test_a_set_up_that_is_well_is_said_to_be(bot: House) -> None:
    for door in (bot.door, DiscordDoor(bot.app.doors())):  # running, and not
        findings = await door.check(bot.app.words)
        assert [(finding.state, finding.part) for finding in findings] == [("ok", "discord")]
    assert labels(await bot.answer(bot.ada, "vcc try button")) == ["Echo", "Strange"]
