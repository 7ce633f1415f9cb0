"""Holds a file while the bot runs. Two bots on one state directory would both answer; the second one is refused."""

from __future__ import annotations

import fcntl
from pathlib import Path

from bot.errors import CannotStart, RecordUnwritable


class OnlyOne:
    """A context manager; CannotStart when another program is inside."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        try:
            self._file = self._path.open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise CannotStart("config.second_bot", path=self._path.parent) from error
        except OSError as error:
            raise RecordUnwritable(str(error)) from error

    def __exit__(self, *error: object) -> None:
        self._file.close()
