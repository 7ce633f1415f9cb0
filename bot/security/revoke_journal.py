"""What a revocation is about to do and how far it is, as one small private file: whoever comes after a crash goes on from there.

It holds the new secrets until they stand where they belong, as otherwise a crash in between would lock everybody out. No one shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from bot.ops.small_record import SmallRecord

Kind = Literal["sessions", "tokens", "user", "api-keys", "mongodb-password", "redis-password"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_STEPS: Mapping[Kind, tuple[str, ...]] = {
    "sessions": ("sessions",),
    "api-keys": ("keys",),
    "user": ("user", "sessions", "keys"),
    "tokens": ("file", "recreate", "sessions", "page"),
    "mongodb-password": ("password", "file", "recreate", "page"),
    "redis-password": ("close", "file", "recreate", "open", "page"),
}


@dataclass(frozen=True, slots=True)
class Revocation:
    """One of them. ``values`` are new secrets by the name of their variable; ``services`` are made again with them, in this order.

    ``who`` is a user's id, ``account`` a database account; ``copy`` the name under which the environment file before is kept.
    ``queues`` are closed meanwhile. ``done`` are the steps that are over, ``counts`` what each of them found.
    """

    kind: Kind
    at: float
    by: str
    incident: int
    reference: str
    who: str = ""
    account: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    copy: str = ""
    done: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[str, ...]:
        """All of its steps; making a service again is one for each."""
        expanded = [[f"recreate:{name}" for name in self.services] if step == "recreate" else [step] for step in _STEPS[self.kind]]
        return tuple(step for steps in expanded for step in steps)

    @property
    def left(self) -> tuple[str, ...]:
        """Those that are not over."""
        return tuple(step for step in self.steps if step not in self.done)

    @property
    def line(self) -> str:
        """What to type to go on with it."""
        return " ".join(part for part in ("incident revoke", self.kind, self.who) if part)

    def after(self, step: str, count: int | None = None) -> Revocation:
        """The same with one step more done."""
        counts = self.counts if count is None else {**self.counts, step: count}
        return replace(self, done=(*self.done, step), counts=counts)


class RevokeJournal:
    """The file in ``home``; copies of environment files lie in ``copies``. Blocks; OutsideError when it cannot be read or written."""

    def __init__(self, home: Path) -> None:
        self._record = SmallRecord(home / "revoke.json")
        self.copies = home / "revoked"

    def read(self) -> Revocation | None:
        """The one that is not over; None when there is none."""
        document = self._record.read()
        try:
            return None if document is None else _revocation(document)
        except (KeyError, TypeError, ValueError) as error:
            raise self._record.unreadable(error) from error

    def write(self, revocation: Revocation) -> Revocation:
        """On the disk when this returns."""
        self._record.write(asdict(revocation))
        return revocation

    def clear(self) -> None:
        """It is over, and its secrets are here no more."""
        self._record.clear()

    def newest_copy(self, kind: str) -> Path | None:
        """The environment file as it was before the last revocation of a kind."""
        found = sorted(self.copies.glob(f"*-{kind}.env")) if self.copies.is_dir() else []
        return found[-1] if found else None


def _revocation(document: dict[str, Any]) -> Revocation:
    if document["kind"] not in KINDS:
        raise ValueError("written by another version")
    for name in ("services", "queues", "done"):
        document[name] = tuple(map(str, document[name]))
    return Revocation(**document)
