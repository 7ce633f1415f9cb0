"""One interaction, from a person's click to everything the bot answered. State for tests to read; knows no rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.testing.waiting import PATIENCE

from .clock import Changes
from .errors import ApiError, Json
from .records import Message
from .world import World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
CALL_MESSAGE, CALL_DEFER, CALL_DEFER_UPDATE, CALL_UPDATE, CALL_CHOICES, CALL_MODAL = 4, 5, 6, 7, 8, 9


@dataclass
class Delivery:
    """What was delivered (``payload``), what the bot answered, and what it was refused."""

    id: int
    token: str
    kind: int
    member_id: int
    channel_id: int
    created: float
    payload: Json
    world: World
    changes: Changes
    source_message: int | None = None
    source_kind: int | None = None
    answer: Json | None = None
    message_id: int | None = None
    followups: list[int] = field(default_factory=list)
    refusals: list[ApiError] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        """The bot gave its initial response in time."""
        return self.answer is not None

    @property
    def did_not_respond(self) -> bool:
        """The person reads that the application did not respond."""
        return self.answer is None and self.world.clock.now() - self.created > 3.0

    @property
    def message(self) -> Message | None:
        """The answer's message: the one posted, or the one the pressed component sits on."""
        return self.world.messages.get(self.message_id or 0)

    @property
    def finished_message(self) -> Message | None:
        """The same once it is more than the "is thinking" placeholder."""
        return None if self.message is None or self.message.loading else self.message

    @property
    def followup_messages(self) -> list[Message]:
        """Follow-ups that still exist, oldest first."""
        return [self.world.messages[identity] for identity in self.followups if identity in self.world.messages]

    @property
    def choices(self) -> list[Json]:
        """What autocomplete offered."""
        return list(((self.answer or {}).get("data") or {}).get("choices") or [])

    @property
    def modal(self) -> Json | None:
        """The modal the bot opened, if it did."""
        return (self.answer or {}).get("data") if (self.answer or {}).get("type") == CALL_MODAL else None

    async def until_answered(self, seconds: float = PATIENCE) -> Json:
        """Wait for the initial response."""
        await self.changes.until(lambda: self.answered, seconds)
        return self.answer or {}

    async def until_finished(self, seconds: float = PATIENCE) -> Message:
        """Wait for a message that is no placeholder any more."""
        await self.changes.until(lambda: self.finished_message is not None, seconds)
        message = self.finished_message
        if message is None:
            raise LookupError("the message went away again")
        return message

    async def until_followups(self, number: int, seconds: float = PATIENCE) -> list[Message]:
        """Wait for that many follow-ups."""
        await self.changes.until(lambda: len(self.followups) >= number, seconds)
        return self.followup_messages
