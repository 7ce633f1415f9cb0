"""What every method and door shares: the workspace, the clock, the limits, the faults, the tokens and the record.

Knows how a message comes to be, and no HTTP.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.platforms.slack import mentions
from tests.platforms.slack.clock import Clock
from tests.platforms.slack.faults import Faults
from tests.platforms.slack.rates import RateLimits
from tests.platforms.slack.wire import ApiCall, ApiError
from tests.platforms.slack.world import BOT_ID, BOT_USER, Message, Notification, World

ALL_SCOPES = frozenset(
    [
        "commands",
        "chat:write",
        "channels:read",
        "groups:read",
        "im:read",
        "mpim:read",
        "channels:history",
        "groups:history",
        "im:history",
        "channels:manage",
        "groups:write",
        "im:write",
        "pins:read",
        "pins:write",
        "bookmarks:write",
        "reactions:write",
        "usergroups:read",
        "users:read",
        "files:write",
        "files:read",
        "app_mentions:read",
        "team:read",
    ]
)
TRIGGER_SECONDS = 3.0


@dataclass
class Trigger:
    """A trigger_id: good for one view, for three seconds."""

    at: float
    used: bool = False


@dataclass
class Upload:
    """A file on its way: asked for, then sent, then completed."""

    name: str
    length: int
    content: bytes | None = None
    alt: str = ""


@dataclass
class Site:
    """The shared state of one fake workspace."""

    clock: Clock
    world: World
    limits: RateLimits
    faults: Faults = field(default_factory=Faults)
    bot_token: str = "xoxb-fake-bot"
    app_token: str = "xapp-fake-app"
    signing_secret: str = "fake-signing-secret"
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    token_error: str = ""
    port: int = 0
    calls: list[ApiCall] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Where everything is served."""
        return f"http://127.0.0.1:{self.port}"

    def new_ticket(self) -> str:
        """A WebSocket address that can be used once."""
        ticket = secrets.token_hex(8)
        self.tickets.add(ticket)
        return f"ws://127.0.0.1:{self.port}/link/?ticket={ticket}"

    def new_trigger(self) -> str:
        """A fresh trigger_id."""
        identity = f"trigger.{secrets.token_hex(6)}"
        self.triggers[identity] = Trigger(self.clock.now())
        return identity

    def spend_trigger(self, identity: str) -> None:
        """Use a trigger_id up; the three ways it can be no good are told apart."""
        trigger = self.triggers.get(identity)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self.clock.now() - trigger.at > TRIGGER_SECONDS:
            raise ApiError("expired_trigger_id")
        trigger.used = True

    def post(self, message: Message, link_names: bool = False) -> Message:
        """Show a new message and note whom it calls."""
        message.ts = message.ts or self.world.next_ts()
        self.world.messages.append(message)
        self.note_mentions(message, link_names)
        return message

    def note_mentions(self, message: Message, link_names: bool = False) -> None:
        """Record whom the message as it is now would call; what people write themselves is not our business."""
        if message.user != BOT_USER:
            return
        found = [(kind, target, "text") for kind, target in mentions.in_text(message.text, link_names)]
        found += [(kind, target, "blocks") for kind, target in mentions.in_blocks([message.blocks, message.attachments])]
        for kind, target, source in found:
            note = Notification(kind, target, message.channel, message.ts, source, bool(message.ephemeral_to))
            self.world.notifications.append(note)


def as_json(message: Message, with_metadata: bool = False) -> dict[str, Any]:
    """The message the way the Web API writes it."""
    answer: dict[str, Any] = {"type": "message", "ts": message.ts, "user": message.user, "text": message.text, "team": "TVCC"}
    if message.user == BOT_USER:
        answer |= {"bot_id": BOT_ID, "app_id": "AVCC"}
    optional = {"blocks": message.blocks, "thread_ts": message.thread_ts, "attachments": message.attachments}
    answer |= {key: value for key, value in optional.items() if value}
    if message.files:
        answer["files"] = [{"id": identity} for identity in message.files]
    if message.edits:
        answer["edited"] = {"user": message.user, "ts": message.ts}
    if message.metadata is not None and with_metadata:
        answer["metadata"] = message.metadata
    if message.reactions:
        answer["reactions"] = [{"name": name, "users": [user], "count": 1} for name, user in message.reactions]
    return answer
