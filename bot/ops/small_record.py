"""One small JSON document, private to the bot's user: on the disk when writing returns, and never half. Knows nothing of its content."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.errors import OutsideError
from bot.ops.bounded import describe
from bot.ops.dump_faults import SYSTEM, writing
from bot.ops.folder_sync import sync_folder
from bot.ops.fresh_file import PART, fresh

_LARGEST = 1 << 20


class SmallRecord:
    """The document at ``path``; its folder is made when it is first written. Blocks; OutsideError when that fails."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def read(self) -> dict[str, Any] | None:
        """The document; None when there is none."""
        try:
            with self._path.open("rb") as file:
                document = json.loads(file.read(_LARGEST))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self.unreadable(error) from error
        if not isinstance(document, dict):
            raise self.unreadable(ValueError("no object"))
        return document

    def unreadable(self, error: Exception) -> OutsideError:
        """What to raise when it is not what it should be."""
        return OutsideError("error.record_unreadable", system=SYSTEM, detail=describe(error), path=str(self._path))

    def write(self, document: Mapping[str, Any]) -> None:
        """Put it in the place of the one before."""
        beside = self._path.with_name(f".{self._path.name}")
        with writing():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for stale in (beside, beside.with_name(f"{beside.name}{PART}")):
                stale.unlink(missing_ok=True)
        with fresh(beside, limit=_LARGEST) as file:
            file.write(json.dumps(document, indent=1).encode())
        with writing():
            beside.replace(self._path)
            sync_folder(self._path.parent)  # also its name: were it lost with the power, what it tells would be unknown

    def clear(self) -> None:
        """It is over."""
        with writing(), contextlib.suppress(FileNotFoundError):
            self._path.unlink()
            sync_folder(self._path.parent)
