"""Pictures at Slack's door: below the answer, once, with their alternative text; in private as a direct message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.platforms.picture_command import ALT, PNG
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


async def test_a_picture_stands_below_its_answer_with_words_for_who_does_not_see_it(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="picture now")).acked()
    await bot.until(lambda: bot.slack.files("C1"))
    await bot.settled()
    (file,), answer = bot.slack.files("C1"), bot.messages()[0]
    assert (file.name, file.bytes, file.thread_ts) == ("cpu.png", PNG, answer.ts)
    assert file.alt.startswith(ALT[:900])
    assert len(file.alt) <= 1_000
    assert bot.word("slack.picture_below") in text_of(answer)
    assert bot.slack.notifications == []


async def test_progress_gives_way_to_an_answer_with_one_picture_also_when_it_is_told_again(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="picture slow")).acked()
    (message,) = await bot.posted()
    bot.bench.go.set()
    await bot.until(lambda: bot.slack.files("C1"))
    await bot.settled()
    edits = len(bot.messages()[0].edits)
    await bot.app.store.write(lambda db: db.execute("UPDATE messages SET version = version + 1"))
    bot.app.wake()
    await bot.until(lambda: len(bot.messages()[0].edits) > edits)
    await bot.settled()
    assert [file.thread_ts for file in bot.slack.files("C1")] == [message.ts]


async def test_a_picture_of_a_private_answer_comes_as_a_direct_message(bot: House) -> None:
    await (await bot.slack.slash("U3", "C1", text="picture hidden")).acked()
    (whisper,) = await bot.whispered("U3")
    await bot.until(lambda: bot.slack.files("D3"))
    await bot.settled()
    assert bot.word("slack.files_direct") in text_of(whisper)
    assert bot.slack.files("D3")[0].alt
    assert bot.slack.files("C1") == []
