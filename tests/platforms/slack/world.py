"""The workspace: people, channels, groups, messages and files, and who would have been notified.

Knows no HTTP and no limits; it remembers what the methods tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.platforms.slack.wire import ApiError

BOT_USER = "UVCCBOT"
BOT_ID = "BVCCBOT"
TEAM = "TVCC"
APP = "AVCC"
SLACKBOT = "USLACKBOT"


@dataclass
class User:
    """A member of the workspace."""

    id: str
    name: str
    deleted: bool = False
    is_bot: bool = False


@dataclass
class Channel:
    """A conversation. ``members`` None means everybody (the bot is in or out by itself)."""

    id: str
    name: str
    private: bool = False
    bot_in: bool = True
    archived: bool = False
    members: set[str] | None = None
    direct_with: str = ""
    topic: str = ""
    creator: str = ""
    pins: list[str] = field(default_factory=list)
    bookmarks: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Group:
    """A user group; disabled ones stay known."""

    id: str
    handle: str
    users: list[str]
    disabled: bool = False


@dataclass
class Message:
    """A message as the workspace shows it now. ``ephemeral_to`` names the only person who sees it."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    metadata: dict[str, Any] | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    edits: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    ephemeral_to: str = ""
    deleted: bool = False

    def button(self, wanted: str | int) -> dict[str, Any]:
        """A button by its place, action_id, value or label; LookupError when it is not shown."""
        buttons = list(buttons_of(self.blocks))
        if isinstance(wanted, int):
            return buttons[wanted]
        for button in buttons:
            if wanted in (button.get("action_id"), button.get("value"), button["text"]["text"]):
                return button
        raise LookupError(f"no button {wanted!r} among {[button.get('action_id') for button in buttons]}")


@dataclass(frozen=True)
class FakeFile:
    """A shared file, with the bytes that arrived."""

    id: str
    name: str
    bytes: bytes
    title: str = ""
    channel: str = ""
    thread_ts: str = ""
    comment: str = ""
    alt: str = ""


@dataclass(frozen=True)
class Notification:
    """Somebody would have been called by this: ``kind`` is user, group, channel, here or everyone."""

    kind: str
    target: str
    channel: str
    ts: str
    source: str
    ephemeral: bool = False


def buttons_of(blocks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every button of a message, top to bottom, each with the block_id it sits in."""
    for index, block in enumerate(blocks):
        elements = [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]
        for element in elements:
            if element.get("type") == "button":
                yield {**element, "block_id": block.get("block_id", f"b{index}")}


class World:
    """Everything the workspace remembers."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._last_ts = 0
        self.users: dict[str, User] = {BOT_USER: User(BOT_USER, "vcc", is_bot=True)}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.messages: list[Message] = []
        self.files: dict[str, FakeFile] = {}
        self.notifications: list[Notification] = []
        self.plan_upgrade_required = False

    def next_ts(self) -> str:
        """A time stamp no other message has."""
        self._last_ts = max(self._last_ts + 1, int(self._wall() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def channel(self, name_or_id: str) -> Channel:
        """A conversation the bot can see, by id, ``#name``, or the id of a person (their direct messages)."""
        found = self.channels.get(name_or_id)
        if found is None and name_or_id in self.users:
            return self.direct(name_or_id)
        if found is None:
            bare = name_or_id.removeprefix("#")
            found = next((channel for channel in self.channels.values() if channel.name == bare), None)
        if found is None or (found.private and not found.bot_in):
            raise ApiError("channel_not_found")
        return found

    def writable(self, name_or_id: str) -> Channel:
        """A conversation the bot may write to."""
        channel = self.channel(name_or_id)
        if channel.archived:
            raise ApiError("is_archived")
        if not channel.bot_in:
            raise ApiError("not_in_channel")
        return channel

    def direct(self, user: str) -> Channel:
        """The direct conversation of the bot with this person, opened when needed."""
        if user not in self.users:
            raise ApiError("user_not_found")
        identity = "D" + user[1:]
        return self.channels.setdefault(identity, Channel(identity, "directmessage", True, members={user}, direct_with=user))

    def members(self, channel: Channel) -> set[str]:
        """Who is in the conversation."""
        people = {user.id for user in self.users.values() if not user.is_bot} if channel.members is None else set(channel.members)
        return people | {BOT_USER} if channel.bot_in else people

    def find(self, channel: str, ts: str) -> Message | None:
        """The message that is there now: not a deleted one."""
        for message in self.messages:
            if message.channel == channel and message.ts == ts and not message.deleted:
                return message
        return None

    def visible(self, channel: str) -> list[Message]:
        """What everybody in the conversation sees, oldest first."""
        return [message for message in self.messages if message.channel == channel and not message.deleted and not message.ephemeral_to]
