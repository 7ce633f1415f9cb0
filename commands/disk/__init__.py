"""``disk``: file systems and how fast they fill, what Docker keeps, what the uploads take and whether they are the real ones."""

from __future__ import annotations

from commands.disk import look
from commands.disk.group import group

__all__ = ["group", "look"]
