"""Gateway sessions: numbered events, kept for replay, filtered by intents. Knows no sockets beyond something that sends."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from .errors import Json

GUILDS, GUILD_MEMBERS, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
KEPT_EVENTS = 1000
_HIDDEN_WITHOUT_CONTENT: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


class Line(Protocol):
    """What a session needs of a connection."""

    def send(self, payload: Json) -> None:
        """Queue one payload; a dead line swallows it."""
        ...


@dataclass
class Session:
    """One identified client; ``line`` is None while it is away, and events wait."""

    intents: int
    bot_id: int
    line: Line | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = 0
    events: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    def dispatch(self, event: str, data: Json) -> None:
        """Number, keep and send one event, if the client's intents cover it."""
        needs = needed_intents(event, data)
        if needs and not self.intents & needs:
            return
        self.sequence += 1
        payload: Json = {"op": 0, "s": self.sequence, "t": event, "d": self._visible(event, data)}
        self.events.append(payload)
        if self.line is not None:
            self.line.send(payload)

    def _visible(self, event: str, data: Json) -> Json:
        """Without the message content intent a bot reads only itself and what mentions it."""
        if event not in ("MESSAGE_CREATE", "MESSAGE_UPDATE") or self.intents & MESSAGE_CONTENT or "guild_id" not in data:
            return data
        mine = data["author"]["id"] == str(self.bot_id)
        mentioned = any(user["id"] == str(self.bot_id) for user in data["mentions"])
        return data if mine or mentioned else data | _HIDDEN_WITHOUT_CONTENT

    def can_replay(self, after: int) -> bool:
        """Whether every event after that number is still kept."""
        oldest = self.events[0]["s"] if self.events else self.sequence + 1
        return oldest - 1 <= after <= self.sequence

    def missed(self, after: int) -> list[Json]:
        """The events a client that saw ``after`` did not see."""
        return [event for event in self.events if event["s"] > after]


def needed_intents(event: str, data: Json) -> int:
    """Any of these intents lets the event through; 0 means it always comes."""
    if event.startswith("GUILD_MEMBER_"):
        return GUILD_MEMBERS
    if event.startswith("MESSAGE_"):
        return GUILD_MESSAGES if "guild_id" in data else DIRECT_MESSAGES
    return GUILDS if event.startswith(("GUILD_", "CHANNEL_", "THREAD_")) and event != "GUILD_MEMBERS_CHUNK" else 0
