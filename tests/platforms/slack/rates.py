"""Slack's rate limits: a bucket per method (or per channel for messages), refilled as time passes.

Knows the tiers of the methods and nothing of what they do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.platforms.slack.wire import RateLimited

TIER_2 = [
    "conversations.create",
    "conversations.archive",
    "conversations.setTopic",
    "conversations.rename",
    "conversations.list",
    "usergroups.list",
    "usergroups.users.list",
    "users.list",
    "pins.add",
    "bookmarks.add",
]
TIER_3 = [
    "chat.update",
    "chat.delete",
    "reactions.add",
    "conversations.invite",
    "conversations.history",
    "conversations.replies",
    "conversations.info",
    "conversations.open",
    "apps.connections.open",
    "team.info",
]
TIER_4 = [
    "chat.postEphemeral",
    "views.open",
    "files.getUploadURLExternal",
    "files.completeUploadExternal",
    "users.info",
    "conversations.members",
]


def default_tiers() -> dict[str, int]:
    """Calls per minute of each method; a method without an entry is not limited."""
    return {**dict.fromkeys(TIER_2, 20), **dict.fromkeys(TIER_3, 50), **dict.fromkeys(TIER_4, 100)}


@dataclass
class RateLimits:
    """Change the figures, or set ``enforced`` to False, before the calls a test makes."""

    now: Callable[[], float]
    per_minute: dict[str, int] = field(default_factory=default_tiers)
    messages_per_second: float = 1.0
    message_burst: int = 5
    enforced: bool = True
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, method: str) -> None:
        """Count one call; RateLimited when its bucket is empty."""
        allowed = self.per_minute.get(method)
        if allowed is not None:
            self._take(method, allowed, allowed / 60)

    def take_message(self, channel: str) -> None:
        """Count one message to a channel."""
        self._take(f"chat.postMessage {channel}", self.message_burst, self.messages_per_second)

    def _take(self, bucket: str, capacity: float, per_second: float) -> None:
        if not self.enforced:
            return
        now = self.now()
        left, since = self._buckets.get(bucket, (float(capacity), now))
        left = min(capacity, left + (now - since) * per_second)
        if left < 1:
            self._buckets[bucket] = (left, now)
            raise RateLimited(max(1, math.ceil((1 - left) / per_second)))
        self._buckets[bucket] = (left - 1, now)
