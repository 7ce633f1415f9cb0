"""Whether a container is the one that this program runs in. Reads the machine only."""

from __future__ import annotations

import socket
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_SHORT = 12


def is_own(container_id: str, mounts: Path = _MOUNTS) -> bool:
    """Engines mount a container's own files, such as its host name, from a place with its whole id in it."""
    if not container_id:
        return False
    if socket.gethostname() == container_id[:_SHORT]:
        return True
    try:
        return f"/{container_id}/" in mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
