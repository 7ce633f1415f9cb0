"""``checklist``: the guide's daily, weekly, monthly and pre-deploy lists, measured and signed, and what became of them."""

from __future__ import annotations

from commands.checklist import history, look, remind, run, sign
from commands.checklist.group import group

__all__ = ["group", "history", "look", "remind", "run", "sign"]
