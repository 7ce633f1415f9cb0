"""The group ``check``: is it set up, does it connect, is it well."""

from __future__ import annotations

from bot.command import Group

group = Group("check", default="setup")
