"""Rows of notices: messages that answer no request, one in each place, known by a key such as ``alert:7``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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


def below(db: Database, key: str, reply: Reply, at: float, platforms: Collection[str] | None = None) -> None:
    """Want something more said in the thread below each message of this key; on these platforms only, when given."""
    for message in messages_of(db, key):
        if platforms is None or _place(db, message).platform in platforms:
            message_rows.show(db, message_rows.insert_below(db, message, at), reply, at)


def say(db: Database, places: Sequence[Place], reply: Reply, at: float) -> None:
    """Want something said in these places, once; nothing changes it later."""
    for place in dict.fromkeys(places):
        message_rows.show(db, message_rows.insert(db, place, _NOBODY, {}, at), reply, at)


def call(key: str, level: int) -> str:
    """The key of the letters that call somebody about the notice of a key."""
    return f"{key}:call:{level}"


def hush(db: Database, key: str) -> None:
    """What was not handed to a platform yet in the thread below this key calls nobody; the letters of ``call`` are not sent."""
    unsent = "version > delivered AND dead = 0 AND delivered = 0 AND sending = 0 AND posted = '{}'"
    below = "parent IN (SELECT message FROM notices WHERE key = ?)"
    db.execute(f"UPDATE messages SET content = json_remove(content, '$.mentions') WHERE {unsent} AND {below}", (key,))
    letters = "id IN (SELECT message FROM notices WHERE key GLOB ?)"
    db.execute(f"UPDATE messages SET delivered = version WHERE {unsent} AND {letters}", (f"{key}:call:*",))


def show_below(db: Database, key: str, above: str, platforms: Collection[str], reply: Reply, at: float) -> None:
    """As ``show``, in the thread below each message of the key ``above`` on these platforms."""
    taken = {_place(db, message) for message in messages_of(db, key)}
    for message in messages_of(db, above):
        place = _place(db, message)
        if place.platform in platforms and place not in taken:
            db.execute("INSERT INTO notices (message, key) VALUES (?,?)", (message_rows.insert_below(db, message, at), key))
    show(db, key, (), reply, at)


def move_below(db: Database, place: Place, key: str, above: str) -> None:
    """What was given up in a place stands in the thread below ``above`` on its platform; what stood there under ``key`` is let go.

    What is still on its way there is not touched: it fails, is given up, and is moved the next time.
    """
    gone = [message for message in messages_of(db, key) if _place(db, message) == place]
    for message in gone:
        db.execute("DELETE FROM notices WHERE message = ?", (message,))
        db.execute("UPDATE messages SET content = NULL WHERE id = ? AND dead = 1", (message,))
    for target in messages_of(db, above):
        if _place(db, target).platform == place.platform:
            db.execute(
                "UPDATE messages SET place = (SELECT place FROM messages WHERE id = ?1), parent = ?1,"
                " dead = 0, attempts = 0, sending = 0, next_at = 0"
                " WHERE platform = ?2 AND account = ?3 AND dead = 1 AND posted = '{}' AND content IS NOT NULL"
                f" AND json_extract(place, '$.channel') = ?4 AND id NOT IN ({','.join(map(str, [0, *gone]))})",
                (target, place.platform, str(_NOBODY), place.channel),
            )
            break


def given_up(db: Database, place: Place) -> list[str]:
    """Why messages in a place were given up."""
    wanted = "SELECT DISTINCT error FROM messages WHERE platform = ? AND dead = 1 AND json_extract(place, '$.channel') = ?"
    return [str(row[0]) for row in db.execute(wanted, (place.platform, place.channel))]


def was_never_said(db: Database, place: Place) -> bool:
    """Whether something of ours was given up in a place before it was posted there."""
    wanted = (
        "SELECT 1 FROM messages WHERE platform = ? AND dead = 1 AND posted = '{}' AND account = ? AND content IS NOT NULL"
        " AND json_extract(place, '$.channel') = ? AND id NOT IN (SELECT message FROM notices) LIMIT 1"
    )
    return db.execute(wanted, (place.platform, str(_NOBODY), place.channel)).fetchone() is not None


def messages_of(db: Database, key: str) -> list[int]:
    """The messages of this key, the oldest first."""
    wanted = "SELECT n.message FROM notices n JOIN messages m ON m.id = n.message WHERE n.key = ? ORDER BY n.message"
    return [int(row[0]) for row in db.execute(wanted, (key,))]


def places_of_answer(db: Database, reference: str) -> list[Place]:
    """Where the answer to this request stands."""
    return [_place(db, message) for message in message_rows.of_answer(db, reference)]


def _place(db: Database, message: int) -> Place:
    (place,) = db.execute("SELECT place FROM messages WHERE id = ?", (message,)).fetchone()
    return place_from(loads(place))


def prune(db: Database) -> None:
    """Forget keys whose messages are forgotten."""
    db.execute("DELETE FROM notices WHERE message NOT IN (SELECT id FROM messages)")
