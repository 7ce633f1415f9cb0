"""The restore that is under way, as one small file in the bot's state: whoever comes after a crash reads there what to put back.

Written before each thing it tells of is done. How far databases and files are they tell themselves, by their mark.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bot.backup.manifest import SYSTEM
from bot.errors import OutsideError
from bot.ops.bounded import describe
from bot.ops.dump_faults import writing
from bot.ops.fresh_file import fresh

_FORMAT, _LARGEST = 1, 1 << 20

# Until ``kept`` everything is put back; from then on the new data stays, and only the tidying is left. From ``started`` on somebody
# may work on the new data: whoever comes after a crash looks whether they do.
Phase = Literal["begun", "started", "kept"]


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A restore that is not over. ``live`` is the uploads directory that is replaced, empty when none is.

    ``containers`` were stopped and ``queues`` closed for it, or are about to be. ``backup`` is where it restores from, by its id;
    empty for a dump that is no backup of ours. ``safety`` is the backup that was made of what it replaced.
    """

    mark: str
    backup: str
    begun_at: float
    reference: str
    database: bool
    live: str
    phase: Phase = "begun"
    containers: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    safety: str = ""


class RestoreJournal:
    """The file in ``home``. Blocks; OutsideError when it cannot be read or written."""

    def __init__(self, home: Path) -> None:
        self._path = home / "restore.json"

    def read(self) -> Undertaking | None:
        """What is under way; None when nothing is."""
        try:
            with self._path.open("rb") as file:
                return _undertaking(json.loads(file.read(_LARGEST)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutsideError("restore.journal", system=SYSTEM, detail=describe(error), path=str(self._path)) from error

    def write(self, undertaking: Undertaking, **changed: Any) -> Undertaking:
        """Note what is under way, or what has ``changed`` of it: on the disk when this returns."""
        told = replace(undertaking, **changed)
        beside = self._path.with_name(f".{self._path.name}")
        with writing():
            for stale in (beside, beside.with_name(f"{beside.name}.part")):
                stale.unlink(missing_ok=True)
        with fresh(beside, limit=_LARGEST) as file:
            file.write(json.dumps({"format": _FORMAT, **asdict(told)}, indent=1).encode())
        with writing():
            beside.replace(self._path)
            self._sync()
        return told

    def clear(self) -> None:
        """It is over."""
        with writing(), contextlib.suppress(FileNotFoundError):
            self._path.unlink()
            self._sync()

    def _sync(self) -> None:
        """Also its name: were it lost with the power, data that was decided to stay would be taken back."""
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _undertaking(document: dict[str, Any]) -> Undertaking:
    if document.pop("format") != _FORMAT:
        raise ValueError("written by another version")
    for name in ("containers", "queues"):
        document[name] = tuple(map(str, document[name]))
    return Undertaking(**document)
