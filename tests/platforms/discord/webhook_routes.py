"""REST routes that answer interactions: the callback, @original, and follow-ups."""

from __future__ import annotations

from .interactions import InteractionDesk
from .message_desk import MessageDesk
from .records import Message
from .rest import Answer, Ask, Route


class WebhookRoutes:
    """None of these needs the bot's token: the interaction's own token is in the address."""

    def __init__(self, interactions: InteractionDesk, desk: MessageDesk) -> None:
        self._interactions = interactions
        self._desk = desk

    def table(self) -> list[tuple[str, str, Route]]:
        """Every route, @original before the placeholder."""
        webhook = "/webhooks/{webhook_id}/{webhook_token}"
        routes: list[tuple[str, str, Route]] = [
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback", self.callback),
            ("POST", webhook, self.follow_up),
        ]
        for message in (f"{webhook}/messages/@original", webhook + "/messages/{message_id}"):
            routes += [("GET", message, self.get), ("PATCH", message, self.edit), ("DELETE", message, self.delete)]
        return routes

    def callback(self, ask: Ask) -> Answer:
        """The initial response."""
        receipt = self._interactions.callback(ask.number("interaction_id"), ask.path["interaction_token"], ask.received)
        return (200, receipt) if ask.query.get("with_response") in ("1", "true") else (204, None)

    def follow_up(self, ask: Ask) -> Answer:
        """A further message."""
        delivery = self._interactions.by_token(ask.number("webhook_id"), ask.path["webhook_token"])
        return 200, self._desk.shape(self._interactions.follow_up(delivery, ask.received))

    def _message(self, ask: Ask) -> Message:
        delivery = self._interactions.by_token(ask.number("webhook_id"), ask.path["webhook_token"])
        reference = "@original" if "message_id" not in ask.path else str(ask.number("message_id"))
        return self._interactions.own_message(delivery, reference)

    def get(self, ask: Ask) -> Answer:
        """Read it back."""
        return 200, self._desk.shape(self._message(ask))

    def edit(self, ask: Ask) -> Answer:
        """Change it."""
        message = self._message(ask)
        self._desk.edit(message, ask.received)
        return 200, self._desk.shape(message)

    def delete(self, ask: Ask) -> Answer:
        """Take it away."""
        self._desk.delete(self._message(ask))
        return 204, None
