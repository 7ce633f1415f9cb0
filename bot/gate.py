"""Permissions with the platforms' groups and roles looked up: cached, refreshed, and closed when they cannot be known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from bot.command import Command
from bot.errors import Forbidden, OutsideError, TimedOut
from bot.model import Account, Invocation, Person, Place, Role
from bot.permissions import Permissions

FRESH = 60.0
USABLE = 600.0
PATIENCE = 1.5
REST = 5.0


class Roster(Protocol):
    """A platform that knows who is in which group."""

    async def groups_of(self, account: Account) -> frozenset[Account]:
        """The groups or roles an account is in. OutsideError when that cannot be known now."""


async def no_rooms(place: Place) -> bool:
    """The house made no channel."""
    return False


class Gate:
    """Who somebody is and what they may do, groups included. A lookup that fails grants nothing.

    ``rooms`` tells whether the house made a channel itself: lines are taken there as in those of the settings.
    """

    def __init__(
        self,
        permissions: Permissions,
        clock: Callable[[], float] = time.monotonic,
        rooms: Callable[[Place], Awaitable[bool]] = no_rooms,
    ) -> None:
        self._permissions = permissions
        self._rooms = rooms
        self._clock = clock
        self._rosters: dict[str, Roster] = {}
        self._hangs_until: dict[str, float] = {}
        self._known: dict[Account, tuple[float, frozenset[Account]]] = {}

    def register(self, platform: str, roster: Roster) -> None:
        """Ask this roster about the platform's accounts."""
        self._rosters[platform] = roster

    def forget(self, account: Account) -> None:
        """A platform said that this account's groups changed."""
        self._known.pop(account, None)

    async def admit(self, invocation: Invocation) -> Person:
        """The person behind a request that may be made here; Forbidden otherwise. What was promised is kept for whoever asked."""
        if invocation.promised:
            return await self.person_of(invocation.account)
        groups, complete = await self._groups(invocation.account)
        place = invocation.place
        made = place.platform != "local" and not self._permissions.lists(place) and await self._rooms(place)
        try:
            return self._permissions.admit(invocation.account, place, groups, made=made)
        except Forbidden as refusal:
            if complete or refusal.key != "permissions.unknown_account":
                raise
            raise Forbidden("permissions.roles_unknown", account=str(invocation.account), admins=self.who(Role.ADMIN)) from refusal

    async def person_of(self, account: Account) -> Person:
        """Who an account is, wherever they speak; role NOBODY when unknown."""
        groups, _ = await self._groups(account)
        return self._permissions.person(account, groups)

    async def _groups(self, account: Account) -> tuple[frozenset[Account], bool]:
        """The groups of all a person's accounts, and whether every lookup that matters worked."""
        found: frozenset[Account] = frozenset()
        complete = True
        if self._permissions.groups and self._permissions.person(account).role is not Role.ADMIN:  # no group can add to that
            for each in self._permissions.accounts_of(account):
                groups = await self._look_up(each)
                complete = complete and groups is not None
                found |= groups or frozenset()
        return found, complete

    async def _look_up(self, account: Account) -> frozenset[Account] | None:
        roster = self._rosters.get(account.platform)
        if roster is None:
            return frozenset() if account.platform == "local" else None
        at, known = self._known.get(account, (-USABLE, frozenset()))
        if self._clock() - at < FRESH:
            return known
        # An answer a few minutes old still stands; none, or an older one, grants nothing.
        usable = known if self._clock() - at < USABLE else None
        if self._clock() < self._hangs_until.get(account.platform, 0):
            return usable
        try:
            async with asyncio.timeout(PATIENCE):
                known = await roster.groups_of(account)
        except (TimedOut, TimeoutError):
            # Nobody else has to wait for a platform that hangs.
            self._hangs_until[account.platform] = self._clock() + REST
            return usable
        except OutsideError:
            return usable
        self._known[account] = (self._clock(), known)
        return known

    def require(self, person: Person, command: Command) -> None:
        """Forbidden unless this person may ask for this command."""
        self._permissions.require(person, command)

    async def require_approval(self, invocation: Invocation) -> Person:
        """The approver of a held request, checked again now; Forbidden when they may no longer approve it."""
        approver_account = invocation.approved_by or Account("local", "-")
        approver = await self.person_of(approver_account)
        self._permissions.require_approver(approver, approver_account, invocation.account)
        return approver

    def who(self, role: Role) -> str:
        """Who holds at least this role."""
        return self._permissions.who(role)

    def explain(self, account: Account) -> Mapping[str, str]:
        """Entry of the settings to role, for every account of the same person."""
        return self._permissions.explain(account)
