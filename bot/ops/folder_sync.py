"""What a folder holds under which names, onto the disk: were that lost with the power, a rename would be undone. Blocks."""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """The folder's names are on the disk when this returns; OSError when they cannot be brought there."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
