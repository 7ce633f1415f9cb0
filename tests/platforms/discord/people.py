"""What people do in Discord's client: type commands, press buttons, write, change roles. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import shapes
from .command_tree import CommandTree, OptionReader
from .component_rules import BUTTON, LINK, SELECTS, walk
from .deliveries import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Delivery
from .errors import Json, NotOffered
from .interactions import ANSWER_SECONDS, InteractionDesk
from .records import DIRECT, USE_COMMANDS, VIEW_CHANNEL, Channel, Message
from .world import World


class People:
    """Makes the interactions a person's client would, and refuses what it would not offer."""

    def __init__(self, world: World, tree: CommandTree, interactions: InteractionDesk, dispatch: Callable[[str, Json], None]) -> None:
        self._world = world
        self._tree = tree
        self._interactions = interactions
        self._dispatch = dispatch

    def send(self, delivery: Delivery) -> Delivery:
        """Hand an interaction to every session of the bot."""
        self._dispatch("INTERACTION_CREATE", delivery.payload)
        return delivery

    def slash(self, member_id: int, channel_id: int, path: str, options: Mapping[str, Any]) -> Delivery:
        """A finished slash command."""
        reader = OptionReader(self._world)
        root, walked, declared = self._tree.find(member_id, path)
        data = self._command_data(root, walked, reader.read(declared, dict(options)))
        if reader.resolved:
            data["resolved"] = reader.resolved
        return self.send(self._interactions.open(COMMAND, member_id, self._channel(member_id, channel_id), data))

    async def autocomplete(self, member_id: int, channel_id: int, path: str, options: Mapping[str, Any], focused: str) -> list[Json]:
        """What the bot offers while somebody types; empty when it does not answer in time, as in the client."""
        root, walked, declared = self._tree.find(member_id, path)
        read = OptionReader(self._world).read_partly(declared, dict(options), focused)
        data = self._command_data(root, walked, read)
        delivery = self.send(self._interactions.open(AUTOCOMPLETE, member_id, self._channel(member_id, channel_id), data))
        try:
            await delivery.until_answered(ANSWER_SECONDS)
        except TimeoutError:
            return []
        return delivery.choices

    def _channel(self, member_id: int, channel_id: int) -> Channel:
        channel = self._world.channels[channel_id]
        may = self._world.permissions_of(member_id, channel)
        if channel.type != DIRECT and (may & VIEW_CHANNEL == 0 or may & USE_COMMANDS == 0):
            raise NotOffered("this member may not use commands here")
        return channel

    @staticmethod
    def _command_data(root: Json, walked: list[Json], read: list[Json]) -> Json:
        for step in reversed(walked):
            read = [{"name": step["name"], "type": step["type"], "options": read}]
        data: Json = {"id": root["id"], "name": root["name"], "type": root["type"], "options": read}
        return data | ({"guild_id": root["guild_id"]} if "guild_id" in root else {})

    def press(self, member_id: int, message_id: int, wanted: str, values: list[str] | None = None) -> Delivery:
        """Press a button, or choose from a select, found by its custom id or its label."""
        message = self._world.messages.get(message_id)
        if message is None or message.ephemeral_to not in (None, member_id):
            raise NotOffered("this member does not see the message")
        component = self._component(message, wanted)
        data: Json = {"custom_id": component["custom_id"], "component_type": component["type"], "id": component["id"]}
        if component["type"] in SELECTS:
            data["values"] = self._chosen(component, values or [])
        channel = self._world.channels[message.channel_id]
        return self.send(self._interactions.open(COMPONENT, member_id, channel, data, message))

    @staticmethod
    def _component(message: Message, wanted: str) -> Json:
        usable = [c for _, c in walk(message.components) if c["type"] == BUTTON or c["type"] in SELECTS]
        found = next((c for c in usable if wanted in (c.get("custom_id"), c.get("label"))), None)
        if found is None:
            offered = [c.get("label") or c.get("custom_id") for c in usable]
            raise NotOffered(f"no {wanted!r} among {offered}")
        if found.get("disabled") or found.get("style") == LINK:
            raise NotOffered(f"{wanted!r} is disabled, or a link")
        return found

    @staticmethod
    def _chosen(select: Json, values: list[str]) -> list[str]:
        offered = {option["value"] for option in select.get("options") or []}
        if not select["min_values"] <= len(values) <= select["max_values"] or (offered and not set(values) <= offered):
            raise NotOffered(f"{values} cannot be chosen from {sorted(offered)}")
        return values

    def submit(self, opened: Delivery, values: Mapping[str, str]) -> Delivery:
        """Fill in and send the modal the bot opened in answer to ``opened``."""
        if opened.modal is None:
            raise NotOffered("no modal was opened")
        components = [_filled(component, values) for component in opened.modal["components"]]
        data: Json = {"custom_id": opened.modal["custom_id"], "components": components}
        channel = self._world.channels[opened.channel_id]
        return self.send(self._interactions.open(MODAL, opened.member_id, channel, data, opened))

    def give_roles(self, member_id: int, roles: list[int]) -> None:
        """Set a member's roles and tell the bot."""
        member = self._world.members[member_id]
        member.roles = [role for role in dict.fromkeys(roles) if role in self._world.roles]
        self._dispatch("GUILD_MEMBER_UPDATE", shapes.member(member) | {"guild_id": str(self._world.guild_id)})

    def leave(self, member_id: int) -> None:
        """A member leaves the guild."""
        member = self._world.members.pop(member_id)
        self._dispatch("GUILD_MEMBER_REMOVE", {"guild_id": str(self._world.guild_id), "user": shapes.user(member)})


def _filled(component: Json, values: Mapping[str, str]) -> Json:
    """A modal's component as it comes back."""
    filled: Json = {"type": component["type"], "id": component.get("id", 1)}
    if "components" in component:
        return filled | {"components": [_filled(child, values) for child in component["components"]]}
    if "component" in component:
        return filled | {"component": _filled(component["component"], values)}
    if "custom_id" not in component:
        return filled
    value = values.get(component["custom_id"], component.get("value") or "")
    low, high = component.get("min_length") or 0, component.get("max_length") or 4000
    if not low <= len(value) <= high or (component.get("required", True) and not value):
        raise NotOffered(f"{component['custom_id']}: {value!r} cannot be sent")
    return filled | {"custom_id": component["custom_id"], "value": value}
