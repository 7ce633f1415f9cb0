"""What reaches us from Slack, as requests: slash commands, mentions and buttons, each on the record before it is acknowledged.

Slack waits three seconds for the acknowledgement. A record that cannot be written, or is not written after two seconds, is told
at once, and nothing runs. Should the slow one be written after all, the request still does not run: it stays open on the record
and is told as interrupted at the next start, so that nothing happens behind the back of somebody who was told that nothing did.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.connectors.slack_errors import VENDOR
from bot.connectors.slack_text import escaped, plain
from bot.dispatch import Dispatch
from bot.errors import RecordUnwritable
from bot.line import note_line
from bot.model import Account, Invocation, Place
from bot.words import Words

_LOG = logging.getLogger("vcc.slack")
_ANY = re.compile(".*", re.DOTALL)
_TELL_SECONDS = 5
_LONGEST_LINE = 20_000


class Inbox:
    """Bolt's listeners. ``identity`` is ourselves, as auth.test says; empty until that is known."""

    def __init__(self, dispatch: Dispatch, words: Words, client: AsyncWebClient, notes: Callable[[Place], Awaitable[bool]]) -> None:
        self._dispatch = dispatch
        self._words = words
        self._client = client
        self._notes = notes
        self._tasks: set[asyncio.Task[None]] = set()
        self.identity: Mapping[str, str] = {}

    def app(self, signing_secret: str) -> AsyncApp:
        """A Bolt app that answers each delivery as soon as its listener returns."""

        async def authorize() -> AuthorizeResult:  # Bolt fills in a function by its arguments, and a method's self is one
            return self._ourselves()

        app = AsyncApp(
            name="vcc",
            client=AsyncWebClient(base_url=self._client.base_url),
            signing_secret=signing_secret,
            authorize=authorize,
            process_before_response=True,
        )
        app.command(_ANY)(self._command)
        app.event("app_mention")(self._mention)
        app.event("pin_added")(self._pin)
        app.event(_ANY)(self._other)
        app.action(_ANY)(self._press)
        return app

    async def close(self) -> None:
        """Nothing is told any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ourselves(self) -> AuthorizeResult:
        # Bolt's own way asks auth.test inside the three seconds.
        who = self.identity
        return AuthorizeResult(
            enterprise_id=None,
            team_id=who.get("team_id"),
            bot_id=who.get("bot_id"),
            bot_user_id=who.get("user_id"),
            bot_token=self._client.token,
        )

    async def _command(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        channel = str(command.get("channel_id", ""))
        invocation = Invocation(
            line=plain(str(command.get("text", "")))[:_LONGEST_LINE],
            account=Account("slack", str(command["user_id"])),
            place=Place("slack", channel, direct=command.get("channel_name") == "directmessage"),
            key=f"slack:{command['trigger_id']}",
            at=time.time(),
            account_name=str(command.get("user_name", "")),
            reply_handle=_handle(command.get("response_url"), command.get("user_name")),
        )
        accepted, sentence = await self._accept(invocation)
        if sentence:
            await ack(response_type="ephemeral", text=escaped(sentence, 3_000))
        else:
            await ack()
        self._start(accepted)

    async def _mention(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        if not event.get("user"):
            return
        ours = re.compile(rf"<@{re.escape(self.identity.get('user_id', '-'))}(?:\|[^>]*)?>")
        invocation = Invocation(
            line=plain(ours.sub("", str(event.get("text", "")), count=1)).strip()[:_LONGEST_LINE],
            account=Account("slack", str(event["user"])),
            place=Place("slack", str(event["channel"]), str(event.get("thread_ts") or "")),
            key=f"slack:{body['event_id']}",
            at=time.time(),
        )
        await self._take(invocation)

    async def _pin(self, event: dict[str, Any]) -> None:
        """Whoever pins a message where an incident goes on types a note of it; pinned again, it is the same note."""
        item: Mapping[str, Any] = event.get("item") or {}
        message: Mapping[str, Any] = item.get("message") or {}
        channel, user = str(event.get("channel_id") or item.get("channel") or ""), str(event.get("user") or "")
        place = Place("slack", channel, str(message.get("thread_ts") or ""))
        said = plain(str(message.get("text") or ""))
        if not user or user == self.identity.get("user_id") or not said or not await self._notes(place):
            return
        author = f"slack:{message['user']}: " if message.get("user") else ""
        key = f"slack:pin:{channel}:{message.get('ts')}"
        await self._take(Invocation(note_line(author + said), Account("slack", user), place, key, time.time()))

    async def _press(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        container, user, line = body.get("container") or {}, body["user"], action.get("value")
        channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
        invocation = Invocation(
            line=line[:_LONGEST_LINE] if isinstance(line, str) else "",
            account=Account("slack", str(user["id"])),
            place=Place("slack", channel, str(container.get("thread_ts") or "")),
            key=f"slack:{body.get('trigger_id') or ':'.join((str(action.get('action_ts')), str(container.get('message_ts')), user['id']))}",
            at=time.time(),
            account_name=str(user.get("username") or user.get("name") or ""),
            reply_handle=_handle(body.get("response_url"), user.get("username") or user.get("name")),
        )
        if not invocation.line.strip():
            # A menu, or a button that is not ours: an empty line would mean ``help``.
            self._keep(self._tell(invocation, self._words("slack.unreadable")))
            await ack()
            return
        await self._take(invocation, ack)

    async def _other(self, event: dict[str, Any]) -> None:
        """Heard and not for us; unacknowledged, Slack would send it again."""

    async def _take(self, invocation: Invocation, ack: AsyncAck | None = None) -> None:
        """For deliveries whose acknowledgement cannot carry a sentence (events are acknowledged by Bolt)."""
        accepted, sentence = await self._accept(invocation)
        if sentence:
            self._keep(self._tell(invocation, sentence))
        if ack is not None:
            await ack()
        self._start(accepted)

    async def _accept(self, invocation: Invocation) -> tuple[Invocation | None, str]:
        """The request on the record, or the sentence that says why it is not run; neither for a repeated delivery."""
        try:
            return await self._dispatch.accept(invocation), ""
        except RecordUnwritable as error:
            _LOG.error("not recorded, so not run: %s", error.detail)
            return None, self._words(error.key)

    def _start(self, accepted: Invocation | None) -> None:
        if accepted is not None:
            self._dispatch.start(accepted)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, invocation: Invocation, sentence: str) -> None:
        """Say a sentence only to the asker, past the outbox (which may be what cannot be written); once, or not at all."""
        text, url = escaped(sentence, 3_000), invocation.reply_handle.get("response_url")
        try:
            async with asyncio.timeout(_TELL_SECONDS):
                if url:
                    body = {"text": text, "response_type": "ephemeral", "replace_original": False}
                    await AsyncWebhookClient(url, retry_handlers=[]).send_dict(body)
                else:
                    await self._client.chat_postEphemeral(channel=invocation.place.channel, user=invocation.account.id, text=text)
        except VENDOR as error:
            _LOG.warning("could not tell %s: %s", invocation.account, type(error).__name__)


def _handle(response_url: Any, asker: Any) -> Mapping[str, str]:
    return {name: str(value) for name, value in (("response_url", response_url), ("asker", asker)) if value}
