"""The group ``backup``, and what its commands hold while they run: one of them at a time."""

from __future__ import annotations

from bot.command import Group

group = Group("backup", default="create")

TARGET = "backup"


def held(*_: object, **__: object) -> tuple[str, ...]:
    """Making, proving, restoring and removing exclude each other, whichever backup it is."""
    return (TARGET,)
