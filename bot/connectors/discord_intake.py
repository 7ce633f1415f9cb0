"""Takes in what people do on Discord: onto the record, acknowledged inside 3 s, then run. Knows no commands and no answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp
import discord

from bot.command import Command, Kind, Parameter
from bot.connectors.discord_embeds import line_of
from bot.connectors.discord_lines import mentioned
from bot.connectors.discord_roster import DiscordRoster
from bot.connectors.discord_text import escaped
from bot.connectors.discord_tree import matching
from bot.doors import Doors
from bot.errors import RecordUnwritable
from bot.line import note_line
from bot.model import Account, Invocation, Place, Role

_LOG = logging.getLogger("vcc.discord")
PLATFORM = "discord"
_RECORD_WITHIN = 2.0
_ACK_WITHIN = 2.5
_SUGGEST_WITHIN = 2.0
# RuntimeError is what aiohttp says of a session that was closed meanwhile.
_ACK_FAILS = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError, RuntimeError)
_SILENT = discord.AllowedMentions.none()
Interaction = discord.Interaction[Any]
Step = Callable[[], Awaitable[object]]
Tell = Callable[[str], Awaitable[object]]


class Intake:
    """From a delivery of the gateway to a running request."""

    def __init__(self, doors: Doors, roster: DiscordRoster, record_within: float = _RECORD_WITHIN) -> None:
        self._doors = doors
        self._roster = roster
        self._record_within = record_within

    async def command(self, interaction: Interaction, line: str) -> None:
        """A native command was used."""
        await self._interaction(interaction, line, "slash", interaction.response.defer)

    async def button(self, interaction: Interaction) -> None:
        """A button was pressed: whoever pressed it typed its line."""
        data: Mapping[str, Any] = interaction.data or {}
        line = line_of(str(data.get("custom_id", "")))
        if line is None:
            await self.refuse(interaction, self._doors.words("discord.unknown_button"))
            return
        await self._interaction(interaction, line, "button", lambda: interaction.response.defer(ephemeral=True, thinking=True))

    async def message(self, message: discord.Message, me: str) -> None:
        """Somebody wrote something; it is for us when it begins with our mention, or tells that a message was pinned."""
        pinned = message.type is discord.MessageType.pins_add
        line = await self._pinned(message) if pinned else mentioned(message.content, me)
        if line is None or message.author.bot:
            return
        account = Account(PLATFORM, str(message.author.id))
        if isinstance(message.author, discord.Member):
            self._learn(account, message.author)
        handle = {"kind": "message", "message": str(message.id), "user": account.id}
        place = _place(message.channel, message.guild is None)
        key = f"discord:pin:{_pinned_id(message)}" if pinned else f"discord:{message.id}"
        invocation = Invocation(line, account, place, key, time.time(), account_name=message.author.display_name, reply_handle=handle)

        async def tell(sentence: str) -> None:
            await message.reply(escaped(sentence), allowed_mentions=_SILENT)

        await self._take(invocation, _nothing, tell)

    async def _pinned(self, message: discord.Message) -> str | None:
        """Where an incident goes on, a pinned message is a note: its text, as far as Discord lets us read it, else where it stands."""
        reference = message.reference
        if reference is None or reference.message_id is None or not await self._doors.notes(_place(message.channel, message.guild is None)):
            return None
        try:
            async with asyncio.timeout(_ACK_WITHIN):
                found = await message.channel.fetch_message(reference.message_id)
        except _ACK_FAILS as error:
            _LOG.warning("a pinned message cannot be read: %r", error)
            return note_line(reference.jump_url)
        author = f"discord:{found.author.id}"
        return note_line(f"{author}: {found.content or reference.jump_url}")

    async def _interaction(self, interaction: Interaction, line: str, kind: str, acknowledge: Step) -> None:
        account = Account(PLATFORM, str(interaction.user.id))
        if isinstance(interaction.user, discord.Member):
            self._learn(account, interaction.user)
        handle = {
            "kind": kind,
            "application": str(interaction.application_id),
            "interaction": str(interaction.id),
            "token": interaction.token,
            "user": account.id,
        }
        place = _place(interaction.channel, interaction.guild_id is None, interaction.channel_id)
        name = interaction.user.display_name
        invocation = Invocation(line, account, place, f"discord:{interaction.id}", time.time(), account_name=name, reply_handle=handle)
        await self._take(invocation, acknowledge, lambda sentence: self.refuse(interaction, sentence))

    async def _take(self, invocation: Invocation, acknowledge: Step, tell: Tell) -> None:
        """On the record, then acknowledged, then started; a delivery seen before is only acknowledged."""
        try:
            accepted = await self._doors.dispatch.accept(invocation, self._record_within)
        except RecordUnwritable as error:
            _LOG.error("not recorded, so not run: %s", error.detail)
            sentence = self._doors.words(error.key, **error.values)
            await _attempt(lambda: tell(sentence))
            return
        await _attempt(acknowledge)
        if accepted is not None:
            self._doors.dispatch.start(accepted)

    def _learn(self, account: Account, member: discord.Member) -> None:
        """The gate forgets what it knew: the roster now knows better."""
        if self._roster.learn(account, member.guild.id, (role.id for role in member.roles)):
            self._doors.gate.forget(account)

    async def suggest(self, interaction: Interaction, parameter: Parameter, command: Command, current: str) -> Sequence[str]:
        """What may be meant while somebody types; nothing for those who may not ask for anything."""
        account = Account(PLATFORM, str(interaction.user.id))
        if isinstance(interaction.user, discord.Member):
            self._learn(account, interaction.user)
        try:
            async with asyncio.timeout(_SUGGEST_WITHIN):
                person = await self._doors.gate.person_of(account)
        except TimeoutError:
            return []
        if person.role is Role.NOBODY:
            return []
        if parameter.kind is Kind.SERVICE:
            return matching([*self._doors.services()], current)
        if parameter.choices:
            return matching(parameter.choices, current)
        return matching([" ".join(path) for path, each in self._doors.registry.paths() if person.role >= each.role], current)

    async def refuse(self, interaction: Interaction, sentence: str) -> None:
        """Tell the asker alone, at once."""
        await _attempt(lambda: interaction.response.send_message(escaped(sentence), ephemeral=True, allowed_mentions=_SILENT))


def _pinned_id(message: discord.Message) -> int | None:
    return message.reference.message_id if message.reference is not None else None


async def _nothing() -> None:
    """A message needs no acknowledgement."""


async def _attempt(step: Step) -> None:
    """An acknowledgement that fails changes nothing: the request is on the record, and its answer finds another way."""
    try:
        async with asyncio.timeout(_ACK_WITHIN):
            await step()
    except _ACK_FAILS as error:
        _LOG.warning("not acknowledged: %r", error)


def _place(channel: Any, direct: bool, channel_id: int | None = None) -> Place:
    """A thread belongs to its channel, which is what the settings name."""
    if isinstance(channel, discord.Thread):
        return Place(PLATFORM, str(channel.parent_id), str(channel.id), direct)
    return Place(PLATFORM, str(channel.id if channel is not None else channel_id or 0), "", direct)
