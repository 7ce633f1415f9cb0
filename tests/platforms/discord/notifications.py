"""Whom a message would notify: mentions in its text after allowed_mentions and permissions. Knows no wire.

Mentions inside code spans count too: that is stricter than Discord, and a safe bot passes anyway.
"""

from __future__ import annotations

import re

from .component_rules import TEXT_DISPLAY, walk
from .errors import Json
from .records import DIRECT, MENTION_EVERYONE, Channel, Mentions
from .world import World

_KINDS = frozenset({"everyone", "users", "roles"})


def spoken_text(content: str, components: list[Json]) -> str:
    """Everything in which Discord looks for mentions: the content and text displays, never embeds."""
    displays = [str(component.get("content")) for _, component in walk(components) if component.get("type") == TEXT_DISPLAY]
    return "\n".join([content, *displays])


def mentions_in(world: World, channel: Channel, text: str, allowed: Json | None) -> Mentions:
    """Whom ``text`` notifies when the bot says it in ``channel``."""
    parse = _KINDS if allowed is None else frozenset(allowed.get("parse") or [])
    loud = channel.type != DIRECT and bool(world.permissions_of(world.bot.id, channel) & MENTION_EVERYONE)
    users = _permitted(re.findall(r"<@!?(\d+)>", text), "users", parse, allowed)
    roles = _permitted(re.findall(r"<@&(\d+)>", text), "roles", parse, allowed)
    return Mentions(
        everyone="everyone" in parse and loud and "@everyone" in text,
        here="everyone" in parse and loud and "@here" in text,
        users=tuple(user for user in users if user in world.members),
        roles=tuple(role for role in roles if role in world.roles and (loud or world.roles[role].mentionable)),
    )


def _permitted(found: list[str], kind: str, parse: frozenset[str], allowed: Json | None) -> tuple[int, ...]:
    """The ids of one kind, in order, each once."""
    listed = {str(identity) for identity in (allowed or {}).get(kind) or []}
    return tuple(dict.fromkeys(int(identity) for identity in found if kind in parse or identity in listed))
