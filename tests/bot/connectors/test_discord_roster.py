"""Roles of the guild: what is fresh is not asked for again, what cannot be known is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest

from bot.config import Settings
from bot.connectors.discord_roster import FRESH, DiscordRoster
from bot.errors import OutsideError
from bot.model import Account
from bot.testing.clock import Clock

VERA = Account("discord", "4")
VIEWERS = Account("discord-role", "70")


def roster_of(client: discord.Client | None, clock: Clock, **changes: Any) -> DiscordRoster:
    values: dict[str, Any] = {"vcc_home": Path("none"), "vcc_viewers": "discord-role:70,discord:9", "discord_guild_id": 1}
    return DiscordRoster(Settings(**(values | changes)), lambda: client, clock)


async def test_what_an_interaction_said_is_known_for_a_minute() -> None:
    clock = Clock()
    roster = roster_of(None, clock)
    assert roster.learn(VERA, 1, (70, 71))
    assert await roster.groups_of(VERA) == {VIEWERS}
    clock.forward(FRESH + 1)
    with pytest.raises(OutsideError):
        await roster.groups_of(VERA)


async def test_another_guild_teaches_nothing() -> None:
    roster = roster_of(None, Clock())
    assert not roster.learn(VERA, 2, (70,))
    with pytest.raises(OutsideError):
        await roster.groups_of(VERA)


async def test_without_roles_in_the_settings_nobody_is_asked() -> None:
    roster = roster_of(None, Clock(), vcc_viewers="discord:9")
    assert await roster.groups_of(VERA) == frozenset()
