"""The Discord door: one client, its commands, what comes in and what goes out, put together. Translates, and decides nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import discord
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.config import Settings
from bot.connectors.discord_check import Examiner
from bot.connectors.discord_client import Listener, Pace, answer_errors
from bot.connectors.discord_courier import DiscordCourier
from bot.connectors.discord_intake import PLATFORM, Intake
from bot.connectors.discord_rooms import DiscordRooms, lost
from bot.connectors.discord_roster import DiscordRoster
from bot.connectors.discord_tree import Languages, Maker, Texts, roots, tree_of
from bot.connectors.discord_wire import Wire
from bot.doors import Doors
from bot.model import Account, Place
from bot.outbox import Checkpoint
from bot.rooms import RoomWish
from bot.services import Finding
from bot.store.message_rows import Message
from bot.words import Words

_LOG = logging.getLogger("vcc.discord")


class DiscordDoor:
    """A ``Connector``. A client lives as long as one ``run``; the next one starts with a new client."""

    platform = PLATFORM

    def __init__(self, doors: Doors, pace: Pace = Pace()) -> None:  # noqa: B008 - frozen
        self._doors = doors
        self._pace = pace
        self._client: Listener | None = None
        self._roster = DiscordRoster(doors.settings, self._connected)
        self.intake = Intake(doors, self._roster)
        self._courier = DiscordCourier(Wire(self._connected), doors.words, self._me)
        self._rooms = DiscordRooms(self._connected, doors.settings.discord_guild_id)
        self._maker = Maker(doors.words, Texts(doors.registry), self.intake.command, self.intake.suggest)
        roots(doors.registry, self._maker)  # what Discord would refuse stops the start

    def _connected(self) -> Listener | None:
        return self._client

    def _me(self) -> str:
        return str(self._client.user.id) if self._client is not None and self._client.user is not None else ""

    def client(self) -> Listener:
        """A client that is ready to be logged in."""
        return Listener(self.intake, self._prepare, self._pace)

    async def _prepare(self, client: Listener) -> None:
        """Logged in: from now on messages can go out, and the commands are registered."""
        self._client = client
        words, guild = self._doors.words, self._doors.settings.discord_guild_id
        tree = tree_of(client, self._doors.registry, self._maker, guild)
        answer_errors(tree, self.intake, words("discord.outdated"), words("discord.broken"))
        await tree.set_translator(Languages())
        try:
            await tree.sync(guild=discord.Object(guild) if guild is not None else None)
        except discord.HTTPException as error:
            # Mentions still work, and ``check`` says what is missing.
            _LOG.error("the commands could not be registered: %s", error)

    async def run(self) -> None:
        """Listen until cancelled; raises when the connection is lost for good."""
        try:
            await self.client().listen(self._doors.settings.discord_token.get_secret_value())
        finally:
            self._client = None

    def healthy(self) -> bool:
        """Whether people can be heard now."""
        return self._client is not None and self._client.hearing

    def routes(self) -> Sequence[web.RouteDef]:
        """The gateway connects outward: nothing listens."""
        return ()

    async def check(self, words: Words) -> Sequence[Finding]:
        """What is misconfigured, looked at with a client of its own when none is running."""
        return await Examiner(self._doors.settings, self._roster.wanted).examine(self._client, words)

    def lane(self, message: Message) -> str:
        """See ``DiscordCourier``."""
        return self._courier.lane(message)

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        """See ``DiscordCourier``."""
        return await self._courier.deliver(message, checkpoint)

    async def find(self, message: Message) -> Mapping[str, str] | None:
        """See ``DiscordCourier``."""
        return await self._courier.find(message)

    async def open_room(self, wish: RoomWish) -> Place | None:
        """See ``DiscordRooms``."""
        return await self._rooms.open(wish)

    def room_lost(self, reason: str) -> bool:
        """Whether that tells of a channel that is gone."""
        return lost(reason)

    async def groups_of(self, account: Account) -> frozenset[Account]:
        """See ``DiscordRoster``."""
        return await self._roster.groups_of(account)


def point_library(settings: Settings) -> None:
    """discord.py keeps its addresses on classes; they are changed only when the settings name others."""
    if settings.discord_api_url:
        Route.BASE = settings.discord_api_url.rstrip("/")
    if settings.discord_gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)


def build(doors: Doors) -> DiscordDoor:
    """The door of these settings."""
    point_library(doors.settings)
    return DiscordDoor(doors)
