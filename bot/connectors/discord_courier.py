"""Brings messages of the outbox to Discord: as the answer to an interaction while that lives, else in the channel.

How a message is shown:
- A command's public answer is its deferred answer, edited. A private one follows up where only the asker sees it,
  and the public placeholder is taken away; a crash between these steps is bridged by checkpoints.
- A button's answer was deferred privately. A private answer, and progress, is that one, edited; a public answer
  is posted in the channel and the private placeholder is taken away.
- When the interaction's token is dead: the same message is edited as an ordinary one, else one is posted in
  the channel; what is private goes into a direct message. When those are closed the channel is told only that: but for
  refusals, which hold nothing, and stand there.
Posts carry a nonce made of the row, so a repeated post gives back the first; edits can be repeated as they are. Only a
private follow-up whose answer was lost can appear twice, to the asker alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.connectors import discord_files
from bot.connectors.discord_embeds import NO_MENTIONS, render
from bot.connectors.discord_wire import Body, ChannelGone, EditsExhausted, Files, MessageGone, NoDirect, TokenDead, TooLarge, Wire
from bot.model import Outcome
from bot.outbox import Checkpoint, NotDelivered
from bot.store.message_rows import Message
from bot.words import Words

TOKEN_LIFE = 15 * 60.0
_EPOCH = 1_420_070_400.0
_OLD = 3_600.0
_PATIENCE = 10.0
_EDIT_TRIES = 2
Posted = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Job:
    """One delivery: the row, and what it looks like."""

    message: Message
    body: Body
    files: Files
    checkpoint: Checkpoint

    @property
    def private(self) -> bool:
        """A card stays where all see it, whatever came of it."""
        return self.message.reply.private and self.message.ticket is None

    @property
    def in_progress(self) -> bool:
        """Not yet the answer: another version will follow."""
        reply = self.message.reply
        return reply.outcome is Outcome.PENDING and self.message.ticket is None and reply.ticket is None

    @property
    def kind(self) -> str:
        """How the request came: ``slash``, ``button``, ``message``, or nothing for what nobody asked for here."""
        return self.message.handle.get("kind", "")

    @property
    def interaction(self) -> tuple[str, str]:
        """Application and token, to answer with."""
        return self.message.handle.get("application", ""), self.message.handle.get("token", "")

    @property
    def destination(self) -> str:
        """The channel or thread it belongs in."""
        return self.message.place.thread or self.message.place.channel


class DiscordCourier:
    """Posts and changes messages. ``me`` gives the bot's own user id."""

    def __init__(self, wire: Wire, words: Words, me: Callable[[], str], patience: float = _PATIENCE) -> None:
        self._wire = wire
        self._words = words
        self._me = me
        self._patience = patience

    def lane(self, message: Message) -> str:
        """Answers to interactions have rate limits of their own; all else goes one after the other in its channel."""
        return message.handle.get("interaction") or message.place.thread or message.place.channel

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Posted:
        """Show the message as its row says."""
        rendered = render(message.reply, self._words)
        files = await asyncio.to_thread(discord_files.load, rendered, self._words) if rendered.texts or rendered.files else ()
        try:
            return await self._show(_Job(message, discord_files.without_missing(rendered.body, files), files, checkpoint))
        except TooLarge:
            return await self._without_files(_Job(message, discord_files.without_missing(rendered.body, ()), (), checkpoint))
        except (MessageGone, ChannelGone, NoDirect, TokenDead) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}", final=True) from error
        except EditsExhausted as error:
            raise NotDelivered(f"too many edits: {error}", retry_after=self._patience) from error

    async def _without_files(self, job: _Job) -> Posted:
        """Better the answer without its files than none."""
        try:
            return await self._show(job)
        except (MessageGone, ChannelGone, NoDirect, TokenDead, TooLarge, EditsExhausted) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}", final=True) from error

    async def _show(self, job: _Job) -> Posted:
        posted = job.message.posted
        if job.kind in ("slash", "button") and "message" not in posted and self._alive(job.message):
            try:
                return await (self._answer_slash(job, posted) if job.kind == "slash" else self._answer_button(job, posted))
            except TokenDead:
                pass
        return await (self._privately(job, posted) if job.private else self._in_channel(job, posted))

    @staticmethod
    def _alive(message: Message) -> bool:
        return time.time() - message.created_at < TOKEN_LIFE

    async def _answer_slash(self, job: _Job, posted: Posted) -> Posted:
        if job.private:
            return await self._follow_up(job, posted)
        if "followup" in posted:
            return await self._in_channel(job, {})
        try:
            made = await self._wire.answer(*job.interaction, "@original", job.body, job.files)
        except MessageGone:
            return await self._in_channel(job, {})
        return {"original": str(made["id"]), "place": str(made["channel_id"])}

    async def _follow_up(self, job: _Job, posted: Posted) -> Posted:
        """A private answer to a public placeholder: fill it, follow up, take it away, and remember each step.

        An unfilled placeholder would swallow the follow-up, and one that was deleted unfilled takes none at all.
        """
        try:
            if "followup" in posted:
                await self._wire.answer(*job.interaction, posted["followup"], job.body, job.files)
            else:
                if "filled" not in posted and "original" not in posted:
                    await self._wire.answer(*job.interaction, "@original", self._told("discord.private_answer"), ())
                    await job.checkpoint({"filled": "1"})
                made = await self._wire.follow_up(*job.interaction, job.body, job.files)
                posted = {"followup": str(made["id"])}
                await job.checkpoint(posted)
        except MessageGone:
            return await self._directly(job, {})
        if "gone" not in posted:
            await self._wire.withdraw(*job.interaction)
        return {**posted, "gone": "1"}

    def _told(self, key: str) -> Body:
        return {"content": self._words(key), "embeds": [], "components": [], "allowed_mentions": dict(NO_MENTIONS)}

    async def _answer_button(self, job: _Job, posted: Posted) -> Posted:
        if job.private or job.in_progress:
            try:
                made = await self._wire.answer(*job.interaction, "@original", job.body, job.files)
            except MessageGone:  # the presser dismissed it
                made = await self._wire.follow_up(*job.interaction, job.body, job.files)
                return {"hidden": str(made["id"])}
            return {"hidden": str(made["id"])}
        shown = await self._in_channel(job, {})
        await job.checkpoint(shown)
        try:
            await self._wire.withdraw(*job.interaction)
        except TokenDead:
            return shown
        return shown

    async def _privately(self, job: _Job, posted: Posted) -> Posted:
        """Without an interaction. What all saw of it so far, its progress, says from then on that the answer is private."""
        if "direct" in posted:
            return {**await self._in_channel(job, posted), "direct": "1"}
        if _shown(posted):
            await self._in_channel(replace(job, body=self._told("discord.private_answer"), files=()), posted)
        return await self._directly(job, posted)

    async def _directly(self, job: _Job, posted: Posted) -> Posted:
        try:
            channel = await self._wire.direct_channel(job.message.handle.get("user", job.message.account.id))
            # Its own nonce: that of the progress would give back the progress, whichever channel it is in.
            made = await self._wire.create(channel, job.body, job.files, _nonce(job.message, "dm"))
        except NoDirect:
            if job.message.reply.outcome is not Outcome.REFUSED:
                job = replace(job, body=self._told("discord.no_direct"), files=())
            return await self._in_channel(job, posted)
        return {"channel": channel, "message": str(made["id"]), "direct": "1"}

    async def _in_channel(self, job: _Job, posted: Posted) -> Posted:
        known = _shown(posted)
        if known:
            try:
                return await self._edit(job, *known)
            except MessageGone:
                return await self._post(job, after=known[1])
            except EditsExhausted:
                if job.message.attempts < _EDIT_TRIES:
                    raise NotDelivered("old messages may not be edited for now", retry_after=self._patience) from None
                return await self._post(job, after=known[1])
        return await self._post(job)

    async def _edit(self, job: _Job, channel: str, message: str) -> Posted:
        """Change it. discord.py itself waits when edits of old messages run out, longer than a lane may be held."""
        old = time.time() - _made_at(message) > _OLD
        try:
            async with asyncio.timeout(self._patience if old else None):
                await self._wire.edit(channel, message, job.body, job.files)
        except TimeoutError as error:
            raise EditsExhausted from error
        except NotDelivered as failure:
            if old and failure.retry_after is not None:
                raise EditsExhausted from failure
            raise
        return {"channel": channel, "message": message}

    async def _post(self, job: _Job, after: str = "") -> Posted:
        """Post; ``after`` is the message it stands in for, so that it is a post of its own."""
        nonce = _nonce(job.message, after)
        above = None if job.message.place.thread else _shown(job.message.below)
        if above:
            channel, made = await self._wire.create_below(above, self._words("discord.thread"), job.body, job.files, nonce)
        else:
            channel, made = job.destination, await self._wire.create(job.destination, _replying(job), job.files, nonce)
        if job.message.sending:
            # The nonce may have given back what an earlier try posted, and that may say something older.
            await self._wire.edit(channel, str(made["id"]), job.body, job.files)
        return {"channel": channel, "message": str(made["id"])}

    async def find(self, message: Message) -> Posted | None:
        """The message a lost answer made, by its nonce or its text. Answers to a living interaction are just given again."""
        if message.handle.get("token") and self._alive(message):
            return None
        above = None if message.place.thread else _shown(message.below)
        body = render(message.reply, self._words).body
        after = max(0, int((message.created_at - 5 - _EPOCH) * 1000)) << 22
        # What belongs below a message stands in its thread, or in the channel where threads may not be made.
        for channel in (*(above[1:] if above else ()), message.place.thread or message.place.channel):
            for found in await self._history(channel, after):
                if str(found["author"]["id"]) == self._me() and (found.get("nonce") == _nonce(message) or _same(found, body)):
                    return {"channel": channel, "message": str(found["id"])}
        return None

    async def _history(self, channel: str, after: int) -> Sequence[Mapping[str, Any]]:
        try:
            return await self._wire.history(channel, after)
        except ChannelGone:
            return ()


def _shown(posted: Posted) -> tuple[str, str] | None:
    """Channel and id of a message that can be changed without a token; None while there is none."""
    if "message" in posted:
        return posted["channel"], posted["message"]
    return (posted["place"], posted["original"]) if "original" in posted else None


def _nonce(message: Message, after: str = "") -> str:
    """The same for every try to post this row (25 characters at most); another row, or another state file, has another."""
    made_at = int(message.created_at * 1000) % 10**9
    return f"{message.id % 10**8}.{made_at}{'.' + after[-5:] if after else ''}"


def _made_at(snowflake: str) -> float:
    return (int(snowflake) >> 22) / 1000 + _EPOCH


def _replying(job: _Job) -> Body:
    """A typed line is answered as a reply to it."""
    asked = job.message.handle.get("message")
    if not asked:
        return job.body
    return {
        **job.body,
        "message_reference": {"message_id": asked, "fail_if_not_exists": False},
        "allowed_mentions": {"parse": [], "replied_user": False},
    }


def _same(found: Mapping[str, Any], body: Body) -> bool:
    def said(message: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
        embeds = [
            (str(embed.get("description") or "").strip(), str((embed.get("footer") or {}).get("text") or "").strip())
            for embed in message.get("embeds") or []
        ]
        return str(message.get("content") or "").strip(), embeds

    return said(found) == said(body)
