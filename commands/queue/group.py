"""The group ``queue``, for the modules that declare its commands; and what they hold while they change something."""

from __future__ import annotations

from bot.command import Group

group = Group("queue", default="status")


def held(*_: object, **__: object) -> tuple[str, ...]:
    """One change of the queues at a time, whichever of them."""
    return ("queue",)
