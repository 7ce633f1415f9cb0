"""The restore that is under way, as one small file in the bot's state: whoever comes after a crash reads there what to put back.

Written before each thing it tells of is done. How far databases and files are they tell themselves, by their mark.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bot.backup.manifest import SYSTEM
from bot.errors import OutsideError
from bot.ops.bounded import describe
from bot.ops.small_record import SmallRecord

_FORMAT = 1

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
        self._record = SmallRecord(home / "restore.json")

    def read(self) -> Undertaking | None:
        """What is under way; None when nothing is."""
        try:
            document = self._record.read()
            return None if document is None else _undertaking(document)
        except (OutsideError, ValueError, KeyError, TypeError) as error:
            path = str(self._record.path)
            raise OutsideError("restore.journal", system=SYSTEM, detail=describe(error), path=path) from error

    def write(self, undertaking: Undertaking, **changed: Any) -> Undertaking:
        """Note what is under way, or what has ``changed`` of it: on the disk when this returns."""
        told = replace(undertaking, **changed)
        self._record.write({"format": _FORMAT, **asdict(told)})
        return told

    def clear(self) -> None:
        """It is over."""
        self._record.clear()


def _undertaking(document: dict[str, Any]) -> Undertaking:
    if document.pop("format") != _FORMAT:
        raise ValueError("written by another version")
    for name in ("containers", "queues"):
        document[name] = tuple(map(str, document[name]))
    return Undertaking(**document)
