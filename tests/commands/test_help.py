"""``help``: what the asker may run, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.testing.bot import a_bot
from tests.bot.demo import Demo


@pytest.mark.parametrize(
    ("who", "may", "may_not"),
    [
        ("slack:vera", {"demo read", "help"}, {"demo change", "demo wipe", "approve", "demo boss"}),
        ("slack:olga", {"demo change", "demo wipe", "approve"}, {"demo boss", "audit export"}),
        ("slack:ada", {"demo boss", "audit export"}, set()),
    ],
)
async def test_the_list_holds_only_what_the_asker_may_run(tmp_path: Path, who: str, may: set[str], may_not: set[str]) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        reply = await bot.types(who, "help")
        listed = {each["path"] for each in reply.data}
        assert may <= listed
        assert not may_not & listed
        assert reply.private is True


async def test_one_command_is_shown_with_its_words_and_examples(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        reply = await bot.types("slack:vera", "help audit tail")
        assert reply.title == "/vcc audit tail [--lines integer] [--about text]"
        assert "/vcc audit tail --lines 50 --about restart" in reply.code
        assert (await bot.types("slack:vera", "help demo change")).title == "/vcc demo change <target>"
        assert dict((await bot.types("slack:vera", "help wipe")).fields)["Also"] == "wipe"


async def test_a_group_is_shown_by_its_commands(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        assert (await bot.types("slack:vera", "help audit")).data == ["audit export", "audit tail", "audit verify"]


@pytest.mark.parametrize("line", ["help nonsense", "help approve now"])
async def test_help_for_what_does_not_exist_points_to_the_nearest(tmp_path: Path, line: str) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        assert (await bot.types("slack:vera", line)).data["reason"] == "registry.unknown"


async def test_nothing_typed_is_help(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        assert (await bot.types("slack:vera", "/vcc")).title == "Commands"
