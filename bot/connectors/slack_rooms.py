"""Makes a channel on Slack for an incident, or finds the one it made before: by its name, when it is of our own making."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.connectors.slack_errors import VENDOR, code_of, outside
from bot.connectors.slack_roster import SlackRoster
from bot.connectors.slack_text import escaped
from bot.errors import OutsideError
from bot.model import Place
from bot.permissions import GROUP_OF
from bot.rooms import RoomWish

_LOG = logging.getLogger("vcc.slack")
_TRIES = 5
_LONGEST_NAME, _LONGEST_TOPIC = 80, 250
_PAGES, _PAGE = 50, 1_000
_INVITED = 100
_AGAIN = frozenset("ratelimited rate_limited internal_error fatal_error request_timeout service_unavailable".split())
_LOST = frozenset("channel_not_found is_archived not_in_channel".split())


class SlackRooms:
    """Channels of one workspace."""

    def __init__(self, client: AsyncWebClient, roster: SlackRoster) -> None:
        self._client = client
        self._roster = roster

    async def open(self, wish: RoomWish, us: str) -> Place | None:
        """The channel, with its people and topic; None where we may make none. ``us`` is our own user."""
        try:
            channel = await self._made(wish, us)
        except OutsideError:
            raise
        except VENDOR as error:
            if code_of(error) and code_of(error) not in _AGAIN:
                _LOG.warning("no channel for %s: %s", wish.name, code_of(error))
                return None
            raise outside(error) from error
        if channel is None:
            return None
        await self._let_in(channel, await self._people(wish, us))
        await self._try("conversations.setTopic", channel=channel, topic=escaped(wish.topic, _LONGEST_TOPIC))
        return Place("slack", channel)

    async def _made(self, wish: RoomWish, us: str) -> str | None:
        """Its id. A name that somebody else took is tried with a number behind it."""
        for number in range(1, _TRIES + 1):
            name = wish.name if number == 1 else f"{wish.name[: _LONGEST_NAME - 2]}-{number}"
            try:
                answer = await self._client.conversations_create(name=name, is_private=wish.private)
                return str(answer["channel"]["id"])
            except VENDOR as error:
                if code_of(error) != "name_taken":
                    raise
            found = await self._found(name, us)
            if found is not None:
                return found
        _LOG.warning("no channel for %s: every name is taken", wish.name)
        return None

    async def _found(self, name: str, us: str) -> str | None:
        """One of this name that we made, and that is still open: an earlier try whose end was lost."""
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await self._client.conversations_list(
                types="public_channel,private_channel", exclude_archived=True, limit=_PAGE, cursor=cursor
            )
            for channel in page.get("channels") or []:
                if channel.get("name") == name and _is_ours(channel, us):
                    return str(channel["id"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    async def _people(self, wish: RoomWish, us: str) -> list[str]:
        """Each once; of a group whoever is in it now."""
        found = [account.id for account in wish.members if account.platform == "slack"]
        for group in (account for account in wish.members if account.platform == GROUP_OF["slack"]):
            try:
                found += sorted(await self._roster.members(group))
            except OutsideError as error:
                _LOG.warning("an incident's channel is made without the people of %s: %s", group.id, error)
        return [each for each in dict.fromkeys(found) if each != us]

    async def _let_in(self, channel: str, people: Sequence[str]) -> None:
        """Many at once; one by one when one of them cannot be, who then stays outside."""
        for begin in range(0, len(people), _INVITED):
            some = people[begin : begin + _INVITED]
            if not await self._try("conversations.invite", channel=channel, users=",".join(some)):
                for person in some:
                    await self._try("conversations.invite", channel=channel, users=person)

    async def _try(self, method: str, **arguments: Any) -> bool:
        """What makes the room better but not possible: whether it went well."""
        try:
            await self._client.api_call(method, json=arguments)
        except VENDOR as error:
            _LOG.warning("%s for an incident's channel: %s", method, code_of(error) or type(error).__name__)
            return False
        return True


def _is_ours(channel: Mapping[str, Any], us: str) -> bool:
    return bool(us) and channel.get("creator") == us


def lost(reason: str) -> bool:
    """Whether this is what Slack says of a channel that is gone, or that we are no member of any more."""
    return reason in _LOST
