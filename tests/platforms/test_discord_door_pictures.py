"""Pictures at Discord's door: inside the answer, with a description; an edit replaces them, and what is gone is not shown."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing.waiting import until
from tests.platforms.discord import FakeDiscord, Message
from tests.platforms.discord_stories import House, house, texts
from tests.platforms.picture_command import ALT, PNG


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[House]:
    async with FakeDiscord() as fake, house(fake, tmp_path) as house_:
        yield house_
        assert fake.violations == []


def assert_shows_it_once(message: Message) -> None:
    (file,) = message.attachments
    assert (file.filename, file.data) == ("cpu.png", PNG)
    assert ALT[:900] in (file.description or "")
    assert len(file.description or "") <= 1_024
    (embed,) = message.embeds
    assert embed["image"]["url"].endswith(f"/{file.id}/cpu.png")
    assert "backend 44%" in texts(message)


async def told_again(bot: House, message: Message) -> Message:
    """The message after its row was told once more."""
    before = len(message.edits)
    await bot.app.store.write(lambda db: db.execute("UPDATE messages SET version = version + 1"))
    bot.app.wake()
    await until(lambda: len(bot.visible()[-1].edits) > before, "it is edited")
    return bot.visible()[-1]


async def test_a_picture_stands_inside_the_answer(bot: House) -> None:
    message = await bot.answer(bot.olga, "vcc picture now")
    assert_shows_it_once(message)
    assert message.mentions.targets() == ()


async def test_progress_gives_way_to_the_picture_and_an_edit_does_not_double_it(bot: House) -> None:
    delivery = await bot.fake.slash(bot.olga, bot.ops, "vcc picture slow")
    await until(lambda: bool(bot.visible()) and "drawing" in texts(bot.visible()[-1]), "progress is shown")
    bot.works.gate.set()
    message = await delivery.until_finished()
    await until(lambda: bool(bot.visible()[-1].attachments), "the picture is there")
    assert_shows_it_once(await told_again(bot, message))


async def test_a_private_answer_carries_its_picture_too(bot: House) -> None:
    assert_shows_it_once(await bot.private(bot.olga, "vcc picture hidden"))


async def test_an_answer_whose_picture_is_gone_is_still_told(bot: House, tmp_path: Path) -> None:
    message = await bot.answer(bot.olga, "vcc picture now")
    shutil.rmtree(tmp_path / "files")
    again = await told_again(bot, message)
    assert "backend 44%" in texts(again)
    assert "image" not in again.embeds[0]
    assert [file.filename for file in again.attachments] == ["cpu.png.txt"]


async def test_an_answer_whose_picture_discord_refuses_is_told_without_it(bot: House) -> None:
    bot.fake.fail(r"PATCH /webhooks", 413)
    message = await bot.answer(bot.olga, "vcc picture now")
    assert "backend 44%" in texts(message)
    assert message.attachments == []
