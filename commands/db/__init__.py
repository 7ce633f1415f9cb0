"""``db``: whether MongoDB answers, what it holds, what is slow in it and why. Changes nothing but the profiler."""

from __future__ import annotations

from commands.db import explain, indexes, look, profile, slow
from commands.db.group import group

__all__ = ["explain", "group", "indexes", "look", "profile", "slow"]
