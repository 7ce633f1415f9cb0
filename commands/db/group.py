"""The group ``db``, for its modules to declare commands in."""

from __future__ import annotations

from bot.command import Group

group = Group("db", default="ping")
