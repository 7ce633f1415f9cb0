"""The group ``logs``, to which each module beside this one adds its command."""

from __future__ import annotations

from bot.command import Group

group = Group("logs", default="tail")
