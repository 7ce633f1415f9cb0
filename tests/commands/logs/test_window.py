"""``logs window`` and ``logs file``: what was written between two moments, and nothing else."""

from __future__ import annotations

import secrets
import time

import pytest

from bot import attachments
from tests.commands.conftest import Bot
from tests.commands.logs.conftest import Plant, just_now, text_of


async def test_a_window_holds_what_was_written_in_it_from_its_beginning(bot: Bot, plant: Plant, word: str) -> None:
    begin, typed = time.time(), just_now()
    await plant(*(f"{word} {number}" for number in range(5)))
    reply = await bot(f"logs window backend --since {typed} --lines 2000", "vera")
    found = [line["text"] for line in reply.data["lines"] if word in line["text"]]
    assert found == [f"{word} {number}" for number in range(5)]
    assert reply.data["since"] == pytest.approx(begin, abs=1)
    assert all(reply.data["since"] <= line["at"] <= reply.data["until"] for line in reply.data["lines"])


async def test_a_window_in_the_past_leaves_out_what_came_later(bot: Bot, plant: Plant, word: str) -> None:
    await plant(f"{word} new")
    reply = await bot("logs window backend --since 3d --until 1h --lines 2000")
    assert reply.data["lines"]
    assert word not in str(reply.data)


async def test_the_guides_way_of_writing_times_is_understood(bot: Bot) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * 3_600))
    reply = await bot(f"logs window --since {today}T00:00:00 --lines 3")
    assert reply.data["since"] <= time.time()


async def test_more_than_was_asked_for_is_said_and_offered_as_a_file(bot: Bot) -> None:
    reply = await bot("logs window backend --since 30d --lines 2")
    assert (len(reply.data["lines"]), reply.data["more"]) == (2, True)
    (button,) = reply.buttons
    packed = await bot(button.types)
    assert packed.data["complete"] is True
    assert packed.data["lines"] > 100
    assert text_of(packed.files[0]).splitlines()[0].endswith(reply.data["lines"][0]["text"])


async def test_a_window_that_cannot_be_meant_is_refused(bot: Bot) -> None:
    wrong = ("99999d", "1h --until 2h", "2999-01-01", "soon", '"10:00 Mars/Olympus"', "2026-02-31", "")
    for command in ("window", "file", "search x"):
        for since in wrong:
            assert (await bot(f"logs {command} --since {since}")).data["usage"] is True, (command, since)


async def test_a_file_holds_every_line_of_all_services_packed_and_without_secrets(
    bot: Bot, plant: Plant, word: str, sandbox_secrets: tuple[str, ...]
) -> None:
    await plant(f"{word} one", f"{word} two")
    await plant(f"{word} three", service="frontend")
    reply = await bot("logs file --since 30d")
    (file,) = reply.files
    assert (file.media_type, file.path.read_bytes()[:2]) == ("application/gzip", b"\x1f\x8b")
    text = text_of(file)
    assert [line.rpartition(word)[2] for line in text.splitlines() if word in line] == [" one", " two", " three"]
    assert len(text.splitlines()) == reply.data["lines"]
    assert [name for name in ("backend", "frontend", "redis", "mongodb") if f" {name} | " not in text] == []
    assert [secret for secret in sandbox_secrets if secret in text] == []


async def test_a_file_that_grows_too_large_ends_says_where_and_offers_the_rest(
    bot: Bot, plant: Plant, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "PACKED_AT_MOST", 20_000)
    typed = just_now()
    await plant(*(f"{word} {secrets.token_hex(20)}" for _ in range(2_500)))
    reply = await bot(f"logs file backend --since {typed}")
    assert reply.data["complete"] is False
    assert 0 < reply.data["lines"] < 2_500
    assert reply.files[0].path.stat().st_size < 80_000
    assert len(text_of(reply.files[0]).splitlines()) == reply.data["lines"]
    (button,) = reply.buttons
    rest = await bot(button.types)
    # Not a second earlier: of a log that fills a file within a second the rest would never come.
    assert rest.data["since"] == pytest.approx(reply.data["reached"], abs=2e-6)
    assert rest.data["since"] <= reply.data["reached"]


async def test_a_file_holds_long_lines_to_their_ends(bot: Bot, plant: Plant, word: str) -> None:
    await plant(f"{word} {'long ' * 1_000}{word}end")
    reply = await bot("logs file backend --since 10m")
    (line,) = (line for line in text_of(reply.files[0]).splitlines() if word in line)
    assert line.endswith(f"{word}end")


async def test_a_window_without_lines_is_no_file(bot: Bot) -> None:
    reply = await bot("logs file backend --since 360d --until 359d")
    assert (reply.files, reply.data["lines"]) == ((), 0)
