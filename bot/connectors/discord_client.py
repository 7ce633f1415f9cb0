"""Our client of Discord's gateway: hands on what people do, knows whether it hears them, and finds out when it does not.

Knows nothing of requests and answers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import discord
from discord import app_commands

_LOG = logging.getLogger("vcc.discord")
Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: how often the line is probed, how long an echo may take, how long it may be down before we start anew."""

    probe_every: float = 30.0
    probe_within: float = 10.0
    down_at_most: float = 120.0
    heartbeat: float = 60.0
    login_within: float = 30.0


class Hears(Protocol):
    """Whoever what people do is handed to."""

    async def button(self, interaction: Interaction) -> None:
        """A button was pressed."""

    async def message(self, message: discord.Message, me: str) -> None:
        """Somebody wrote a message."""

    async def refuse(self, interaction: Interaction, sentence: str) -> None:
        """Tell somebody why nothing happens."""


class Listener(discord.Client):
    """A client without privileged intents: messages that mention us carry their text all the same."""

    def __init__(self, hears: Hears, prepare: Callable[[Listener], Awaitable[None]], pace: Pace) -> None:
        intents = discord.Intents.none()
        intents.guilds = True
        intents.guild_messages = True
        super().__init__(
            intents=intents,
            max_messages=None,
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.5,
            heartbeat_timeout=pace.heartbeat,
            max_ratelimit_timeout=30.0,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._hears = hears
        self._prepare = prepare
        self._pace = pace
        self.hearing = False
        self.heard_at = time.monotonic()

    async def setup_hook(self) -> None:
        """Once logged in, before the gateway."""
        await self._prepare(self)

    async def on_connect(self) -> None:
        """A new session."""
        self._heard()

    async def on_resumed(self) -> None:
        """The old session goes on; what was missed has been replayed."""
        self._heard()

    async def on_disconnect(self) -> None:
        """The line is gone; the library tries again by itself."""
        self.hearing = False

    def _heard(self) -> None:
        self.hearing = True
        self.heard_at = time.monotonic()

    async def on_interaction(self, interaction: Interaction) -> None:
        """Commands and autocomplete go through the tree; buttons come here."""
        if interaction.type is discord.InteractionType.component:
            await self._hears.button(interaction)

    async def on_message(self, message: discord.Message) -> None:
        """Any message we may see."""
        if self.user is not None:
            await self._hears.message(message, str(self.user.id))

    async def listen(self, token: str) -> None:
        """Log in and listen until cancelled; raises when the connection is lost for good."""
        async with self:
            async with asyncio.timeout(self._pace.login_within):
                await self.login(token)
            connection = asyncio.create_task(self.connect(), name="discord-gateway")
            try:
                await self._watch(connection)
            finally:
                self.hearing = False
                await self.close()
                await asyncio.wait({connection}, timeout=3.0)
                connection.cancel()
                await asyncio.gather(connection, return_exceptions=True)

    async def _watch(self, connection: asyncio.Task[None]) -> None:
        while True:
            done, _ = await asyncio.wait({connection}, timeout=self._pace.probe_every)
            if done:
                connection.result()
                raise ConnectionError("the gateway connection ended")
            if self.hearing:
                await self._probe()
            elif time.monotonic() - self.heard_at > self._pace.down_at_most:
                raise ConnectionError("the gateway has been out of reach for too long")

    async def _probe(self) -> None:
        """A question only a live gateway answers: a half-open socket is closed, and resumed, by us."""
        guild = next(iter(self.guilds), None)
        if guild is None or self.user is None:
            return
        # In a task of its own: the library's waiting can swallow a cancellation that comes together with the answer.
        asking = asyncio.create_task(guild.query_members(user_ids=[self.user.id], cache=False), name="discord-probe")
        asking.add_done_callback(lambda task: task.cancelled() or task.exception())  # looked at, whoever still waits for it
        try:
            answered, _ = await asyncio.wait({asking}, timeout=self._pace.probe_within)
        finally:
            asking.cancel()
        if not answered:
            _LOG.warning("the gateway is half open; connecting anew")
            self.hearing = False
            await self._hang_up()
            return
        try:
            asking.result()
        except (discord.DiscordException, OSError, TimeoutError) as error:
            _LOG.warning("the gateway could not be asked: %r", error)
        else:
            self.heard_at = time.monotonic()

    async def _hang_up(self) -> None:
        """4000 keeps the session, so that what was missed is replayed. Saying goodbye to a dead line is not waited for."""
        try:
            async with asyncio.timeout(1.0):
                await self.ws.close(code=4000)
        except (TimeoutError, discord.DiscordException, OSError) as error:
            _LOG.debug("hanging up: %r", error)


def answer_errors(tree: app_commands.CommandTree[Any], hears: Hears, outdated: str, broken: str) -> None:
    """A command that we no longer have, or that fails in our own door, is answered too."""

    async def on_error(interaction: Interaction, error: app_commands.AppCommandError) -> None:
        unknown = isinstance(error, (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch))
        if not unknown:
            _LOG.error("a command broke in the door", exc_info=error)
        await hears.refuse(interaction, outdated if unknown else broken)

    tree.error(on_error)
