"""What a revocation is about to do and how far it is, a small private file for each kind: whoever comes after a crash goes on from there.

It holds the new secrets until they stand where they belong, as otherwise a crash in between would lock everybody out. No one shows it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from bot.ops.small_record import SmallRecord

_LOG = logging.getLogger("vcc.revoke")
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
    ``queues`` are closed meanwhile. ``before`` are secrets of an unfinished attempt, one of which may be in force.
    ``done`` are the steps that are over, ``counts`` what each of them found.
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
    before: tuple[str, ...] = ()
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

    def ripe(self, service: str, held: Collection[str]) -> bool:
        """Whether nothing but making a service again is missing for it; ``held`` are cut off, and not waited for."""
        step = f"recreate:{service}"
        if step not in self.left:
            return False
        earlier = self.steps[: self.steps.index(step)]
        return all(each in self.done or (each.startswith("recreate:") and each.partition(":")[2] in held) for each in earlier)

    def after(self, step: str, count: int | None = None) -> Revocation:
        """The same with one step more done."""
        counts = self.counts if count is None else {**self.counts, step: count}
        return replace(self, done=(*self.done, step), counts=counts)


class RevokeJournal:
    """The files in ``home``; copies of environment files lie in ``copies``. Blocks; OutsideError when one cannot be read or written."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "revoke"
        self.copies = home / "revoked"

    def read(self, kind: Kind) -> Revocation | None:
        """The one of a kind that is not over; None when there is none."""
        record = self._record(kind)
        document = record.read()
        try:
            return None if document is None else _revocation(document)
        except (KeyError, TypeError, ValueError) as error:
            raise record.unreadable(error) from error

    def all(self) -> tuple[Revocation, ...]:
        """All that are not over, the oldest first."""
        return tuple(sorted((found for kind in KINDS if (found := self.read(kind)) is not None), key=lambda found: found.at))

    def write(self, revocation: Revocation) -> Revocation:
        """On the disk when this returns."""
        self._record(revocation.kind).write(asdict(revocation))
        return revocation

    def clear(self, kind: Kind, keep: str = "") -> None:
        """It is over, and its secrets are here no more. Of the files before only the one named ``keep`` stays, to go back to."""
        self._record(kind).clear()
        try:
            if keep and (self.copies / keep).exists():
                for copy in self._copies_of(kind):
                    if copy.name != keep:
                        copy.unlink()
        except OSError as error:
            _LOG.warning("old environment files stay: %s", error)

    def forget(self, revocation: Revocation) -> None:
        """It never began: what was kept for it goes too."""
        if revocation.copy:
            (self.copies / revocation.copy).unlink(missing_ok=True)
        self.clear(revocation.kind)

    def _record(self, kind: Kind) -> SmallRecord:
        return SmallRecord(self._folder / f"{kind}.json")

    def copy_before(self, kind: Kind) -> Path | None:
        """The environment file as it was before the last revocation of a kind."""
        pending = self.read(kind)
        if pending is not None:
            copy = self.copies / pending.copy
            return copy if pending.copy and copy.exists() else None
        return next(reversed(self._copies_of(kind)), None)

    def _copies_of(self, kind: Kind) -> list[Path]:
        """The oldest first."""
        return sorted(self.copies.glob(f"*-{kind}.env")) if self.copies.is_dir() else []


def _revocation(document: dict[str, Any]) -> Revocation:
    if document["kind"] not in KINDS:
        raise ValueError("written by another version")
    for name in ("services", "queues", "before", "done"):
        document[name] = tuple(map(str, document[name]))
    return Revocation(**document)
