"""The row of the heartbeat: that the bot was well at a moment, and when somebody outside last took note of it."""

from __future__ import annotations

from sqlite_utils import Database


def note(db: Database, at: float) -> None:
    """The bot is well now, as far as it can tell."""
    db.execute("INSERT INTO heartbeat (id, at) VALUES (1,?) ON CONFLICT (id) DO UPDATE SET at = excluded.at", (at,))


def taken(db: Database, at: float) -> None:
    """It was told outside."""
    db.execute("UPDATE heartbeat SET taken_at = ? WHERE id = 1", (at,))


def last_taken(db: Database) -> float | None:
    """When it was last told outside; None when it never was."""
    row = db.execute("SELECT taken_at FROM heartbeat WHERE id = 1").fetchone()
    return float(row[0]) if row and row[0] is not None else None
