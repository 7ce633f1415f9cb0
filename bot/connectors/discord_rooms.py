"""Makes a text channel on Discord for an incident, or finds the one it made before, by its name and topic."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import discord
from discord.http import Route

from bot.connectors.discord_wire import ChannelGone, translated
from bot.errors import Unreachable
from bot.model import Place
from bot.outbox import NotDelivered
from bot.rooms import RoomWish

_LOG = logging.getLogger("vcc.discord")
_TEXT = 0
_LONGEST_TOPIC = 1_024
_ROLE, _MEMBER = 0, 1
# What the outbox keeps of a refusal: no such channel, no access to it, no right to write there.
_LOST = ("10003", "50001", "50013")


class DiscordRooms:
    """Channels of the guild that the settings name, or of the only one we are in."""

    def __init__(self, client: Callable[[], discord.Client | None], guild: int | None) -> None:
        self._client = client
        self._guild = guild

    async def open(self, wish: RoomWish) -> Place | None:
        """The channel; None where we may make none. Unreachable when Discord does not say."""
        client = self._client()
        if client is None or client.is_closed() or client.user is None:
            raise Unreachable("discord", "not connected")
        guild = self._guild if self._guild is not None else next((guild.id for guild in client.guilds), None)
        if guild is None:
            raise Unreachable("discord", "in no guild yet")
        try:
            channel = await self._found(client, guild, wish)
            if channel is None:
                route = Route("POST", "/guilds/{guild_id}/channels", guild_id=guild)
                channel = await self._asked(client, route, json=_body(wish, guild, str(client.user.id)))
        except NotDelivered as failure:
            if failure.final:
                _LOG.warning("no channel for %s: %s", wish.name, failure)
                return None
            raise Unreachable("discord", str(failure)) from failure
        except ChannelGone:
            return None
        return Place("discord", str(channel["id"]))

    async def _found(self, client: discord.Client, guild: int, wish: RoomWish) -> Mapping[str, Any] | None:
        channels = await self._asked(client, Route("GET", "/guilds/{guild_id}/channels", guild_id=guild))
        topic = wish.topic[:_LONGEST_TOPIC]
        return next((each for each in channels if each.get("name") == wish.name and (each.get("topic") or "") == topic), None)

    @staticmethod
    async def _asked(client: discord.Client, route: Route, **options: Any) -> Any:
        return await translated(client.http.request(route, **options))


def _body(wish: RoomWish, guild: int, us: str) -> dict[str, Any]:
    body: dict[str, Any] = {"name": wish.name, "type": _TEXT, "topic": wish.topic[:_LONGEST_TOPIC]}
    if wish.private:
        view = str(discord.Permissions(view_channel=True, send_messages=True, read_message_history=True).value)
        people = [us, *(account.id for account in wish.members if account.platform == "discord" and account.id.isdigit())]
        roles = [account.id for account in wish.members if account.platform == "discord-role" and account.id.isdigit()]
        hidden = {"id": str(guild), "type": _ROLE, "deny": str(discord.Permissions(view_channel=True).value), "allow": "0"}
        let_in = [(_MEMBER, each) for each in people] + [(_ROLE, each) for each in roles]
        body["permission_overwrites"] = [hidden, *({"id": each, "type": kind, "allow": view, "deny": "0"} for kind, each in let_in)]
    return body


def lost(reason: str) -> bool:
    """Whether this is what Discord says of a channel that is deleted, or closed to us."""
    return reason.startswith("ChannelGone") or any(f" {code}:" in f" {reason}" for code in _LOST)
