"""Stories at Slack's door: the whole bot behind the real slack-bolt and slack_sdk, against the wire fake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.golden.replies import HOSTILE
from tests.platforms.slack import FakeSlack
from tests.platforms.slack_house import House, house, text_of, workspace


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        yield fake


@pytest_asyncio.fixture
async def bot(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[House]:
    async with house(slack, tmp_path) as running:
        yield running


async def test_a_command_is_acknowledged_and_answered_once_where_it_was_typed(bot: House) -> None:
    delivery = await (await bot.slack.slash("U3", "C1", text="say hello")).acked()
    (answer,) = await bot.posted()
    await bot.settled()
    assert delivery.acked_within_3s
    assert delivery.ack_payload is None
    assert "hello" in answer.text, "a fallback for notifications stands beside the blocks"
    assert bot.word("slack.asked_by", name="olga") in text_of(answer)
    assert answer.metadata is not None
    assert answer.metadata["event_type"] == "vcc_message"
    assert len(bot.messages()) == len(bot.bench.runs) == 1


async def test_long_work_shows_progress_in_the_message_that_then_holds_the_answer(bot: House) -> None:
    delivery = await (await bot.slack.slash("U3", "C1", text="slow")).acked()
    (message,) = await bot.posted()
    assert delivery.acked_within_3s, "the handler still hangs"
    assert "half way" in text_of(message)
    bot.bench.go.set()
    await bot.until(lambda: "slow is done" in bot.messages()[0].text)
    await bot.settled()
    assert [each.ts for each in bot.messages()] == [message.ts]
    assert bot.messages()[0].blocks


async def test_a_mention_is_a_line_and_is_answered_in_its_thread(bot: House) -> None:
    root = await bot.slack.say("U3", "C1", f"<@{bot.slack.bot_user}> say a &amp; b <@U1>")
    (answer,) = await bot.posted()
    assert bot.bench.runs == ["say a & b slack:U1"]
    ts = root.payload["event"]["ts"]
    await bot.slack.say("U3", "C1", f"<@{bot.slack.bot_user}> say inside", thread_ts=ts)
    await bot.until(lambda: len(bot.messages()) == 2)
    assert [message.thread_ts for message in bot.messages()] == ["", ts]
    assert answer.thread_ts == ""


async def test_the_same_envelope_twice_runs_and_answers_once(bot: House) -> None:
    delivery = await (await bot.slack.slash("U3", "C1", text="say once")).acked()
    await bot.slack.redeliver(delivery)
    await bot.until(lambda: len(delivery.acks) == 2)
    event = await bot.slack.say("U3", "C1", f"<@{bot.slack.bot_user}> say event")
    await event.acked()
    await bot.slack.redeliver(event)
    await bot.until(lambda: len(event.acks) == 2)
    await bot.posted(2)
    await bot.settled()
    assert bot.bench.runs == ["say once", "say event"]
    assert len(bot.messages()) == 2


async def test_hostile_words_name_nobody_and_format_nothing(bot: House) -> None:
    typed = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    await (await bot.slack.slash("U3", "C1", text=f"say {typed}")).acked()
    await (await bot.slack.slash("U3", "C1", text=f"{typed} unknown")).acked()
    (answer,) = await bot.posted()
    await bot.whispered("U3")
    await bot.settled()
    assert "<!channel>" in text_of(answer), "shown as it was typed"
    assert bot.slack.notifications == []


async def test_strangers_and_strange_channels_are_told_in_private(bot: House) -> None:
    await (await bot.slack.slash("U9", "C1", text="say hi")).acked()
    (unknown,) = await bot.whispered("U9")
    assert "slack:U9" in text_of(unknown)
    delivery = await (await bot.slack.slash("U1", "C9", text="say hi")).acked()
    (elsewhere,) = await bot.whispered("U1")
    assert "slack:C1" in text_of(elsewhere)
    assert delivery.shown, "the bot is no member there, so the command's own address carried it"
    await bot.settled()
    assert bot.bench.runs == []
    assert bot.messages() == bot.messages("C9") == []


async def test_an_allowed_channel_without_the_bot_is_still_answered(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, {"VCC_CHANNEL_OPS": "slack:C9"}) as bot:
        await (await slack.slash("U3", "C9", text="say hi")).acked()
        (answer,) = await bot.posted(channel="C9")
        await bot.settled()
        assert "hi" in answer.text
        assert len(bot.messages("C9")) == 1


async def test_a_line_of_ten_thousand_characters_is_refused_with_a_sentence(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="say " + "x" * 10_000)).acked()
    (refusal,) = await bot.whispered("U3")
    assert bot.word("line.too_long", length=10_004, limit=2_000) in text_of(refusal)


async def test_a_long_answer_brings_its_files_into_its_thread_once(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="long")).acked()
    await bot.until(lambda: len(bot.slack.files("C1")) == 2)
    await bot.settled()
    files = {file.name: file for file in bot.slack.files("C1")}
    assert files["evidence.txt"].bytes == b"row 0\nrow 1\nrow 2\n"
    whole = next(file for name, file in files.items() if name.startswith("vcc-R-"))
    assert b"line 2999" in whole.bytes
    assert {file.thread_ts for file in files.values()} == {bot.messages()[0].ts}


async def test_a_private_answer_stays_private_when_its_progress_was_posted_for_all(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="whisper --late")).acked()
    await bot.posted()
    bot.bench.go.set()
    (whisper,) = await bot.whispered("U3")
    await bot.settled()
    assert "line 0 of the secret" in text_of(whisper)
    (post,) = bot.messages()
    assert "only you" not in text_of(post)
    assert bot.word("slack.private_answer") in text_of(post)


async def test_files_of_a_private_answer_come_as_a_direct_message(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="whisper 2000")).acked()
    (whisper,) = await bot.whispered("U3")
    await bot.until(lambda: bot.slack.files("D3"))
    await bot.settled()
    assert bot.word("slack.files_direct") in text_of(whisper)
    assert bot.messages("C1") == []
    assert bot.slack.files("C1") == []


async def test_a_private_answer_that_took_its_time_is_never_shown_where_its_progress_was(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="whisper --late")).acked()
    (progress,) = await bot.posted()
    bot.bench.go.set()
    (whisper,) = await bot.whispered("U3")
    await bot.settled()
    assert "only you" in text_of(whisper)
    assert [each.ts for each in bot.messages()] == [progress.ts]
    assert "psst" not in text_of(bot.messages()[0]) + bot.messages()[0].text
    assert bot.word("slack.private_answer") in bot.messages()[0].text
    assert "half way" not in text_of(bot.messages()[0])


async def card(bot: House, asker: str = "U3", target: str = "x") -> str:
    count = len(bot.messages())
    await (await bot.slack.slash(asker, "C1", text=f"wipe {target}")).acked()
    return (await bot.posted(count + 1))[-1].ts


async def test_a_second_person_presses_approve_and_the_card_shows_the_end(bot: House) -> None:
    ts = await card(bot)
    await (await bot.slack.press("U1", ts, bot.word("cards.approve"))).acked()
    (granted,) = await bot.whispered("U1")
    assert "wipe x" in text_of(granted)
    await bot.until(lambda: "wiped" in text_of(bot.messages()[0]))
    await bot.settled()
    assert bot.bench.runs == ["wipe x"]
    (message,) = bot.messages()
    assert message.ts == ts
    assert not [block for block in message.blocks if block["type"] == "actions"]


async def test_the_asker_and_the_operator_cannot_approve_and_are_told_why(bot: House) -> None:
    ts = await card(bot, asker="U1")
    await (await bot.slack.press("U1", ts, 0)).acked()
    (own,) = await bot.whispered("U1")
    assert bot.word("permissions.own_request", helpers="slack:U2") in text_of(own)
    await (await bot.slack.press("U3", ts, 0)).acked()
    assert await bot.whispered("U3")
    await (await bot.slack.press("U9", ts, 0)).acked()
    assert "slack:U9" in text_of((await bot.whispered("U9"))[0])
    assert bot.bench.runs == []


async def test_a_used_a_foreign_a_tampered_and_an_expired_button_say_what_is_wrong(bot: House, slack: FakeSlack) -> None:
    ts = await card(bot)
    message = bot.messages()[0]
    buttons = message.blocks
    await (await slack.press("U1", ts, bot.word("cards.deny"))).acked()
    await bot.whispered("U1")
    await bot.settled()
    await card(bot, target="y")
    said = []
    for line in ("approve 1", "approve 99", "approve 2 --plan ffffffffff", "approve 2; wipe y", "x" * 1_900):
        message.blocks = [{"type": "actions", "elements": [{**buttons[-1]["elements"][0], "value": line}]}]
        count = len(slack.ephemerals("U2"))
        await (await slack.press("U2", ts, 0)).acked()
        said.append(text_of((await bot.whispered("U2", count + 1))[-1]))
    assert bot.word("approvals.already.denied", number=1, by="slack:U1") in said[0]
    assert bot.word("approvals.unknown", number=99) in said[1]
    assert bot.word("approvals.other_card", number=2) in said[2]
    assert bot.bench.runs == []
    message.blocks = buttons
    second = await card(bot, target="z")
    await bot.app.store.write(lambda db: db.execute("UPDATE tickets SET expires_at = 1 WHERE id = 3"))
    await (await slack.press("U2", second, 0)).acked()
    await bot.until(lambda: bot.word("approvals.expired", number=3) in text_of(slack.ephemerals("U2")[-1]))
    assert bot.bench.runs == []


async def test_a_button_without_a_line_says_so(bot: House) -> None:
    ts = await card(bot)
    bot.messages()[0].blocks[-1]["elements"][0].pop("value")
    await (await bot.slack.press("U1", ts, 0)).acked()
    (told,) = await bot.whispered("U1")
    assert told.text == bot.word("slack.unreadable")


async def test_buttons_work_after_a_restart(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path) as before:
        ts = await card(before)
        await before.settled()
    async with house(slack, tmp_path) as after:
        await (await slack.press("U2", ts, after.word("cards.approve"))).acked()
        await after.until(lambda: "wiped" in text_of(after.messages()[0]))
        assert after.bench.runs == ["wipe x"]
