"""The commands the bot registered, and what Discord's client lets a person do with them. Knows no wire."""

from __future__ import annotations

from typing import Any

from . import shapes
from .command_rules import (
    ATTACHMENT,
    BOOLEAN,
    CHANNEL,
    CHAT_INPUT,
    GROUP,
    INTEGER,
    MENTIONABLE,
    NUMBER,
    ROLE,
    STRING,
    SUBCOMMAND,
    USER,
    check_commands,
)
from .errors import ApiError, Json, NotOffered
from .records import ADMINISTRATOR
from .world import World

CREATES_PER_DAY = 200


class CommandTree:
    """Registered commands per scope: the guild's id, or 0 for global ones."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scopes: dict[int, list[Json]] = {}
        self._created: list[float] = []

    def listing(self, scope: int) -> list[Json]:
        """What is registered in one scope."""
        return self._scopes.get(scope, [])

    @property
    def everything(self) -> list[Json]:
        """What people in the guild see: the guild's own commands first."""
        return [*self.listing(self._world.guild_id), *self.listing(0)]

    def overwrite(self, scope: int, commands: list[Json]) -> list[Json]:
        """Replace a scope's commands; an id survives as long as its name does."""
        check_commands(commands)
        known = {(command["type"], command["name"]): command["id"] for command in self.listing(scope)}
        fresh = [command for command in commands if (command.get("type") or CHAT_INPUT, command["name"]) not in known]
        self._count_creates(len(fresh))
        self._scopes[scope] = [self._stored(scope, command, known) for command in commands]
        return self._scopes[scope]

    def _count_creates(self, number: int) -> None:
        now = self._world.clock.now()
        self._created = [moment for moment in self._created if moment > now - 86_400] + [now] * number
        if len(self._created) > CREATES_PER_DAY:
            raise ApiError(400, 30034, "Max number of daily application command creates has been reached (200)")

    def _stored(self, scope: int, command: Json, known: dict[tuple[int, str], str]) -> Json:
        kind = command.get("type") or CHAT_INPUT
        needs = command.get("default_member_permissions")
        stored = {name: value for name, value in command.items() if value is not None or name.endswith("localizations")}
        return stored | {
            "id": known.get((kind, command["name"])) or str(self._world.mint.next()),
            "application_id": str(self._world.application_id),
            "version": str(self._world.mint.next()),
            "type": kind,
            "default_member_permissions": None if needs is None else str(needs),
            "description": command.get("description") or "",
            "options": [_stored_option(option) for option in command.get("options") or []],
            **({"guild_id": str(scope)} if scope else {}),
        }

    def find(self, member_id: int, path: str) -> tuple[Json, list[Json], list[Json]]:
        """The command, the sub-commands walked through, and the options at the end of ``path``."""
        words = path.removeprefix("/").split()
        root = next((c for c in self.everything if c["type"] == CHAT_INPUT and c["name"] == words[0]), None)
        if root is None:
            raise NotOffered(f"/{words[0]} is not registered")
        self._check_member_may(member_id, root)
        walked: list[Json] = []
        options: list[Json] = root.get("options") or []
        for word in words[1:]:
            found = next((o for o in options if o["name"] == word and o["type"] in (SUBCOMMAND, GROUP)), None)
            if found is None:
                raise NotOffered(f"/{path}: there is no {word}")
            walked.append(found)
            options = found.get("options") or []
        if any(option["type"] in (SUBCOMMAND, GROUP) for option in options):
            raise NotOffered(f"/{path} cannot be run by itself: it has sub-commands")
        return root, walked, options

    def _check_member_may(self, member_id: int, command: Json) -> None:
        needs = command["default_member_permissions"]
        if needs is None:
            return
        may = self._world.permissions_of(member_id)
        wanted = int(needs) or ADMINISTRATOR
        if not may & ADMINISTRATOR and wanted & ~may:
            raise NotOffered(f"/{command['name']} is hidden from this member by default_member_permissions")


def _stored_option(option: Json) -> Json:
    kept = {name: value for name, value in option.items() if value is not None or name.endswith("localizations")}
    if "options" in kept:
        kept["options"] = [_stored_option(child) for child in kept["options"]]
    return kept


class OptionReader:
    """Turns what a person filled in into the ``options`` of an interaction, refusing what the client would refuse."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.resolved: dict[str, dict[str, Json]] = {}

    def read(self, declared: list[Json], given: dict[str, Any]) -> list[Json]:
        """A finished command."""
        names = {option["name"] for option in declared}
        if strangers := set(given) - names:
            raise NotOffered(f"no such option: {', '.join(sorted(strangers))}")
        if missing := [o["name"] for o in declared if o.get("required") and o["name"] not in given]:
            raise NotOffered(f"required: {', '.join(missing)}")
        chosen = [option for option in declared if option["name"] in given]
        return [{"name": o["name"], "type": o["type"], "value": self._value(o, given[o["name"]])} for o in chosen]

    def read_partly(self, declared: list[Json], given: dict[str, Any], focused: str) -> list[Json]:
        """A command being typed: nothing is required yet, and the focused value is whatever stands there."""
        option = next((o for o in declared if o["name"] == focused), None)
        if option is None or not option.get("autocomplete"):
            raise NotOffered(f"{focused} has no autocomplete")
        others = [o | {"required": False} for o in declared if o["name"] != focused]
        read = self.read(others, {name: value for name, value in given.items() if name != focused})
        typing: Json = {"name": focused, "type": option["type"], "value": str(given.get(focused, "")), "focused": True}
        return [*read, typing]

    def _value(self, option: Json, value: Any) -> Any:
        kind: int = option["type"]
        if kind in (USER, CHANNEL, ROLE, MENTIONABLE):
            return self._entity(kind, int(value))
        if kind == ATTACHMENT:
            raise NotOffered("attachment options are not modelled by this fake")
        _check_type(option, value)
        _check_bounds(option, value)
        choices = [choice["value"] for choice in option.get("choices") or []]
        if choices and value not in choices:
            raise NotOffered(f"{option['name']}: {value!r} is not one of {choices}")
        return value

    def _entity(self, kind: int, identity: int) -> str:
        world = self._world
        if kind in (USER, MENTIONABLE) and identity in world.members:
            self._resolve("users", identity, shapes.user(world.members[identity]))
            member = shapes.member(world.members[identity])
            del member["user"]
            self._resolve("members", identity, member | {"permissions": str(world.permissions_of(identity))})
        elif kind in (ROLE, MENTIONABLE) and identity in world.roles:
            self._resolve("roles", identity, shapes.role(world, world.roles[identity]))
        elif kind == CHANNEL and identity in world.channels:
            self._resolve("channels", identity, shapes.channel(world, world.channels[identity]) | {"permissions": "0"})
        else:
            raise NotOffered(f"{identity} cannot be picked here")
        return str(identity)

    def _resolve(self, kind: str, identity: int, shape: Json) -> None:
        self.resolved.setdefault(kind, {})[str(identity)] = shape


def _check_type(option: Json, value: Any) -> None:
    wanted: dict[int, tuple[type, ...]] = {STRING: (str,), INTEGER: (int,), BOOLEAN: (bool,), NUMBER: (int, float)}
    right = isinstance(value, wanted[option["type"]])
    if not right or (isinstance(value, bool) and option["type"] != BOOLEAN):
        raise NotOffered(f"{option['name']}: {value!r} is of the wrong type")


def _check_bounds(option: Json, value: Any) -> None:
    size, low, high = (len(value), "min_length", "max_length") if isinstance(value, str) else (value, "min_value", "max_value")
    ceiling = option.get(high, 6000 if isinstance(value, str) else None)
    if (low in option and size < option[low]) or (ceiling is not None and size > ceiling):
        raise NotOffered(f"{option['name']}: {value!r} is out of bounds")
