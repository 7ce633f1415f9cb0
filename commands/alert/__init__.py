"""``alert``: what is wrong now by the rules, who is at it, and what is to be kept quiet for a while."""

from __future__ import annotations

from commands.alert import act, look, quiet
from commands.alert.group import group

__all__ = ["act", "group", "look", "quiet"]
