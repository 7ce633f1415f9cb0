"""The group ``disk``."""

from __future__ import annotations

from bot.command import Group

group = Group("disk")
