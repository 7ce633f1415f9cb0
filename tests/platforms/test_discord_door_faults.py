"""Stories on the wire: lines that break, answers that are lost, limits, a record that cannot be written. The real discord.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.app import App
from bot.connectors.discord import DiscordDoor
from bot.connectors.discord_client import Pace
from bot.errors import RecordUnwritable
from bot.model import Invocation
from bot.testing.waiting import until
from tests.platforms.discord import FakeDiscord, Oracle
from tests.platforms.discord.library import pointed_at
from tests.platforms.discord_stories import House, house, team_in, texts

# For the tests of a line gone dead alone: on any other, a machine that stands still for a moment would look like one.
QUICK = Pace(probe_every=0.1, probe_within=1.0)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(oracle=Oracle.present()) as server:
        with pointed_at(server.api_url, server.gateway_url):
            yield server
        assert server.rest.violations == []


@pytest.fixture
async def bot(fake: FakeDiscord, tmp_path: Path) -> AsyncIterator[House]:
    async with house(fake, tmp_path) as running:
        yield running


def quick(app: App) -> None:
    """The same door, looking after its line more often."""
    app.add(DiscordDoor(app.doors(), QUICK))


async def test_the_line_cut_in_the_middle_of_a_command_is_resumed_and_answered_once(bot: House) -> None:
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try slow")
    await delivery.until_finished()
    bot.fake.drop_gateway()
    await bot.fake.until(lambda: not bot.fake.gateway.connections)
    missed = await bot.fake.slash(bot.ada, bot.ops, "vcc try echo", {"text": "missed"})
    bot.works.gate.set()
    assert "missed" in texts(await missed.until_finished())
    message = await delivery.until_finished()
    await bot.fake.until(lambda: "all ten copied" in texts(message))
    assert (len(bot.visible()), bot.fake.gateway.resumes) == (2, 1)


async def test_a_half_open_line_is_noticed_and_resumed(fake: FakeDiscord, tmp_path: Path) -> None:
    async with house(fake, tmp_path, change=quick) as bot:
        fake.half_open()
        delivery = await fake.slash(bot.ada, bot.ops, "vcc try echo", {"text": "through"})
        delivery.created += 60  # what was missed is replayed, and may be answered however long the machine took for it
        assert "through" in texts(await delivery.until_finished())
        assert (fake.gateway.identifies, fake.gateway.resumes >= 1) == (1, True)


async def test_health_follows_the_line(bot: House) -> None:
    await until(bot.door.healthy, "healthy")
    bot.fake.block_gateway()
    bot.fake.drop_gateway()
    await bot.fake.until(lambda: bot.fake.gateway.refused)
    await until(lambda: not bot.door.healthy(), "not healthy")
    bot.fake.heal()
    await until(bot.door.healthy, "healthy again")


async def test_a_revoked_token_ends_the_run_so_that_it_can_be_started_again(bot: House) -> None:
    door = DiscordDoor(bot.app.doors(), QUICK)
    running = asyncio.create_task(door.run())
    await bot.fake.until_connected(2)
    await bot.fake.close_gateway(4004)
    with pytest.raises(discord.ConnectionClosed):
        await asyncio.wait_for(running, 60)
    assert not door.healthy()


async def test_a_wrong_token_ends_the_run_and_is_named_by_the_check(fake: FakeDiscord, tmp_path: Path) -> None:
    async with house(fake, tmp_path) as bot:
        settings = bot.app.settings.model_copy(update={"discord_token": type(bot.app.settings.discord_token)("wrong")})
        doors = bot.app.doors()
        door = DiscordDoor(type(doors)(settings, doors.dispatch, doors.registry, doors.gate, doors.words, doors.services), QUICK)
        with pytest.raises(discord.LoginFailure):
            await door.run()
        assert ["DISCORD_TOKEN" in finding.fix for finding in await door.check(doors.words)] == [True]


async def test_the_check_names_what_is_missing(fake: FakeDiscord, tmp_path: Path) -> None:
    team = team_in(fake)
    hidden, mute = fake.add_channel("hidden"), fake.add_channel("mute")
    fake.deny(hidden)
    fake.deny(mute, 1 << 11)
    changes: dict[str, Any] = {"vcc_channel_alerts": f"discord:{hidden},discord:{mute},discord:4242", "vcc_viewers": "discord-role:77"}
    async with house(fake, tmp_path, team=team, **changes) as bot:
        said = [f"{finding.text} {finding.fix}" for finding in await bot.door.check(bot.app.words)]
        for name in (str(hidden), "4242", "send_messages", "77"):
            assert any(name in text for text in said), name
        assert len(said) == 4


@pytest.mark.parametrize("pattern", [r"PATCH /webhooks/", r"POST /interactions/"])
async def test_a_rate_limit_is_waited_out(bot: House, pattern: str) -> None:
    bot.fake.fail(pattern, 429, retry_after=0.2)
    assert "hi" in texts(await bot.answer(bot.ada, "vcc try echo", {"text": "hi"}))
    assert len(bot.visible()) == 1


@pytest.mark.parametrize("failure", ["lost", "drop", 500, 503])
async def test_an_answer_in_doubt_is_shown_once(bot: House, failure: Any) -> None:
    bot.fake.fail(r"PATCH /webhooks/", failure)
    assert "hi" in texts(await bot.answer(bot.ada, "vcc try echo", {"text": "hi"}))
    assert len(bot.visible()) == 1


@pytest.mark.parametrize("failure", ["lost", "drop", 500, 503])
async def test_a_channel_message_in_doubt_is_posted_once(bot: House, failure: Any) -> None:
    bot.fake.fail(r"POST /channels/", failure)
    await bot.fake.say(bot.ada, bot.ops, f"<@{bot.fake.application_id}> try echo hi")
    await bot.fake.until(bot.visible)
    await bot.answer(bot.ada, "vcc try echo", {"text": "later"})
    assert ["hi" in texts(message) for message in bot.visible()] == [True, False]
    posts = [call.body for call in bot.fake.calls if call.method == "POST" and call.route.endswith("/messages") and call.body]
    assert {(post["nonce"], post["enforce_nonce"]) for post in posts} == {(posts[0]["nonce"], True)}


@pytest.mark.parametrize(
    ("pattern", "failure"),
    [(r"PATCH /webhooks/", "lost"), (r"POST /webhooks/", "drop"), (r"POST /webhooks/", 503), (r"DELETE /webhooks/", "lost")],
)
async def test_a_private_answer_survives_a_failure_at_each_of_its_steps(bot: House, pattern: str, failure: Any) -> None:
    bot.fake.fail(pattern, failure)
    delivery = await bot.fake.slash(bot.vera, bot.ops, "vcc sweep files")
    await bot.fake.until(lambda: delivery.followups and delivery.message is None)
    assert [(message.ephemeral_to, "operator" in texts(message)) for message in delivery.followup_messages] == [(bot.vera, True)]
    assert bot.visible() == []


async def test_a_private_answer_to_a_placeholder_somebody_deleted_is_a_direct_message(bot: House) -> None:
    bot.fake.fail(r"PATCH /webhooks/", 503)
    direct = bot.fake.world.direct_channel(bot.fake.world.member(bot.vera)).id
    delivery = await bot.fake.slash(bot.vera, bot.ops, "vcc sweep files")
    await bot.fake.until(lambda: delivery.message is not None)
    assert delivery.message is not None
    bot.fake.desk.delete(delivery.message)
    await bot.fake.until(lambda: bot.fake.messages(direct))
    assert "operator" in texts(bot.fake.messages(direct)[0])


async def test_an_interaction_that_could_not_be_acknowledged_is_answered_in_the_channel(bot: House) -> None:
    bot.fake.fail(r"POST /interactions/", 404)
    await bot.fake.slash(bot.ada, bot.ops, "vcc try echo", {"text": "anyway"})
    await bot.fake.until(bot.visible)
    assert "anyway" in texts(bot.visible()[0])


async def test_an_answer_after_fifteen_minutes_changes_the_message_all_the_same(bot: House) -> None:
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try slow")
    message = await delivery.until_finished()
    bot.fake.clock.advance(901)
    bot.works.gate.set()
    await bot.fake.until(lambda: "all ten copied" in texts(message))
    assert bot.visible() == [message]


async def test_an_answer_whose_message_was_deleted_meanwhile_is_posted_in_the_channel(bot: House) -> None:
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try slow")
    message = await delivery.until_finished()
    bot.fake.clock.advance(901)
    bot.fake.desk.delete(message)
    bot.works.gate.set()
    await bot.fake.until(lambda: any("all ten copied" in texts(each) for each in bot.visible()))


async def test_a_private_answer_after_fifteen_minutes_is_a_direct_message(bot: House) -> None:
    bot.fake.fail(r"DELETE /webhooks/", 503, times=2)
    direct = bot.fake.world.direct_channel(bot.fake.world.member(bot.vera)).id
    delivery = await bot.fake.slash(bot.vera, bot.ops, "vcc sweep files")
    await delivery.until_answered()
    bot.fake.clock.advance(901)
    await bot.fake.until(lambda: bot.fake.messages(direct))
    assert "operator" in texts(bot.fake.messages(direct)[0])


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "slash"])
async def test_a_private_answer_that_took_its_time_is_never_shown_where_its_progress_was(bot: House, typed: bool) -> None:
    direct = bot.fake.world.direct_channel(bot.fake.world.member(bot.ada)).id
    if typed:
        await bot.fake.say(bot.ada, bot.ops, f"<@{bot.fake.application_id}> try slow --hidden")
    else:
        await bot.fake.slash(bot.ada, bot.ops, "vcc try slow", {"hidden": True})
    await bot.fake.until(lambda: any("copying" in texts(each) for each in bot.visible()))
    if not typed:
        bot.fake.clock.advance(901)
    bot.works.gate.set()
    await bot.fake.until(lambda: bot.fake.messages(direct))
    assert "all ten copied" in texts(bot.fake.messages(direct)[0])
    assert not any("all ten copied" in texts(each) or "copying" in texts(each) for each in bot.visible())


async def test_a_private_answer_to_somebody_who_takes_no_direct_messages_is_not_shown_to_all(bot: House) -> None:
    bot.fake.world.members[bot.ada].accepts_direct = False
    bot.works.gate.set()
    await bot.fake.say(bot.ada, bot.ops, f"<@{bot.fake.application_id}> try slow --hidden")
    await bot.fake.until(bot.visible)
    (shown,) = bot.visible()
    assert "all ten copied" not in texts(shown)
    assert bot.app.words("discord.no_direct") in texts(shown)


async def test_old_messages_that_may_not_be_edited_are_followed_by_a_new_one(fake: FakeDiscord, tmp_path: Path) -> None:
    team = team_in(fake)
    fake.clock.advance(-4000)
    fake.world.mint._last = 0  # ids carry their time: these are of an hour ago
    async with house(fake, tmp_path, team=team, change=impatient) as bot:
        card = await bot.answer(bot.olga, "vcc sweep files")
        fake.clock.advance(4000)
        fake.desk.old_edits.allowed, fake.desk.old_edits.seconds = 1, 3600.0
        fake.desk._old_edit_times[bot.ops] = [fake.clock.now()]
        await (await fake.press(bot.ada, card.id, "Approve")).until_finished()
        await fake.until(lambda: any("Swept" in texts(message) for message in bot.visible()))
        assert len(bot.visible()) == 2


def impatient(app: App) -> None:
    """A door that waits for old edits but a moment."""
    door = DiscordDoor(app.doors())
    door._courier._patience = 0.3
    app.add(door)


async def test_a_record_that_cannot_be_written_is_said_and_nothing_runs(bot: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unwritable(invocation: Invocation, within: float) -> Invocation | None:
        raise RecordUnwritable("disk full")

    monkeypatch.setattr(bot.app.dispatch, "accept", unwritable)
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try echo", {"text": "no"})
    message = await delivery.until_finished()
    assert (message.ephemeral_to, bot.works.ran) == (bot.ada, [])
    assert "VCC\\_HOME" in texts(message)


async def test_a_record_that_is_too_slow_is_said_inside_three_seconds_and_nothing_runs(bot: House, monkeypatch: pytest.MonkeyPatch) -> None:
    record, written = bot.app.audit.open, asyncio.Event()

    async def slow(invocation: Invocation) -> Invocation | None:
        await written.wait()
        return await record(invocation)

    assert bot.door.intake._record_within <= 2.0
    bot.door.intake._record_within = 0.5  # the rest of the three seconds, after which Discord takes no answer, is the machine's
    monkeypatch.setattr(bot.app.audit, "open", slow)
    delivery = await bot.fake.slash(bot.ada, bot.ops, "vcc try echo", {"text": "no"})
    message = await delivery.until_finished()
    assert message.ephemeral_to == bot.ada
    assert "VCC\\_HOME" in texts(message)
    monkeypatch.setattr(bot.app.audit, "open", record)
    written.set()
    await bot.answer(bot.ada, "vcc try echo", {"text": "later"})
    assert bot.works.ran == ["echo later"]


async def test_a_message_in_doubt_at_a_crash_is_found_again(bot: House) -> None:
    await bot.fake.say(bot.ada, bot.ops, f"<@{bot.fake.application_id}> try echo hi")
    await bot.fake.until(bot.visible)
    posted = bot.visible()[0]
    await until(lambda: _delivered(bot), "the row knows what was posted")
    await bot.app.store.write(lambda db: db.execute("UPDATE messages SET posted = '{}', sending = version, delivered = 0"))
    bot.fake.clock.advance(600)  # past the time in which a nonce is remembered
    bot.app.wake()
    await bot.fake.until(lambda: any(call.method == "PATCH" and str(posted.id) in call.path for call in bot.fake.calls))
    assert bot.visible() == [posted]


async def test_a_hanging_channel_does_not_hold_up_answers_to_others(bot: House) -> None:
    bot.fake.fail(r"POST /channels/", "hang")
    await bot.fake.say(bot.ada, bot.ops, f"<@{bot.fake.application_id}> try echo stuck")
    assert "quick" in texts(await bot.answer(bot.ada, "vcc try echo", {"text": "quick"}))
    bot.fake.heal()
    await bot.fake.until(lambda: any("stuck" in texts(message) for message in bot.visible()))
    assert len(bot.visible()) == 2


async def _delivered(bot: House) -> bool:
    rows = await bot.app.store.read(lambda db: list(db.query("SELECT version, delivered FROM messages")))
    return all(row["version"] == row["delivered"] for row in rows)
