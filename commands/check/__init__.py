"""``check``: what is misconfigured, what the backend reaches from inside its container, and how well everything is."""

from __future__ import annotations

from commands.check import connections, health, setup
from commands.check.group import group

__all__ = ["connections", "group", "health", "setup"]
