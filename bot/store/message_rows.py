"""Rows of the outbox: each is a message as it should stand on a platform, and how far that is so.

``version`` is what we want shown, ``delivered`` what is; ``sending`` is the version a connector was handed and
has not confirmed; ``posted`` is the connector's own note of what it made there (JSON). A message with a ``parent``
stands in the thread below that one, and waits until it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlite_utils import Database

from bot.model import Account, Place, Reply
from bot.store.codec import dumps, loads, noun_to_text, place_from, reply_from


@dataclass(frozen=True, slots=True)
class Message:
    """A message to be shown or changed. ``posted`` is empty until the connector has made it.

    ``below`` is the connector's note of the message in whose thread this one belongs; empty for one of its own.
    """

    id: int
    place: Place
    account: Account
    handle: Mapping[str, str]
    reply: Reply
    version: int
    posted: Mapping[str, str]
    sending: int
    attempts: int
    created_at: float
    ticket: int | None
    below: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """What tells this message from every other, also of another state file: put on the platform to be found again."""
        return f"{self.id}.{int(self.created_at * 1000)}"


def insert(db: Database, place: Place, account: Account, handle: Mapping[str, str], at: float, ticket: int | None = None) -> int:
    """A message with nothing to say yet; its number."""
    cursor = db.execute(
        "INSERT INTO messages (platform, place, account, handle, created_at, ticket) VALUES (?,?,?,?,?,?)",
        (place.platform, noun_to_text(place), str(account), dumps(dict(handle)), at, ticket),
    )
    return int(cursor.lastrowid or 0)


def insert_below(db: Database, parent: int, at: float) -> int:
    """A message in the thread below another one, for the same person in the same place; its number, 0 when that one is forgotten."""
    cursor = db.execute(
        "INSERT INTO messages (platform, place, account, handle, created_at, parent)"
        " SELECT platform, place, account, '{}', ?, id FROM messages WHERE id = ?",
        (at, parent),
    )
    return int(cursor.lastrowid or 0) if cursor.rowcount == 1 else 0  # else it is the number of whatever was inserted before


def repeat_below(db: Database, answer: int, other: int, at: float) -> None:
    """What was said in the thread below an answer, below another message too; not what is for one person only."""
    db.execute(
        "INSERT INTO messages (platform, place, account, handle, content, version, next_at, created_at, parent)"
        " SELECT above.platform, above.place, above.account, '{}', said.content, 1, ?1, ?1, above.id"
        " FROM messages said JOIN messages above ON above.id = ?3 WHERE said.parent = ?2 AND said.content IS NOT NULL"
        " AND json_extract(said.content, '$.private') IS NOT 1 ORDER BY said.id",
        (at, answer, other),
    )


def show(db: Database, message: int, reply: Reply, at: float) -> None:
    """Want ``reply`` shown in this message, from now on; one that waits out a failure keeps its wait."""
    db.execute(
        "UPDATE messages SET content = ?, version = version + 1, dead = 0,"
        " next_at = CASE WHEN attempts > 0 THEN next_at ELSE ? END WHERE id = ?",
        (noun_to_text(reply), at, message),
    )


# A platform that wants to be left alone names minutes.
LONGEST_WAIT = 3_600.0
_FIELDS = (
    "m.id, m.place, m.account, m.handle, m.content, m.version, m.posted, m.sending, m.attempts, m.created_at, m.ticket,"
    " COALESCE(above.posted, '{}')"
)
# Below a message that could not be posted, or is forgotten, there is no thread: what was to stand there stands in the channel.
_READY = "(m.parent IS NULL OR above.id IS NULL OR above.posted <> '{}' OR above.dead = 1)"


def _message(row: tuple[str, ...]) -> Message:
    number, place, account, handle, content, version, posted, sending, attempts, created, ticket, below = row
    return Message(
        id=int(number),
        place=place_from(loads(place)),
        account=Account.parse(account),
        handle=loads(handle),
        reply=reply_from(content),
        version=int(version),
        posted=loads(posted),
        sending=int(sending),
        attempts=int(attempts),
        created_at=float(created),
        ticket=int(ticket) if ticket is not None else None,
        below=loads(below),
    )


def due(db: Database, platform: str, now: float, limit: int, after: int = 0) -> list[Message]:
    """Messages of a platform that should be shown or changed now, oldest first, with numbers above ``after``.

    One that seems to wait longer than any does was put off before the clock was set back.
    """
    rows = db.execute(
        f"SELECT {_FIELDS} FROM messages m LEFT JOIN messages above ON above.id = m.parent"
        f" WHERE m.platform = ? AND (m.next_at <= ? OR m.next_at > ?) AND m.version > m.delivered AND m.dead = 0 AND m.id > ? AND {_READY}"
        " ORDER BY m.id LIMIT ?",
        (platform, now, now + LONGEST_WAIT, after, limit),
    )
    return [_message(row) for row in rows]


def next_due(db: Database, platform: str) -> float | None:
    """When the next message of a platform wants to be tried; None when all is delivered."""
    row = db.execute("SELECT MIN(next_at) FROM messages WHERE platform = ? AND version > delivered AND dead = 0", (platform,)).fetchone()
    return float(row[0]) if row and row[0] is not None else None


def mark_sending(db: Database, message: Message) -> None:
    """Noted before a connector is called, so that a crash in between is known to be in doubt."""
    db.execute("UPDATE messages SET sending = ? WHERE id = ?", (message.version, message.id))


def mark_posted(db: Database, message: int, posted: Mapping[str, str]) -> None:
    """Keep the connector's note of what it has made so far."""
    db.execute("UPDATE messages SET posted = ? WHERE id = ?", (dumps(dict(posted)), message))


def mark_delivered(db: Database, message: Message, posted: Mapping[str, str]) -> None:
    """This version is shown."""
    db.execute(
        "UPDATE messages SET delivered = ?, sending = 0, posted = ?, attempts = 0, error = '' WHERE id = ?",
        (message.version, dumps(dict(posted)), message.id),
    )


def mark_failed(db: Database, message: Message, *, next_at: float, error: str, dead: bool, in_doubt: bool) -> None:
    """Try again at ``next_at``, or never when ``dead``. ``in_doubt``: it may have been shown after all."""
    db.execute(
        "UPDATE messages SET attempts = attempts + 1, next_at = ?, error = ?, dead = ?, sending = ? WHERE id = ?",
        (next_at, error[:300], int(dead), message.version if in_doubt else 0, message.id),
    )


def link(db: Database, message: int, ticket: int) -> None:
    """Make a message a card of this ticket."""
    db.execute("UPDATE messages SET ticket = ? WHERE id = ?", (ticket, message))


def of_ticket(db: Database, ticket: int) -> list[int]:
    """The cards of a ticket."""
    return [int(row[0]) for row in db.execute("SELECT id FROM messages WHERE ticket = ? ORDER BY id", (ticket,))]


def of_answer(db: Database, reference: str) -> list[int]:
    """Every message that shows the answer to this request: where it was asked, and in the other places of a schedule."""
    wanted = "SELECT id FROM messages WHERE parent IS NULL AND json_extract(content, '$.reference') = ? ORDER BY id"
    return [int(row[0]) for row in db.execute(wanted, (reference,))]


def waiting(db: Database) -> list[tuple[str, int, int, float]]:
    """For each platform: how many messages wait, how many were given up, when the next is tried."""
    rows = db.execute(
        "SELECT platform, SUM(dead = 0), SUM(dead), MIN(CASE WHEN dead = 0 THEN next_at END)"
        " FROM messages WHERE version > delivered GROUP BY platform ORDER BY platform"
    )
    return [(platform, int(count), int(dead), float(at or 0)) for platform, count, dead, at in rows]


def prune(db: Database, before: float) -> None:
    """Forget delivered messages older than ``before``, which nothing edits any more; an open incident is told of below its own."""
    db.execute(
        "DELETE FROM messages WHERE created_at < ? AND (version = delivered OR dead = 1) AND id NOT IN ("
        " SELECT n.message FROM notices n JOIN incidents i ON n.key IN ('incident:' || i.id, 'incident:' || i.id || ':room')"
        " WHERE i.resolved_at = 0)",
        (before,),
    )
