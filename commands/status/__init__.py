"""``status``: the whole deployment at one glance, within three seconds whatever hangs. What is wrong is judged elsewhere."""

from __future__ import annotations

from commands.status import glance
from commands.status.group import group

__all__ = ["glance", "group"]
