"""``logs``: what the services wrote. The newest lines, a window, a search, a file, their errors, and live."""

from __future__ import annotations

from commands.logs import errors, file, follow, search, tail, window
from commands.logs.group import group

__all__ = ["errors", "file", "follow", "group", "search", "tail", "window"]
