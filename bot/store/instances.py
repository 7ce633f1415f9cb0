"""Which of our programs on this state directory are alive: each holds a lock on a file of its own until it ends.

The operating system lets go of the lock however the program ends, so a crash is never mistaken for life.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from bot.errors import RecordUnwritable


class Instance:
    """This program's sign of life."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "instances"
        self.id = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._descriptor: int | None = None

    def begin(self) -> None:
        """Show life. RecordUnwritable when the directory cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._folder / self.id, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise RecordUnwritable(str(error)) from error

    def end(self) -> None:
        """Take the sign of life away."""
        if self._descriptor is not None:
            (self._folder / self.id).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def alive(self, instance: str) -> bool:
        """Whether the program of this id still runs."""
        if instance == self.id:
            return self._descriptor is not None
        path = self._folder / instance
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)
