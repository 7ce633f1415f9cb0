"""Who has which role in the guild: learnt from each interaction, else asked for; what cannot be known is an error, never a guess."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import aiohttp
import discord

from bot.config import Settings
from bot.errors import Denied, TimedOut, Unreachable
from bot.model import Account
from bot.permissions import GROUP_OF

_SYSTEM = "discord"
FRESH = 60.0
_DEADLINE = 5.0
_KEPT = 5_000


class DiscordRoster:
    """Roles of accounts, of those roles alone that the settings name."""

    def __init__(
        self, settings: Settings, client: Callable[[], discord.Client | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._guild = settings.discord_guild_id
        self._client = client
        self._clock = clock
        entries = (*settings.vcc_admins, *settings.vcc_operators, *settings.vcc_viewers)
        self.wanted = frozenset(account for entry in entries for account in entry if account.platform == GROUP_OF["discord"])
        self._known: dict[Account, tuple[float, frozenset[Account]]] = {}

    def learn(self, account: Account, guild: int, roles: Iterable[int]) -> bool:
        """What the platform itself said just now about a member of our guild; whether it was of use."""
        if not self.wanted or (self._guild is not None and guild != self._guild):
            return False
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[account] = (self._clock(), self._named(roles))
        return True

    def _named(self, roles: Iterable[int]) -> frozenset[Account]:
        return frozenset(Account(GROUP_OF["discord"], str(role)) for role in roles) & self.wanted

    async def groups_of(self, account: Account) -> frozenset[Account]:
        """The roles of an account; OutsideError when they cannot be known now."""
        if not self.wanted:
            return frozenset()
        at, known = self._known.get(account, (float("-inf"), frozenset()))
        if self._clock() - at < FRESH:
            return known
        try:
            async with asyncio.timeout(_DEADLINE):
                found = await self._ask(account)
        except TimeoutError as error:
            raise TimedOut(_SYSTEM, _DEADLINE) from error
        self._known[account] = (self._clock(), found)
        return found

    async def _ask(self, account: Account) -> frozenset[Account]:
        client = self._client()
        if client is None or not account.id.isdigit():
            raise Unreachable(_SYSTEM, "not connected")
        guilds = [self._guild] if self._guild is not None else [guild.id for guild in client.guilds]
        found: frozenset[Account] = frozenset()
        for guild in guilds:
            try:
                member = await client.http.get_member(guild, int(account.id))
            except discord.NotFound:
                continue
            except discord.Forbidden as error:
                raise Denied(_SYSTEM, str(error)) from error
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                raise Unreachable(_SYSTEM, str(error)) from error
            found |= self._named(int(role) for role in member["roles"])
        return found
