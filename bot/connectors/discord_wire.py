"""The few REST calls that show a message on Discord, through discord.py's own HTTP client (its rate limits included).

Knows nothing of replies; every failure leaves as ``NotDelivered`` or as one of the named refusals.
"""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import discord
from discord.http import Route

from bot.outbox import NotDelivered

_DEAD_TOKEN = frozenset({10062, 10015, 50027})
_UNKNOWN_MESSAGE = 10008
_UNKNOWN_CHANNEL = 10003
_THREAD_THERE = 160004
_ARCHIVE_AFTER = 1440
_NO_DIRECT = frozenset({50007, 50033})
OLD_EDITS = 30046
_TOO_LARGE = 40005
_EPHEMERAL = 1 << 6
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send; ``description`` is read to those who do not see a picture."""

    name: str
    data: bytes
    description: str = ""


Files = Sequence[Upload]


class TokenDead(Exception):
    """The interaction's token is of no use any more, or never was."""


class MessageGone(Exception):
    """The message is not there any more."""


class ChannelGone(Exception):
    """There is no such channel or thread."""


class NoDirect(Exception):
    """This person takes no direct messages."""


class ThreadThere(Exception):
    """The message has its thread already."""


class TooLarge(Exception):
    """Discord refused the files."""


class EditsExhausted(Exception):
    """Old messages of this channel may not be edited for now."""


class Wire:
    """Message calls of the client that is connected now; ``client`` gives it, None while there is none."""

    def __init__(self, client: Callable[[], discord.Client | None]) -> None:
        self._client = client

    async def create(self, channel: str, body: Body, files: Files, nonce: str) -> Mapping[str, Any]:
        """Post; the same nonce within some minutes gives the first message back."""
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel)
        return await self._message(route, {**body, "nonce": nonce, "enforce_nonce": True}, files)

    async def create_below(self, above: tuple[str, str], name: str, body: Body, files: Files, nonce: str) -> tuple[str, Mapping[str, Any]]:
        """Post in the thread below a message (its channel and id), which is made when it is not there; where there may be
        none, in the channel itself. The channel or thread it came to, and the message."""
        channel, message = above
        try:
            try:
                return message, await self.create(message, body, files, nonce)  # a message's thread has its id
            except ChannelGone:
                await self._open_thread(channel, message, name)
                return message, await self.create(message, body, files, nonce)
        except (MessageGone, ChannelGone):
            return channel, await self.create(channel, body, files, nonce)
        except NotDelivered as failure:
            if not failure.final:
                raise
            return channel, await self.create(channel, body, files, nonce)

    async def _open_thread(self, channel: str, message: str, name: str) -> None:
        route = Route("POST", "/channels/{channel_id}/messages/{message_id}/threads", channel_id=channel, message_id=message)
        try:
            await self._ask(route, json={"name": name, "auto_archive_duration": _ARCHIVE_AFTER})
        except ThreadThere:
            return

    async def edit(self, channel: str, message: str, body: Body, files: Files) -> Mapping[str, Any]:
        """Change a message of ours."""
        route = Route("PATCH", "/channels/{channel_id}/messages/{message_id}", channel_id=channel, message_id=message)
        return await self._message(route, body, files)

    async def history(self, channel: str, after: int) -> Sequence[Mapping[str, Any]]:
        """Messages of a channel that are younger than this snowflake."""
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel)
        return cast("Sequence[Mapping[str, Any]]", await self._ask(route, params={"after": after, "limit": 100}))

    async def direct_channel(self, user: str) -> str:
        """The private conversation with somebody."""
        return str((await self._ask(Route("POST", "/users/@me/channels"), json={"recipient_id": user}))["id"])

    async def answer(self, application: str, token: str, message: str, body: Body, files: Files) -> Mapping[str, Any]:
        """Change an answer to an interaction: ``@original`` or a follow-up."""
        return await self._message(_webhook("PATCH", application, token, f"/messages/{message}"), body, files)

    async def withdraw(self, application: str, token: str, message: str = "@original") -> None:
        """Take an answer to an interaction away; one that is not there any more is fine."""
        try:
            await self._ask(_webhook("DELETE", application, token, f"/messages/{message}"))
        except MessageGone:
            return

    async def follow_up(self, application: str, token: str, body: Body, files: Files) -> Mapping[str, Any]:
        """A further answer that only the asker sees."""
        return await self._message(_webhook("POST", application, token, ""), {**body, "flags": _EPHEMERAL}, files, wait=True)

    async def _message(self, route: Route, body: Body, files: Files, *, wait: bool = False) -> Mapping[str, Any]:
        payload = {**body, "attachments": [_described(number, file) for number, file in enumerate(files)]}
        options: dict[str, Any] = {"params": {"wait": "true"}} if wait else {}
        if not files:
            return cast("Mapping[str, Any]", await self._ask(route, json=payload, **options))
        kept = [discord.File(io.BytesIO(file.data), file.name) for file in files]
        form: list[dict[str, Any]] = [{"name": "payload_json", "value": json.dumps(payload, ensure_ascii=False)}]
        form += [
            {"name": f"files[{number}]", "value": file.fp, "filename": file.filename, "content_type": "application/octet-stream"}
            for number, file in enumerate(kept)
        ]
        return cast("Mapping[str, Any]", await self._ask(route, form=form, files=kept, **options))

    async def _ask(self, route: Route, **options: Any) -> Any:
        client = self._client()
        if client is None or client.is_closed():
            raise NotDelivered("not connected to Discord", retry_after=1.0)
        return await translated(client.http.request(route, **options))


def _described(number: int, file: Upload) -> Body:
    """A list of these is all that the message then has: files of an earlier version go."""
    return {"id": number, "filename": file.name, **({"description": file.description} if file.description else {})}


def _webhook(method: str, application: str, token: str, ending: str) -> Route:
    return Route(method, "/webhooks/{webhook_id}/{webhook_token}" + ending, webhook_id=application, webhook_token=token)


async def translated(call: Awaitable[Any]) -> Any:
    """What a call gives; its failures in the outbox's terms."""
    try:
        return await call
    except discord.RateLimited as error:
        raise NotDelivered("rate limited", retry_after=error.retry_after) from error
    except discord.HTTPException as error:
        raise _refusal(error) from error
    except aiohttp.ClientConnectorError as error:
        raise NotDelivered(f"no connection: {error}") from error
    except RuntimeError as error:
        raise NotDelivered(f"the connection is being closed: {error}", retry_after=1.0) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise NotDelivered(f"no answer: {error!r}", in_doubt=True) from error


_NAMED: dict[int, type[Exception]] = {
    **dict.fromkeys(_DEAD_TOKEN, TokenDead),
    **dict.fromkeys(_NO_DIRECT, NoDirect),
    _UNKNOWN_MESSAGE: MessageGone,
    _UNKNOWN_CHANNEL: ChannelGone,
    OLD_EDITS: EditsExhausted,
    _TOO_LARGE: TooLarge,
    _THREAD_THERE: ThreadThere,
}


def _refusal(error: discord.HTTPException) -> Exception:
    named = _NAMED.get(error.code)
    said = f"{error.status} {error.code}: {error.text[:200]}"
    if named is not None:
        return named(said)
    if error.status == 413:
        return TooLarge(said)
    if error.status == 429:
        return NotDelivered(said, retry_after=10.0)
    if error.status >= 500:
        return NotDelivered(said, in_doubt=True)
    # Our own token refused: the connector is being started again, and the message may still go out then.
    return NotDelivered(said, final=error.status != 401)
