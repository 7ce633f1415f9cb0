"""Interactions by Discord's rules: one answer within 3 s, the token alive for 15 min. Knows no HTTP."""

from __future__ import annotations

import secrets

from . import shapes
from .clock import Changes
from .command_rules import check_choice
from .component_rules import walk
from .deliveries import (
    AUTOCOMPLETE,
    CALL_CHOICES,
    CALL_DEFER,
    CALL_DEFER_UPDATE,
    CALL_MESSAGE,
    CALL_MODAL,
    CALL_UPDATE,
    COMMAND,
    COMPONENT,
    MODAL,
    Delivery,
)
from .errors import ApiError, Json, bad_length, invalid_form, too_long, unknown
from .message_desk import MessageDesk
from .message_rules import MEBIBYTE
from .records import DIRECT, EPHEMERAL, Channel, Message
from .uploads import Received
from .world import World

ANSWER_SECONDS, TOKEN_SECONDS = 3.0, 900.0
_ANSWERS = {
    COMMAND: (CALL_MESSAGE, CALL_DEFER, CALL_MODAL),
    COMPONENT: (CALL_MESSAGE, CALL_DEFER, CALL_DEFER_UPDATE, CALL_UPDATE, CALL_MODAL),
    AUTOCOMPLETE: (CALL_CHOICES,),
    MODAL: (CALL_MESSAGE, CALL_DEFER, CALL_DEFER_UPDATE, CALL_UPDATE),
}


class InteractionDesk:
    """Makes interactions and takes the bot's answers to them."""

    def __init__(self, world: World, desk: MessageDesk, changes: Changes) -> None:
        self._world = world
        self._desk = desk
        self._changes = changes
        self.deliveries: list[Delivery] = []

    def open(self, kind: int, member_id: int, channel: Channel, data: Json, source: Delivery | Message | None = None) -> Delivery:
        """A new interaction; ``source`` is the message whose component was used, or the delivery that opened a modal."""
        world = self._world
        message_id = source.source_message if isinstance(source, Delivery) else source.id if source else None
        token = secrets.token_urlsafe(64)
        delivery = Delivery(world.mint.next(), token, kind, member_id, channel.id, world.clock.now(), {}, world, self._changes)
        delivery.source_message = message_id
        delivery.payload = self._payload(delivery, channel, data)
        if message_id in world.messages:
            delivery.payload["message"] = self._desk.shape(world.messages[message_id])
        self.deliveries.append(delivery)
        return delivery

    def _payload(self, delivery: Delivery, channel: Channel, data: Json) -> Json:
        world = self._world
        payload: Json = {
            "id": str(delivery.id),
            "application_id": str(world.application_id),
            "type": delivery.kind,
            "token": delivery.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": shapes.channel(world, channel),
            "locale": "ko",
            "app_permissions": str(world.permissions_of(world.bot.id, channel)),
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(world.guild_id)},
            "attachment_size_limit": 10 * MEBIBYTE,
        }
        if channel.type == DIRECT:
            return payload | {"context": 1, "user": shapes.user(world.members[delivery.member_id])}
        permissions = str(world.permissions_of(delivery.member_id, channel))
        payload["channel"]["permissions"] = permissions
        payload["member"] = shapes.member(world.members[delivery.member_id]) | {"permissions": permissions}
        guild = {"id": str(world.guild_id), "locale": "ko", "features": []}
        return payload | {"context": 0, "guild_id": str(world.guild_id), "guild": guild, "guild_locale": "ko"}

    def callback(self, interaction_id: int, token: str, received: Received) -> Json:
        """The initial response; returns the answer for ``with_response=1``."""
        delivery = next((d for d in self.deliveries if d.id == interaction_id and d.token == token), None)
        if delivery is None:
            raise unknown("Interaction")
        try:
            return self._answer(delivery, received)
        except ApiError as refusal:
            delivery.refusals.append(refusal)
            raise

    def _answer(self, delivery: Delivery, received: Received) -> Json:
        if delivery.answered:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if self._world.clock.now() - delivery.created > ANSWER_SECONDS:
            raise unknown("Interaction")
        body: Json = received.body or {}
        kind = body.get("type")
        from_component = delivery.kind != MODAL or delivery.source_message is not None
        if kind not in _ANSWERS[delivery.kind] or (kind in (CALL_DEFER_UPDATE, CALL_UPDATE) and not from_component):
            raise invalid_form("type", "INTERACTION_APPLICATION_INVALID_TYPE", "This interaction cannot be answered so.")
        inner = Received(body.get("data") or {}, received.files, received.size)
        message = self._perform(delivery, int(kind), inner)
        delivery.answer = body
        delivery.message_id = message.id if message else None
        return self._receipt(delivery, int(kind), message)

    def _perform(self, delivery: Delivery, kind: int, inner: Received) -> Message | None:
        if kind == CALL_CHOICES:
            _check_choices(delivery, inner.body)
        elif kind == CALL_MODAL:
            _check_modal(inner.body)
        elif kind == CALL_MESSAGE:
            return self._say(delivery, inner)
        elif kind == CALL_DEFER:
            return self._defer(delivery, inner.body)
        elif kind in (CALL_DEFER_UPDATE, CALL_UPDATE):
            message = self._world.messages[delivery.source_message or 0]
            if kind == CALL_UPDATE:
                self._desk.edit(message, inner)
            return message
        return None

    def _defer(self, delivery: Delivery, body: Json) -> Message:
        flags = int(body.get("flags") or 0)
        if flags & ~EPHEMERAL:
            raise invalid_form("data.flags", "MESSAGE_FLAGS_INVALID", "Only EPHEMERAL can be set on a deferred answer.")
        hidden_for = delivery.member_id if flags & EPHEMERAL else None
        return self._desk.placeholder(self._channel(delivery), flags=flags, ephemeral_to=hidden_for, **self._origin(delivery))

    def _say(self, delivery: Delivery, inner: Received) -> Message:
        hidden = int((inner.body or {}).get("flags") or 0) & EPHEMERAL
        hidden_for = delivery.member_id if hidden else None
        return self._desk.create(self._channel(delivery), inner, ephemeral_to=hidden_for, **self._origin(delivery))

    def _channel(self, delivery: Delivery) -> Channel:
        return self._world.channels[delivery.channel_id]

    def _origin(self, delivery: Delivery) -> Json:
        user = shapes.user(self._world.members[delivery.member_id])
        metadata: Json = {"id": str(delivery.id), "type": delivery.kind, "user": user}
        metadata["authorizing_integration_owners"] = {"0": str(self._world.guild_id)}
        if delivery.kind == COMPONENT:
            metadata["interacted_message_id"] = str(delivery.source_message)
        if delivery.kind == MODAL:
            metadata["triggering_interaction_metadata"] = metadata | {"type": COMMAND}
        return {"interaction": metadata, "through_webhook": True}

    def _receipt(self, delivery: Delivery, kind: int, message: Message | None) -> Json:
        about: Json = {"id": str(delivery.id), "type": delivery.kind}
        if message is None:
            return {"interaction": about}
        about["response_message_id"] = str(message.id)
        about["response_message_loading"] = message.loading
        about["response_message_ephemeral"] = message.ephemeral_to is not None
        if kind not in (CALL_MESSAGE, CALL_UPDATE):
            return {"interaction": about}
        return {"interaction": about, "resource": {"type": kind, "message": self._desk.shape(message)}}

    def by_token(self, application_id: int, token: str) -> Delivery:
        """The interaction behind a webhook address: answered already, and not yet expired."""
        if application_id != self._world.application_id:
            raise unknown("Webhook")
        delivery = next((d for d in self.deliveries if d.token == token), None)
        if delivery is None or self._world.clock.now() - delivery.created > TOKEN_SECONDS:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        if delivery.answer is None or delivery.kind == AUTOCOMPLETE:
            raise unknown("Webhook")
        return delivery

    def follow_up(self, delivery: Delivery, received: Received) -> Message:
        """A further message; the first one after a deferral takes the placeholder's place."""
        waiting = delivery.message
        if waiting is not None and waiting.loading:
            self._desk.edit(waiting, received)
            return waiting
        message = self._say(delivery, received)
        delivery.followups.append(message.id)
        return message

    def own_message(self, delivery: Delivery, reference: str) -> Message:
        """``@original`` or one of the follow-ups of this interaction."""
        identity = delivery.message_id if reference == "@original" else int(reference)
        message = self._world.messages.get(identity or 0)
        if message is None or (identity != delivery.message_id and identity not in delivery.followups):
            raise unknown("Message")
        return message


def _check_choices(delivery: Delivery, body: Json) -> None:
    choices = body.get("choices") or []
    if len(choices) > 25:
        raise bad_length("data.choices", 0, 25)
    focused = next(option for option in _leaves(delivery.payload["data"].get("options") or []) if option.get("focused"))
    for index, choice in enumerate(choices):
        check_choice(f"data.choices.{index}", choice, focused["type"])


def _leaves(options: list[Json]) -> list[Json]:
    return [leaf for option in options for leaf in (_leaves(option["options"]) if "options" in option else [option])]


def _check_modal(body: Json) -> None:
    if not 1 <= len(body.get("title") or "") <= 45:
        raise bad_length("data.title", 1, 45)
    if not 1 <= len(body.get("custom_id") or "") <= 100:
        raise bad_length("data.custom_id", 1, 100)
    components = body.get("components") or []
    if not 1 <= len(components) <= 5:
        raise bad_length("data.components", 1, 5)
    for path, component in walk(components, "data.components"):
        if len(component.get("label") or "") > 45:
            raise too_long(f"{path}.label", 45)
