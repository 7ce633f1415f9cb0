"""Brings Slack to what a message of the outbox says: posts it, changes it, whispers it to one person, shares its files.

A public answer is posted once and edited. A private one is an ephemeral message, which Slack can neither edit nor look up:
a newer version is a new one, and one whose answer was lost is said again. Was progress already posted in the channel, it
says from then on that the answer is private. Files of a private answer come as a direct message.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.connectors.slack_blocks import Rendered, render
from bot.connectors.slack_errors import BAD_BLOCKS, TIMEOUT, VENDOR, ResponseUrlRefused, code_of, undelivered
from bot.connectors.slack_files import Files, Thread, outgoing
from bot.connectors.slack_text import escaped
from bot.model import Outcome
from bot.outbox import Checkpoint, NotDelivered
from bot.store.message_rows import Message
from bot.words import Words

_LOG = logging.getLogger("vcc.slack")
EVENT_TYPE = "vcc_message"
_CLOCKS_APART = 300.0


class SlackCourier:
    """Delivers messages. Its notes: ``channel`` and ``ts`` of the post, ``private`` (the version whispered), files by key."""

    def __init__(self, client: AsyncWebClient, words: Words) -> None:
        self._client = client
        self._words = words
        self._files = Files(client)

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        """Post, change or whisper, then share the files."""
        card = message.ticket is not None and "ts" in message.posted  # stays where all see it, whatever came of it
        if message.reply.private and not card and message.account.platform == "slack":
            return await self._privately(message, checkpoint)
        rendered = render(message.reply, self._words, asker=message.handle.get("asker", ""), below=bool(_thread_of(message)))
        if "ts" in message.posted:
            posted = dict(message.posted)
            await self._update(posted, message, rendered)
        else:
            try:
                posted = await self._post(message, rendered)
            except NotDelivered as failure:
                if not failure.final or not message.handle.get("response_url"):
                    raise
                return await self._without_membership(message, rendered)
            await checkpoint(posted)
        thread = Thread(posted["channel"], _thread_of(message) or posted["ts"])
        return await self._share(message, rendered, thread, posted, checkpoint)

    async def find(self, message: Message) -> Mapping[str, str] | None:
        """The post that carries this message's number. What was only whispered cannot be found."""
        place, thread, oldest = message.place, _thread_of(message), f"{message.created_at - _CLOCKS_APART:.6f}"
        cursor: str | None = None
        while True:
            arguments: dict[str, Any] = {
                "channel": place.channel,
                "oldest": oldest,
                "include_all_metadata": True,
                "limit": 200,
                "cursor": cursor,
            }
            try:
                if thread:
                    page = await self._client.conversations_replies(ts=thread, **arguments)
                else:
                    page = await self._client.conversations_history(**arguments)
            except VENDOR as error:
                failure = undelivered(error)
                if code_of(error) and failure.retry_after is None and not failure.in_doubt:
                    return None  # it cannot be read here: said twice rather than never
                raise NotDelivered(f"find: {failure}", retry_after=failure.retry_after, in_doubt=True) from error
            for posted in page.get("messages") or []:
                if _number_of(posted) == message.mark:
                    return {"channel": place.channel, "ts": str(posted["ts"])}
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None

    async def _post(self, message: Message, rendered: Rendered, channel: str = "") -> dict[str, str]:
        thread = _thread_of(message)
        answer = await self._call(
            "chat.postMessage",
            rendered,
            channel=channel or message.place.channel,
            **({"thread_ts": thread} if thread and not channel else {}),
            metadata={"event_type": EVENT_TYPE, "event_payload": {"id": message.mark}},
            unfurl_links=False,
            unfurl_media=False,
            link_names=False,
            mrkdwn=False,
        )
        return {"channel": str(answer["channel"]), "ts": str(answer["ts"])}

    async def _update(self, posted: Mapping[str, str], message: Message, rendered: Rendered) -> None:
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"id": message.mark}}
        # Without ``parse`` chat.update reads the text the way a person's own message is read.
        await self._call(
            "chat.update", rendered, channel=posted["channel"], ts=posted["ts"], metadata=metadata, parse="none", link_names=False
        )

    async def _call(self, method: str, rendered: Rendered, **arguments: Any) -> Any:
        """One chat method; when Slack dislikes the blocks, the words alone."""
        try:
            try:
                return await self._client.api_call(method, json={"text": rendered.text, "blocks": rendered.blocks, **arguments})
            except VENDOR as error:
                if code_of(error) not in BAD_BLOCKS:
                    raise
                _LOG.error("%s refused our blocks: %s", method, code_of(error))
                return await self._client.api_call(method, json={"text": rendered.text, "blocks": [], **arguments})
        except VENDOR as error:
            raise undelivered(error) from error

    async def _without_membership(self, message: Message, rendered: Rendered) -> Mapping[str, str]:
        """The bot is not in this channel: the command's own address can still be answered, five times, never edited."""
        if message.reply.outcome is Outcome.PENDING and message.reply.ticket is None:
            return {}
        await self._by_url(message, rendered, "ephemeral" if message.reply.private else "in_channel")
        return {"private": str(message.version)}

    async def _by_url(self, message: Message, rendered: Rendered, response_type: str) -> None:
        client = AsyncWebhookClient(message.handle["response_url"], timeout=TIMEOUT, retry_handlers=[])
        body = {"text": rendered.text, "blocks": rendered.blocks, "response_type": response_type, "replace_original": False}
        thread = {"thread_ts": message.place.thread} if message.place.thread else {}
        try:
            answer = await client.send_dict({**body, **thread})
            if answer.status_code != 200:
                raise ResponseUrlRefused(answer.status_code, answer.body, answer.headers.get("Retry-After", ""))
        except VENDOR as error:
            raise undelivered(error) from error

    async def _privately(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        rendered = render(message.reply, self._words, direct=True)
        posted = dict(message.posted)
        if posted.get("private") != str(message.version):
            await self._withdraw(posted, message)
            await self._whisper(message, rendered)
            posted["private"] = str(message.version)
            await checkpoint(posted)
        if not outgoing(message.reply.files, rendered.files):
            return posted
        if "direct" not in posted:
            try:
                note = Rendered(escaped(message.reply.title, 200), [], ())
                direct = await self._post(message, note, channel=message.account.id)
            except NotDelivered as failure:
                if not failure.final:
                    raise
                _LOG.warning("the files of message %s have no place: %s", message.id, failure)
                return posted
            posted |= {"direct": direct["channel"], "direct_ts": direct["ts"]}
            await checkpoint(posted)
        return await self._share(message, rendered, Thread(posted["direct"], posted["direct_ts"]), posted, checkpoint)

    async def _withdraw(self, posted: Mapping[str, str], message: Message) -> None:
        """What all saw of it so far says where the rest is."""
        if "ts" not in posted:
            return
        try:
            await self._update(posted, message, Rendered(escaped(self._words("slack.private_answer"), 1_000), [], ()))
        except NotDelivered as failure:
            if not failure.final:
                raise
            _LOG.warning("the progress of message %s stays as it is: %s", message.id, failure)

    async def _whisper(self, message: Message, rendered: Rendered) -> None:
        """Only to the asker; by the command's own address where the bot is no member."""
        place = message.place
        thread = {"thread_ts": place.thread} if place.thread else {}
        try:
            await self._call("chat.postEphemeral", rendered, channel=place.channel, user=message.account.id, **thread)
        except NotDelivered as failure:
            if not failure.final or not message.handle.get("response_url"):
                raise
            await self._by_url(message, rendered, "ephemeral")

    async def _share(
        self, message: Message, rendered: Rendered, thread: Thread, posted: Mapping[str, str], checkpoint: Checkpoint
    ) -> Mapping[str, str]:
        """The files, below the message; what Slack refuses for good is said there."""
        note, refused = await self._files.share(outgoing(message.reply.files, rendered.files), thread, posted, checkpoint)
        for name, reason in refused:
            text = escaped(self._words("slack.file_failed", name=name, reason=reason), 1_000)
            await self._call("chat.postMessage", Rendered(text, [], ()), channel=thread.channel, thread_ts=thread.ts)
        return note


def _thread_of(message: Message) -> str:
    """The thread it belongs in: the one it was asked in, else the one below the message it goes with."""
    return message.place.thread or message.below.get("ts", "")


def _number_of(posted: Mapping[str, Any]) -> str:
    metadata = posted.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("id", "")) if metadata.get("event_type") == EVENT_TYPE else ""
