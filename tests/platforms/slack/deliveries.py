"""One thing a person did, on its way to the app: when it was sent, whether and how it was acknowledged, what showed.

Knows no transport.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.testing.waiting import PATIENCE
from tests.platforms.slack.response_urls import ResponseUrl, show
from tests.platforms.slack.site import Site
from tests.platforms.slack.wire import ApiError
from tests.platforms.slack.world import SLACKBOT, Message

ACK_SECONDS = 3.0
SLASH = "slash_commands"
INTERACTIVE = "interactive"
EVENTS = "events_api"


@dataclass
class Delivery:
    """What was sent and what came back. ``error`` is what the person sees when the app failed to acknowledge."""

    kind: str
    payload: dict[str, Any]
    sent_at: float
    transport: str = "socket"
    signature: str = "good"
    envelope_id: str = field(default_factory=lambda: secrets.token_hex(16))
    where: ResponseUrl | None = None
    original: Message | None = None
    connections: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)
    ack_payload: dict[str, Any] | None = None
    retries_stopped: bool = False
    error: str = ""
    problems: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def acked_at(self) -> float | None:
        """When the first acknowledgement came."""
        return self.acks[0] if self.acks else None

    @property
    def acked_within_3s(self) -> bool:
        """Whether it came in time."""
        return bool(self.acks) and self.acks[0] - self.sent_at <= ACK_SECONDS

    @property
    def shown(self) -> list[Message]:
        """Every message its ack and its response_url made, in order."""
        return self.where.shown if self.where is not None else []

    @property
    def response_url(self) -> str:
        """The address the app was given."""
        return str(self.payload.get("response_url", ""))

    @property
    def trigger_id(self) -> str:
        """The trigger the app was given."""
        return str(self.payload.get("trigger_id", ""))

    @property
    def accepts_payload(self) -> bool:
        """Whether an ack may carry an answer."""
        return self.kind != EVENTS

    async def acked(self, within: float = PATIENCE) -> Delivery:
        """Wait for the acknowledgement; TimeoutError after ``within`` real seconds."""
        await asyncio.wait_for(self.arrived.wait(), within)
        return self

    def envelope(self, attempt: int = 0, reason: str = "") -> dict[str, Any]:
        """The Socket Mode frame."""
        frame: dict[str, Any] = {"envelope_id": self.envelope_id, "type": self.kind, "payload": self.payload}
        frame["accepts_response_payload"] = self.accepts_payload
        if self.kind == EVENTS:
            frame |= {"retry_attempt": attempt, "retry_reason": reason}
        return frame


def take_ack(site: Site, delivery: Delivery, payload: Any) -> None:
    """Note an acknowledgement; the first one in time may also show an answer."""
    first = not delivery.acks
    delivery.acks.append(site.clock.now())
    if first and payload:
        _take_payload(site, delivery, payload)
    delivery.arrived.set()


def _take_payload(site: Site, delivery: Delivery, payload: Any) -> None:
    if not delivery.accepts_payload:
        delivery.problems.append("payload_not_accepted")
        return
    delivery.ack_payload = payload if isinstance(payload, dict) else {"text": str(payload)}
    if delivery.kind == SLASH and delivery.where is not None and delivery.acked_within_3s:
        try:
            show(site, delivery.where, delivery.ack_payload)
        except ApiError as refused:
            delivery.problems.append(refused.error)
            fail(site, delivery, refused.error)


def fail(site: Site, delivery: Delivery, error: str) -> None:
    """Tell the person that the app failed, as Slack's own bot does."""
    delivery.error = error
    if delivery.kind == SLASH:
        text = f'{delivery.payload["command"]} failed with the error "{error}"'
        user, channel = str(delivery.payload["user_id"]), str(delivery.payload["channel_id"])
        site.post(Message("", channel, SLACKBOT, text, ephemeral_to=user))


def ack_body(text: str, content_type: str) -> Any:
    """The answer in an HTTP acknowledgement: JSON, or plain text for a command."""
    if not text.strip():
        return None
    if content_type == "application/json":
        return json.loads(text)
    return {"text": text}
