"""Rows of locks: who holds which target."""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Lock:
    """A held target: by whom, for which line and reference, in which running program, since when."""

    target: str
    reference: str
    person: str
    line: str
    instance: str
    since: float


def take(db: Database, lock: Lock) -> None:
    """Hold a free target."""
    db.execute("INSERT INTO locks VALUES (?,?,?,?,?,?)", (lock.target, lock.reference, lock.person, lock.line, lock.instance, lock.since))


def release(db: Database, reference: str) -> None:
    """Let go of all a request holds."""
    db.execute("DELETE FROM locks WHERE reference = ?", (reference,))


def everything(db: Database) -> list[Lock]:
    """All held targets, longest held first."""
    return [Lock(*row) for row in db.execute("SELECT target, reference, person, line, instance, since FROM locks ORDER BY since")]
