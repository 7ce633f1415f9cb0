"""REST routes of channels, threads, messages and pins."""

from __future__ import annotations

from collections.abc import Callable

from . import shapes
from .clock import iso
from .errors import ApiError, Json, bad_length, invalid_form
from .message_desk import MessageDesk
from .records import (
    DIRECT,
    HAS_THREAD,
    MANAGE_CHANNELS,
    MANAGE_MESSAGES,
    PIN_MESSAGES,
    PRIVATE_THREAD,
    PRIVATE_THREADS,
    PUBLIC_THREAD,
    PUBLIC_THREADS,
    READ_HISTORY,
    SEND_IN_THREADS,
    SEND_MESSAGES,
    Channel,
    Message,
)
from .rest import Answer, Ask, Route
from .world import World

PINS_LIMIT = 250
ARCHIVE_AFTER = (60, 1440, 4320, 10080)


class ChannelRoutes:
    """Everything under /channels."""

    def __init__(self, world: World, desk: MessageDesk, announce: Callable[[str, Json], None]) -> None:
        self._world = world
        self._desk = desk
        self._announce = announce

    def table(self) -> list[tuple[str, str, Route]]:
        """Every route, the literal ones before those with placeholders."""
        messages = "/channels/{channel_id}/messages"
        return [
            ("GET", "/channels/{channel_id}", self.channel),
            ("PATCH", "/channels/{channel_id}", self.edit_channel),
            ("POST", "/channels/{channel_id}/typing", self.typing),
            ("POST", "/channels/{channel_id}/threads", self.create_thread),
            ("GET", f"{messages}/pins", self.pins),
            ("PUT", messages + "/pins/{message_id}", self.pin),
            ("DELETE", messages + "/pins/{message_id}", self.unpin),
            ("GET", messages, self.history),
            ("POST", messages, self.create),
            ("GET", messages + "/{message_id}", self.message),
            ("PATCH", messages + "/{message_id}", self.edit),
            ("DELETE", messages + "/{message_id}", self.delete),
            ("POST", messages + "/{message_id}/threads", self.create_thread),
        ]

    def channel(self, ask: Ask) -> Answer:
        """One channel."""
        return 200, shapes.channel(self._world, self._world.channel(ask.number("channel_id")))

    def edit_channel(self, ask: Ask) -> Answer:
        """Name, topic, archived."""
        channel = self._world.channel(ask.number("channel_id"))
        needs = SEND_IN_THREADS if channel.is_thread else MANAGE_CHANNELS
        self._world.channel(channel.id, needs)
        name = ask.body.get("name")
        if name is not None and not 1 <= len(name) <= 100:
            raise bad_length("name", 1, 100)
        channel.name = name or channel.name
        channel.topic = ask.body.get("topic", channel.topic)
        channel.archived = bool(ask.body.get("archived", channel.archived))
        shape = shapes.channel(self._world, channel)
        self._announce("THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", shape)
        return 200, shape

    def typing(self, ask: Ask) -> Answer:
        """Shows that the bot is writing."""
        self._writable(ask)
        return 204, None

    def _writable(self, ask: Ask) -> Channel:
        channel = self._world.channel(ask.number("channel_id"))
        return self._world.channel(channel.id, SEND_IN_THREADS if channel.is_thread else SEND_MESSAGES)

    def create(self, ask: Ask) -> Answer:
        """Post a message; with enforce_nonce a repeated nonce gives back the first one."""
        channel = self._writable(ask)
        if channel.type == DIRECT and not self._world.members[channel.recipient or 0].accepts_direct:
            raise ApiError(403, 50007, "Cannot send messages to this user")
        nonce = None if ask.body.get("nonce") is None else str(ask.body["nonce"])
        if nonce is not None and len(nonce) > 25:
            raise invalid_form("nonce", "NONCE_TYPE_TOO_LONG", "Nonce must be 25 or fewer in length.")
        if nonce is not None and ask.body.get("enforce_nonce"):
            earlier = self._desk.repeated(self._world.bot.id, nonce)
            if earlier is not None:
                return 200, self._desk.shape(earlier)
        reference = self._reference(channel, ask.body.get("message_reference"))
        channel.archived = False
        message = self._desk.create(channel, ask.received, nonce=nonce, reference=reference)
        return 200, self._desk.shape(message)

    def _reference(self, channel: Channel, wanted: Json | None) -> Json | None:
        if wanted is None:
            return None
        answered = self._world.messages.get(int(wanted["message_id"]))
        if answered is None or answered.channel_id != channel.id:
            if wanted.get("fail_if_not_exists", True):
                raise invalid_form("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
            return None
        return {"type": 0, "channel_id": str(channel.id), "message_id": str(answered.id)}

    def _message(self, ask: Ask, needs: int = READ_HISTORY) -> Message:
        self._world.channel(ask.number("channel_id"), needs)
        return self._world.message(ask.number("channel_id"), ask.number("message_id"))

    def message(self, ask: Ask) -> Answer:
        """One message."""
        return 200, self._desk.shape(self._message(ask))

    def history(self, ask: Ask) -> Answer:
        """A page of messages, newest first."""
        channel = self._world.channel(ask.number("channel_id"), READ_HISTORY)
        limit = int(ask.query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise bad_length("limit", 1, 100)
        before, after = int(ask.query.get("before", 1 << 63)), int(ask.query.get("after", 0))
        open_ones = [m for m in self._world.messages_in(channel.id) if m.ephemeral_to is None and after < m.id < before]
        page = open_ones[:limit] if "after" in ask.query else open_ones[-limit:]
        return 200, [self._desk.shape(message) for message in reversed(page)]

    def edit(self, ask: Ask) -> Answer:
        """Only the bot's own messages."""
        message = self._message(ask, 0)
        if message.author != self._world.bot.id:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        self._desk.edit(message, ask.received)
        return 200, self._desk.shape(message)

    def delete(self, ask: Ask) -> Answer:
        """Own messages, and others' with the right to."""
        message = self._message(ask, 0)
        if message.author != self._world.bot.id:
            self._world.channel(message.channel_id, MANAGE_MESSAGES)
        self._desk.delete(message)
        return 204, None

    def pins(self, ask: Ask) -> Answer:
        """What is pinned."""
        channel = self._world.channel(ask.number("channel_id"), READ_HISTORY)
        pinned = [message for message in self._world.messages_in(channel.id) if message.pinned]
        items = [{"pinned_at": iso(message.created), "message": self._desk.shape(message)} for message in reversed(pinned)]
        return 200, {"items": items, "has_more": False}

    def pin(self, ask: Ask) -> Answer:
        """At most 250."""
        message = self._message(ask, PIN_MESSAGES)
        if sum(other.pinned for other in self._world.messages_in(message.channel_id)) >= PINS_LIMIT:
            raise ApiError(400, 30003, "Maximum number of pins reached for the channel (250)")
        message.pinned = True
        return 204, None

    def unpin(self, ask: Ask) -> Answer:
        """No longer."""
        self._message(ask, PIN_MESSAGES).pinned = False
        return 204, None

    def create_thread(self, ask: Ask) -> Answer:
        """From a message (the thread then has its id), or standing alone; alone they are private unless asked otherwise."""
        message = self._message(ask) if "message_id" in ask.path else None
        kind = PUBLIC_THREAD if message else int(ask.body.get("type") or PRIVATE_THREAD)
        parent = self._world.channel(ask.number("channel_id"), PUBLIC_THREADS if kind == PUBLIC_THREAD else PRIVATE_THREADS)
        if parent.is_thread or parent.type == DIRECT:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        if message and message.thread_id:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        self._check_thread(ask.body)
        thread = Channel(message.id if message else self._world.mint.next(), ask.body["name"], kind, parent.id)
        thread.owner = self._world.bot.id
        thread.auto_archive = ask.body.get("auto_archive_duration") or thread.auto_archive
        shape = shapes.channel(self._world, self._world.add_channel(thread))
        self._announce("THREAD_CREATE", shape | {"newly_created": True})
        if message:
            message.thread_id = thread.id
            message.flags |= HAS_THREAD
        return 201, shape

    @staticmethod
    def _check_thread(body: Json) -> None:
        if not 1 <= len(body.get("name") or "") <= 100:
            raise bad_length("name", 1, 100)
        if body.get("auto_archive_duration") not in (None, *ARCHIVE_AFTER):
            raise invalid_form("auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of {ARCHIVE_AFTER}.")
