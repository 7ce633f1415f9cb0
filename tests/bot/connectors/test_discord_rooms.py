"""A private channel on Discord is seen by those who may work on incidents: people by their accounts, and by their roles."""

from __future__ import annotations

import discord

from bot.connectors.discord_rooms import _body
from bot.model import Account
from bot.rooms import RoomWish


def test_a_private_channel_lets_people_and_roles_in_and_nobody_else() -> None:
    members = (Account("discord", "11"), Account("discord-role", "22"), Account("slack", "U1"))
    body = _body(RoomWish("inc-1-security-20260122", "topic", members, private=True), 99, "77")
    told = {(each["id"], each["type"]): int(each["allow"]) for each in body["permission_overwrites"]}
    seen = {who for who, allowed in told.items() if discord.Permissions(allowed).view_channel}
    assert seen == {("77", 1), ("11", 1), ("22", 0)}
    assert told["99", 0] == 0
