"""The group ``stats``."""

from __future__ import annotations

from bot.command import Group

group = Group("stats")
