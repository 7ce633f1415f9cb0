"""``incident``: opened, worked through step by step, and resolved into a post-mortem; each in a room of its own."""

from __future__ import annotations

from commands.incident import end, evidence, isolate, look, recover, revoke, start, work
from commands.incident.group import group

__all__ = ["end", "evidence", "group", "isolate", "look", "recover", "revoke", "start", "work"]
