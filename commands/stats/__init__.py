"""``stats``: what each service takes, now (as ``docker stats`` reckons it) or over a range of time, from the record."""

from __future__ import annotations

from commands.stats import look
from commands.stats.group import group

__all__ = ["group", "look"]
