"""Who is in which of the Slack user groups that the settings name: asked for at most once a minute, closed when it cannot be known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.connectors.slack_errors import VENDOR, code_of, outside
from bot.model import Account

_FRESH = 60.0
_SECONDS = 5.0


def wanted_groups(settings: Settings) -> tuple[Account, ...]:
    """The user groups that grant something."""
    entries: Iterable[tuple[Account, ...]] = (*settings.vcc_admins, *settings.vcc_operators, *settings.vcc_viewers)
    return tuple(sorted({account for entry in entries for account in entry if account.platform == "slack-group"}, key=str))


class SlackRoster:
    """Members of groups."""

    def __init__(self, client: AsyncWebClient, groups: Iterable[Account], clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._groups = tuple(groups)
        self._clock = clock
        self._known: dict[Account, tuple[float, frozenset[str]]] = {}
        self._asking = asyncio.Lock()

    async def groups_of(self, account: Account) -> frozenset[Account]:
        """The groups an account is in. OutsideError when one of them cannot be asked about now."""
        async with self._asking:
            return frozenset([group for group in self._groups if account.id in await self._fresh(group)])

    async def _fresh(self, group: Account) -> frozenset[str]:
        at, users = self._known.get(group, (-_FRESH, frozenset()))
        if self._clock() - at >= _FRESH:
            users = await self.members(group)
            self._known[group] = (self._clock(), users)
        return users

    async def members(self, group: Account) -> frozenset[str]:
        """The members now. A group that is gone or disabled has none."""
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._client.usergroups_users_list(usergroup=group.id)
        except VENDOR as error:
            if code_of(error) == "no_such_subteam":
                return frozenset()
            raise outside(error, _SECONDS) from error
        return frozenset(map(str, answer.get("users") or ()))
