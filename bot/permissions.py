"""Who may do what, where: people, their accounts and roles, places, ceilings. Pure; fails closed.

Knows nothing of platforms: which groups an account is in is handed over by the caller.
"""

from __future__ import annotations

import functools
import os
import pwd
from collections.abc import Iterable, Mapping

from bot.command import Command
from bot.config import Settings
from bot.errors import Forbidden
from bot.model import Account, Person, Place, Role

GROUP_OF = {"slack": "slack-group", "discord": "discord-role"}


@functools.cache
def system_account() -> Account:
    """The account of whoever runs the program at the terminal."""
    return Account("local", pwd.getpwuid(os.getuid()).pw_name)


class Permissions:
    """The settings' lists of people and channels, as questions with one answer."""

    def __init__(self, settings: Settings) -> None:
        self._people: dict[Account, frozenset[Account]] = {}
        self._roles: dict[Account, Role] = {}
        self._solo = settings.vcc_approvals == "solo"
        self._console = None if settings.vcc_console == "off" else Role[settings.vcc_console.upper()]
        self._places = frozenset((*settings.vcc_channel_ops, *settings.vcc_channel_alerts, *settings.vcc_channel_incidents))
        lists = ((settings.vcc_admins, Role.ADMIN), (settings.vcc_operators, Role.OPERATOR), (settings.vcc_viewers, Role.VIEWER))
        for entries, role in lists:
            for entry in entries:
                self._learn(entry, role)

    def _learn(self, entry: Iterable[Account], role: Role) -> None:
        """One person's accounts, or a group. An account named in two entries makes them one person."""
        accounts = frozenset(entry)
        for account in tuple(accounts):
            accounts |= self._people.get(account, frozenset())
            self._roles[account] = max(role, self._roles.get(account, Role.NOBODY))
        for account in accounts:
            self._people[account] = accounts

    @property
    def solo(self) -> bool:
        """Whether a one-person team confirms its own plans by a code."""
        return self._solo

    @property
    def groups(self) -> frozenset[Account]:
        """The groups and roles that grant something, so that connectors know whose members to ask for."""
        return frozenset(account for account in self._roles if account.platform in GROUP_OF.values())

    def people_on(self, platform: str, role: Role) -> tuple[Account, ...]:
        """The accounts on a platform that the settings give at least this role; those known through a group only are not among them."""
        return tuple(sorted((each for each, held in self._roles.items() if each.platform == platform and held >= role), key=str))

    def accounts_named(self, name: str) -> tuple[Account, ...]:
        """The accounts of the person written so; of one whom only a group makes known, the account that the name is."""
        found = {account for account in self._roles if account.platform not in GROUP_OF.values() and self._written(account) == name}
        if found:
            return tuple(sorted(found, key=str))
        try:
            return (Account.parse(name),)
        except ValueError:
            return ()

    def _written(self, account: Account) -> str:
        return self._name(account, self.accounts_of(account))

    def accounts_of(self, account: Account) -> frozenset[Account]:
        """All accounts known to be the same person's."""
        return self._people.get(account, frozenset({account}))

    def admit(self, account: Account, place: Place, groups: Iterable[Account] = (), *, made: bool = False) -> Person:
        """Who this is, when they may speak here at all; Forbidden otherwise. ``groups``: those their accounts are in.

        ``made``: the house made this channel itself, for an incident, so that it is in no settings.
        """
        self._admit_place(account, place, made=made)
        person = self.person(account, groups)
        if person.role is Role.NOBODY:
            raise Forbidden("permissions.unknown_account", account=str(account), admins=self.who(Role.ADMIN))
        return person

    def lists(self, place: Place) -> bool:
        """Whether the settings name this channel."""
        return Account(place.platform, place.channel) in self._places

    def _admit_place(self, account: Account, place: Place, *, made: bool) -> None:
        if place.platform == "local":
            if self._console is None or account.platform != "local":
                raise Forbidden("permissions.console_off")
            return
        if place.platform != account.platform or not (made or self.lists(place)):
            allowed = ", ".join(sorted(str(each) for each in self._places if each.platform == place.platform))
            raise Forbidden("permissions.unknown_place", place=str(place), account=str(account), allowed=allowed or "-")

    def person(self, account: Account, groups: Iterable[Account] = ()) -> Person:
        """The person behind an account, with the highest role of their accounts and groups."""
        accounts = self.accounts_of(account)
        roles = [self._roles.get(each, Role.NOBODY) for each in (*accounts, *groups)]
        if account == system_account() and account not in self._roles and self._console is not None:
            roles.append(self._console)
        return Person(self._name(account, accounts), accounts, max(roles))

    @staticmethod
    def _name(account: Account, accounts: frozenset[Account]) -> str:
        local = sorted(each.id for each in accounts if each.platform == "local")
        return local[0] if local else str(min(accounts, key=str) if accounts else account)

    def require(self, person: Person, command: Command) -> None:
        """Forbidden unless this person may ask for this command."""
        if person.role < command.role:
            raise Forbidden(
                "permissions.too_low",
                command=command.name,
                needs=command.role.name.lower(),
                has=person.role.name.lower(),
                helpers=self.who(command.role),
            )

    def require_approver(self, approver: Person, account: Account, asker: Account) -> None:
        """Forbidden unless the approver is an admin and provably another person than the asker (or the team is solo)."""
        if approver.role < Role.ADMIN:
            raise Forbidden(
                "permissions.not_an_approver", has=approver.role.name.lower(), needs=Role.ADMIN.name.lower(), helpers=self.who(Role.ADMIN)
            )
        if self._solo:
            return
        if asker in approver.accounts or account in self.accounts_of(asker):
            raise Forbidden("permissions.own_request", helpers=self.who(Role.ADMIN, without=approver))
        if account.platform != asker.platform and not self._both_listed(account, asker):
            # Known only through a group, two accounts on two platforms may be one person's: refused.
            raise Forbidden("permissions.maybe_same_person", account=str(account), asker=str(asker))

    def _both_listed(self, *accounts: Account) -> bool:
        return all(account in self._roles for account in accounts)

    def who(self, role: Role, without: Person | None = None) -> str:
        """Who holds at least this role, as listed, for "who can help"."""
        skipped = without.accounts if without else frozenset()
        names = {
            self._name(account, self.accounts_of(account))
            for account, held in self._roles.items()
            if held >= role and account not in skipped
        }
        return ", ".join(sorted(names)) or "-"

    def explain(self, account: Account) -> Mapping[str, str]:
        """Where each part of an account's role comes from: entry to role name."""
        return {str(each): self._roles[each].name.lower() for each in sorted(self.accounts_of(account), key=str) if each in self._roles}
