"""``backup``: making backups, looking at them, proving them, removing old ones."""

from __future__ import annotations

from commands.backup import create, drill, fetch, listing, prune, recover, restore, verify
from commands.backup.group import group

__all__ = ["create", "drill", "fetch", "group", "listing", "prune", "recover", "restore", "verify"]
