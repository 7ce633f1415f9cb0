"""What is misconfigured on Discord's side: token, guild, commands, channels, roles. Looks only; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import aiohttp
import discord

from bot.config import Settings
from bot.errors import Unreachable
from bot.model import Account
from bot.services import Finding
from bot.words import Words

_NEEDED = ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")


class Examiner:
    """Asks Discord over REST, with the running client or one of its own."""

    def __init__(self, settings: Settings, roles: frozenset[Account]) -> None:
        self._settings = settings
        self._roles = roles
        named = (*settings.vcc_channel_ops, *settings.vcc_channel_alerts, *settings.vcc_channel_incidents)
        self._channels = sorted({channel.id for channel in named if channel.platform == "discord"})

    async def examine(self, running: discord.Client | None, words: Words) -> Sequence[Finding]:
        """Every fault, or one line that all is well. OutsideError when Discord cannot be reached."""
        try:
            if running is not None:
                return [*await self._findings(running, words)]
            async with discord.Client(intents=discord.Intents.none()) as client:
                await client.login(self._settings.discord_token.get_secret_value())
                return [*await self._findings(client, words)]
        except discord.LoginFailure:
            return [_bad(words, "token")]
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            raise Unreachable("discord", str(error)) from error

    async def _findings(self, client: discord.Client, words: Words) -> list[Finding]:
        identity = self._settings.discord_guild_id
        try:
            guilds = [await client.fetch_guild(identity)] if identity else [guild async for guild in client.fetch_guilds(limit=5)]
        except (discord.NotFound, discord.Forbidden):
            guilds = []
        if not guilds:
            return [_bad(words, "guild", guild=identity or "-")]
        findings: list[Finding] = []
        registered = await self._registered(client)
        if not registered:
            findings.append(_bad(words, "commands"))
        # When none is named, incidents get their channels in the first; of one in a list Discord does not tell the roles.
        guild = guilds[0] if identity else await client.fetch_guild(guilds[0].id)
        me = await guild.fetch_member(client.user.id if client.user else 0)
        if not me.guild_permissions.manage_channels:
            findings.append(Finding("discord rooms", "warn", words("discord.check.rooms"), words("discord.check.rooms_fix")))
        if identity:
            findings += await self._in_guild(guild, me, words)
        if not any(finding.state == "bad" for finding in findings):
            findings.insert(0, Finding("discord", "ok", words("discord.check.ok", bot=str(client.user), commands=registered)))
        return findings

    async def _registered(self, client: discord.Client) -> int:
        """How many root commands Discord has of us."""
        application, guild = client.application_id, self._settings.discord_guild_id
        if application is None:
            return 0
        try:
            if guild is not None:
                return len(await client.http.get_guild_commands(application, guild))
            return len(await client.http.get_global_commands(application))
        except discord.Forbidden:
            return 0

    async def _in_guild(self, guild: discord.Guild, me: discord.Member, words: Words) -> list[Finding]:
        roles = {str(role.id) for role in await guild.fetch_roles()}
        findings = [_bad(words, "role", role=role.id) for role in sorted(self._roles, key=str) if role.id not in roles]
        seen = {str(channel.id): channel for channel in await guild.fetch_channels()}
        for channel in self._channels:
            findings += _channel_findings(seen.get(channel), channel, me, words)
        return findings


def _channel_findings(channel: discord.abc.GuildChannel | None, identity: str, me: discord.Member, words: Words) -> Iterator[Finding]:
    if channel is None:
        yield _bad(words, "channel_missing", channel=identity)
        return
    may = channel.permissions_for(me)
    missing = [name for name in _NEEDED if not getattr(may, name)]
    if "view_channel" in missing:
        yield _bad(words, "channel_missing", channel=identity)
    elif missing:
        yield _bad(words, "channel_rights", channel=identity, missing=", ".join(missing))


def _bad(words: Words, fault: str, **values: object) -> Finding:
    return Finding("discord", "bad", words(f"discord.check.{fault}", **values), words(f"discord.check.{fault}_fix"))
