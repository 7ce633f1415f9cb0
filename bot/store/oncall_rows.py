"""Rows of who is on call: what was set by hand, who was told to be on call last, pages, and how far each escalation has come."""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

from bot.model import Account
from bot.oncall import Contact, Override, Page
from bot.store.codec import dumps, loads

_PAGE = "SELECT id, message, person, at, called, acknowledged_by, acknowledged_at FROM oncall_pages"


# ------------------------------------------------------------ overrides
def put(db: Database, override: Override) -> None:
    """It holds from its beginning on; the one before ends then."""
    clear(db, override.begun_at)
    db.execute(
        "INSERT INTO oncall_overrides (contact, person, begun_at, until) VALUES (?,?,?,?)",
        (dumps(override.contact), override.person, override.begun_at, override.until),
    )


def clear(db: Database, at: float) -> None:
    """From then on all goes by the plan."""
    db.execute("UPDATE oncall_overrides SET ended_at = ? WHERE ended_at IS NULL", (at,))


def override_at(db: Database, at: float) -> Override | None:
    """The one that holds at a moment."""
    rows = db.execute(
        "SELECT contact, person, begun_at, until FROM oncall_overrides"
        " WHERE begun_at <= ?1 AND (until IS NULL OR until > ?1) AND (ended_at IS NULL OR ended_at > ?1) ORDER BY id DESC LIMIT 1",
        (at,),
    ).fetchall()
    return next((Override(_contact(contact), person, float(begun), until) for contact, person, begun, until in rows), None)


def _contact(text: str) -> Contact:
    raw = loads(text)
    return Contact(**{**raw, "accounts": tuple(Account(**each) for each in raw["accounts"])})


# ------------------------------------------------------------ handing over
def told(db: Database) -> str | None:
    """Who was last told to be on call; None when nobody ever was, empty when nobody was known."""
    rows = db.execute("SELECT name FROM oncall_shifts ORDER BY id DESC LIMIT 1").fetchall()
    return str(rows[0][0]) if rows else None


def tell(db: Database, name: str, at: float) -> int:
    """Somebody is told to be on call now; the number of that."""
    return int(db.execute("INSERT INTO oncall_shifts (name, at) VALUES (?,?)", (name, at)).lastrowid or 0)


# ------------------------------------------------------------ pages
def insert(db: Database, page: Page) -> int:
    """Write a new one; its number."""
    values = (page.message, page.person, page.at, page.called)
    return int(db.execute("INSERT INTO oncall_pages (message, person, at, called) VALUES (?,?,?,?)", values).lastrowid or 0)


def page(db: Database, number: int) -> Page | None:
    """One page as it stands."""
    return next(iter(_pages(db, "WHERE id = ?", (number,))), None)


def waiting(db: Database) -> list[Page]:
    """Pages that nobody answered, the oldest first."""
    return _pages(db, "WHERE acknowledged_at IS NULL ORDER BY id")


def acknowledge(db: Database, number: int, person: str, at: float) -> None:
    """Somebody answered."""
    db.execute("UPDATE oncall_pages SET acknowledged_by = ?, acknowledged_at = ? WHERE id = ?", (person, at, number))


def _pages(db: Database, rest: str, values: Sequence[object] = ()) -> list[Page]:
    return [Page(*row) for row in db.execute(f"{_PAGE} {rest}", tuple(values)).fetchall()]


# ------------------------------------------------------------ escalations
def level(db: Database, key: str) -> tuple[int, float | None]:
    """How many were called after the first about the notice of this key, and when the last of them was."""
    rows = db.execute("SELECT level, at FROM escalations WHERE key = ?", (key,)).fetchall()
    return (int(rows[0][0]), float(rows[0][1])) if rows else (0, None)


def raise_to(db: Database, key: str, number: int, at: float) -> None:
    """So many were called after the first, the last of them now."""
    db.execute("INSERT OR REPLACE INTO escalations (key, level, at) VALUES (?,?,?)", (key, number, at))


def prune(db: Database, before: float) -> None:
    """Forget what was over before this."""
    db.execute("DELETE FROM escalations WHERE at < ?", (before,))
    db.execute("DELETE FROM oncall_pages WHERE at < ?", (before,))
    db.execute("DELETE FROM oncall_overrides WHERE ended_at < ?", (before,))
    db.execute("DELETE FROM oncall_shifts WHERE at < ? AND id < (SELECT MAX(id) FROM oncall_shifts)", (before,))
