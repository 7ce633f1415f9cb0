"""Creates, edits and deletes messages by Discord's rules and announces them. Knows neither HTTP nor interactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import shapes
from .component_rules import numbered
from .errors import ApiError, Json, invalid_form, unknown
from .message_rules import (
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    check_attached,
    check_description,
    check_files,
    check_message,
    check_not_empty,
)
from .notifications import mentions_in, spoken_text
from .records import COMPONENTS_V2, DIRECT, EPHEMERAL, LOADING, Channel, Message, StoredFile
from .uploads import Received
from .world import World

Announce = Callable[[str, Json], None]
NONCE_SECONDS = 180.0


@dataclass
class OldEdits:
    """30046: how many edits of messages older than an hour a channel takes. Discord does not publish the figures."""

    allowed: int = 3
    seconds: float = 20.0


class MessageDesk:
    """All writing of messages goes through here."""

    def __init__(self, world: World, announce: Announce) -> None:
        self._world = world
        self._announce = announce
        self.base = ""
        self.old_edits = OldEdits()
        self._old_edit_times: dict[int, list[float]] = {}

    def shape(self, message: Message) -> Json:
        """The message as JSON."""
        return shapes.message(self._world, message, self.base)

    def create(self, channel: Channel, received: Received, **given: Any) -> Message:
        """Post what the bot sent; ``given`` are fields of the record the caller decides, such as ``ephemeral_to``."""
        body: Json = received.body or {}
        check_message(body)
        if given.get("ephemeral_to") is None and int(body.get("flags") or 0) & EPHEMERAL:
            raise invalid_form("flags", "MESSAGE_FLAGS_INVALID", "Only answers to interactions can be ephemeral.")
        files = self._files(received, body)
        content, embeds, components = body.get("content") or "", body.get("embeds") or [], body.get("components") or []
        check_not_empty(content, embeds, components, files)
        message = self._blank(channel, content=content, attachments=files, **given)
        message.flags |= int(body.get("flags") or 0)
        message.embeds = [_stored_embed(embed, files, self._file_url(channel)) for embed in embeds]
        message.components = numbered(components)
        message.mentions = mentions_in(self._world, channel, spoken_text(content, components), body.get("allowed_mentions"))
        return self.post(message)

    def _blank(self, channel: Channel, **fields: Any) -> Message:
        world = self._world
        return Message(world.mint.next(), channel.id, fields.pop("author", world.bot.id), world.clock.now(), **fields)

    def placeholder(self, channel: Channel, **given: Any) -> Message:
        """The "is thinking" message of a deferred answer."""
        message = self._blank(channel, **given)
        message.flags |= LOADING
        return self.post(message)

    def said_by(self, channel: Channel, author: int, content: str) -> Message:
        """A message a person typed."""
        message = self._blank(channel, author=author, content=content)
        message.mentions = mentions_in(self._world, channel, content, None)
        return self.post(message)

    def told_pinned(self, channel: Channel, author: int, reference: Json) -> Message:
        """What stands in a channel when somebody pinned a message."""
        return self.post(self._blank(channel, author=author, content="", reference=reference, tells_pin=True))

    def post(self, message: Message) -> Message:
        """Store it and tell everyone who may see it."""
        self._world.add_message(message)
        self._tell("MESSAGE_CREATE", message)
        return message

    def repeated(self, author: int, nonce: str) -> Message | None:
        """The message already made with this nonce within the last minutes, if any."""
        since = self._world.clock.now() - NONCE_SECONDS
        for message in self._world.messages.values():
            if message.author == author and message.nonce == nonce and message.created >= since:
                return message
        return None

    def edit(self, message: Message, received: Received) -> None:
        """Change the named parts, leave the others."""
        body: Json = received.body or {}
        check_message(body, message.flags)
        self._count_old_edit(message)
        channel = self._world.channels[message.channel_id]
        files = self._kept_files(message, body) + self._files(received, body)
        content = body.get("content") or "" if "content" in body else message.content
        components = numbered(body["components"] or []) if "components" in body else message.components
        embeds = [_stored_embed(e, files, self._file_url(channel)) for e in body["embeds"] or []] if "embeds" in body else message.embeds
        check_not_empty(content, embeds, components, files)
        self._remember(message)
        message.content, message.components, message.embeds = content, components, embeds
        message.attachments = files
        self._world.files.update({file.id: file for file in files})
        message.flags = self._flags_after(message, body)
        message.mentions = mentions_in(self._world, channel, spoken_text(content, components), body.get("allowed_mentions"))
        self._tell("MESSAGE_UPDATE", message)

    def _remember(self, message: Message) -> None:
        if not message.loading:
            message.edits.append(message.content)
            message.edited = self._world.clock.now()

    @staticmethod
    def _flags_after(message: Message, body: Json) -> int:
        """Edits can suppress embeds and turn V2 on (never off); filling a placeholder ends its loading."""
        asked = int(body.get("flags") or 0)
        kept = message.flags & ~LOADING
        if "flags" in body:
            kept = kept & ~SUPPRESS_EMBEDS | asked & (SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS)
        return kept | asked & COMPONENTS_V2

    def _count_old_edit(self, message: Message) -> None:
        now = self._world.clock.now()
        if now - message.created < 3600:
            return
        times = [moment for moment in self._old_edit_times.get(message.channel_id, []) if moment > now - self.old_edits.seconds]
        if len(times) >= self.old_edits.allowed:
            refusal = ApiError(429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later")
            wait = round(times[0] + self.old_edits.seconds - now, 3)
            refusal.extra = {"retry_after": wait, "global": False}
            refusal.headers = {"Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": "shared"}
            raise refusal
        self._old_edit_times[message.channel_id] = [*times, now]

    def delete(self, message: Message) -> None:
        """Take it away."""
        if message.id not in self._world.messages:
            raise unknown("Message")
        del self._world.messages[message.id]
        self._tell("MESSAGE_DELETE", message)

    def _tell(self, event: str, message: Message) -> None:
        if message.ephemeral_to is not None:
            return
        place: Json = {"channel_id": str(message.channel_id)}
        if self._world.channels[message.channel_id].type != DIRECT:
            place["guild_id"] = str(self._world.guild_id)
        if event == "MESSAGE_DELETE":
            self._announce(event, place | {"id": str(message.id)})
            return
        author = shapes.member(self._world.members[message.author])
        del author["user"]
        self._announce(event, self.shape(message) | place | ({"member": author} if "guild_id" in place else {}))

    def _file_url(self, channel: Channel) -> str:
        return f"{self.base}/attachments/{channel.id}"

    def _files(self, received: Received, body: Json) -> list[StoredFile]:
        """The uploaded files, described by ``attachments`` entries with the same number."""
        check_files([len(file.data) for file in received.files], received.size)
        described = {str(entry["id"]): entry for entry in body.get("attachments") or []}
        stored = []
        for file in received.files:
            entry = described.get(str(file.index), {})
            check_description(entry.get("description"))
            name = str(entry.get("filename") or file.filename)
            stored.append(StoredFile(self._world.mint.next(), name, file.data, file.content_type, entry.get("description")))
        return stored

    @staticmethod
    def _kept_files(message: Message, body: Json) -> list[StoredFile]:
        """Without ``attachments`` all stay; with it only the listed ones."""
        if "attachments" not in body:
            return list(message.attachments)
        kept = {str(entry["id"]) for entry in body["attachments"] or []}
        return [file for file in message.attachments if str(file.id) in kept]


def _stored_embed(embed: Json, files: list[StoredFile], base: str) -> Json:
    """An embed as Discord keeps it: no nulls, defaults written out, attachment:// resolved."""
    kept = {name: value for name, value in embed.items() if value is not None}
    kept["type"] = "rich"
    if "fields" in kept:
        kept["fields"] = [{"inline": False} | field for field in kept["fields"]]
    for name in ("image", "thumbnail"):
        url = str((kept.get(name) or {}).get("url") or "")
        if url.startswith("attachment://"):
            file = check_attached(url.removeprefix("attachment://"), files)
            kept[name] = {"url": f"{base}/{file.id}/{file.filename}"}
    return kept
