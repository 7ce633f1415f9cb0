"""The nouns of the fake: members, roles, channels, messages. Plain state; knows neither the wire nor the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EPHEMERAL, LOADING, COMPONENTS_V2, HAS_THREAD = 1 << 6, 1 << 7, 1 << 15, 1 << 5

ADMINISTRATOR, MANAGE_CHANNELS, MANAGE_GUILD = 1 << 3, 1 << 4, 1 << 5
VIEW_CHANNEL, SEND_MESSAGES, MANAGE_MESSAGES = 1 << 10, 1 << 11, 1 << 13
EMBED_LINKS, ATTACH_FILES, READ_HISTORY, MENTION_EVERYONE = 1 << 14, 1 << 15, 1 << 16, 1 << 17
USE_COMMANDS, PUBLIC_THREADS, PRIVATE_THREADS, SEND_IN_THREADS = 1 << 31, 1 << 35, 1 << 36, 1 << 38
PIN_MESSAGES = 1 << 51
EVERYONE_MAY = VIEW_CHANNEL | SEND_MESSAGES | READ_HISTORY | EMBED_LINKS | ATTACH_FILES | USE_COMMANDS | PUBLIC_THREADS | SEND_IN_THREADS
BOT_MAY = EVERYONE_MAY | MANAGE_CHANNELS | MANAGE_MESSAGES | MENTION_EVERYONE | PRIVATE_THREADS | PIN_MESSAGES
EVERYTHING = (1 << 53) - 1

TEXT, DIRECT, CATEGORY, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 4, 11, 12


@dataclass
class Member:
    """A person (or the bot itself) in the guild."""

    id: int
    name: str
    roles: list[int] = field(default_factory=list)
    bot: bool = False
    joined: float = 0.0
    accepts_direct: bool = True


@dataclass
class Role:
    """A role; the one whose id is the guild's is @everyone."""

    id: int
    name: str
    permissions: int = 0
    mentionable: bool = False
    managed: bool = False


@dataclass
class Channel:
    """A text channel, a thread, a category or a direct conversation. ``denied`` are bits taken from the bot here."""

    id: int
    name: str
    type: int = TEXT
    parent: int | None = None
    topic: str | None = None
    denied: int = 0
    owner: int = 0
    recipient: int | None = None
    created: float = 0.0
    archived: bool = False
    auto_archive: int = 4320
    message_count: int = 0

    @property
    def is_thread(self) -> bool:
        """Threads are told apart from channels on the wire."""
        return self.type in (PUBLIC_THREAD, PRIVATE_THREAD)


@dataclass(frozen=True)
class StoredFile:
    """An uploaded file, with its bytes."""

    id: int
    filename: str
    data: bytes
    content_type: str
    description: str | None = None


@dataclass(frozen=True)
class Mentions:
    """Whom a message notifies, after allowed_mentions."""

    everyone: bool = False
    here: bool = False
    users: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()

    def targets(self) -> tuple[str, ...]:
        """The same in the words a person types."""
        loud = (("@everyone",) if self.everyone else ()) + (("@here",) if self.here else ())
        return loud + tuple(f"<@{user}>" for user in self.users) + tuple(f"<@&{role}>" for role in self.roles)


@dataclass
class Message:
    """A message as it stands, and the contents it had before (``edits``, oldest first)."""

    id: int
    channel_id: int
    author: int
    created: float
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[StoredFile] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    ephemeral_to: int | None = None
    mentions: Mentions = field(default_factory=Mentions)
    edits: list[str] = field(default_factory=list)
    edited: float | None = None
    old_edits: int = 0
    pinned: bool = False
    reference: dict[str, Any] | None = None
    interaction: dict[str, Any] | None = None
    thread_id: int | None = None
    through_webhook: bool = False
    tells_pin: bool = False

    @property
    def loading(self) -> bool:
        """True while Discord shows that the bot is thinking."""
        return bool(self.flags & LOADING)


@dataclass(frozen=True)
class Call:
    """One REST request that arrived: ``path`` without the ``/api/v10`` and the query; status 0 when it got no answer."""

    method: str
    path: str
    route: str
    status: int
    body: Any = None
