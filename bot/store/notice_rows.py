"""Rows of notices: messages that answer no request, one in each place, known by a key such as ``alert:7``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

from bot.model import Account, Place, Reply
from bot.store import message_rows
from bot.store.codec import loads, place_from

_NOBODY = Account("local", "-")


def show(db: Database, key: str, places: Sequence[Place], reply: Reply, at: float) -> None:
    """Want ``reply`` shown under this key: a message in each place that has none yet, and a change of those that stand."""
    messages = messages_of(db, key)
    taken = {_place(db, message) for message in messages}
    for place in dict.fromkeys(places):
        if place not in taken:
            message = message_rows.insert(db, place, _NOBODY, {}, at)
            db.execute("INSERT INTO notices (message, key) VALUES (?,?)", (message, key))
            messages.append(message)
    for message in messages:
        message_rows.show(db, message, reply, at)


def below(db: Database, key: str, reply: Reply, at: float) -> None:
    """Want something more said in the thread below each message of this key."""
    for message in messages_of(db, key):
        message_rows.show(db, message_rows.insert_below(db, message, at), reply, at)


def messages_of(db: Database, key: str) -> list[int]:
    """The messages of this key, the oldest first."""
    wanted = "SELECT n.message FROM notices n JOIN messages m ON m.id = n.message WHERE n.key = ? ORDER BY n.message"
    return [int(row[0]) for row in db.execute(wanted, (key,))]


def _place(db: Database, message: int) -> Place:
    (place,) = db.execute("SELECT place FROM messages WHERE id = ?", (message,)).fetchone()
    return place_from(loads(place))


def prune(db: Database) -> None:
    """Forget keys whose messages are forgotten."""
    db.execute("DELETE FROM notices WHERE message NOT IN (SELECT id FROM messages)")
