"""Names around a database dump: as mongodump writes them into file names, which collections are the bot's own, which are refused.

Knows no server and no file.
"""

from __future__ import annotations

import base64
import hashlib
import string
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_plus

from bot.errors import OutsideError
from bot.plain_text import harmless

SYSTEM = "mongodb"
BSON, METADATA = ".bson", ".metadata.json"

# Collections of the bot's own, beside the live ones: left out of dumps, and of anything that shows collections to people.
OURS = "vccbot."
JOURNAL = "vccbot.swap"
# The phases of a swap (see ``load_journal``) in which the live collections are partly the old ones, partly the new.
HALFWAY = ("swapping", "undoing")

# Where a file name would pass 255 bytes, mongodump cuts the name and adds its SHA-1.
_LONGEST_STEM, _CUT, _MARK = 238, 208, "%24"
_KEPT_SYSTEM = frozenset({"system.js"})
_LONGEST_DATABASE = 63
_MARK_LETTERS = frozenset(string.ascii_letters + string.digits + "-")
_FORBIDDEN_IN_DATABASE = frozenset('/\\. "$*<>:|?\0')


@dataclass(frozen=True, slots=True)
class Side:
    """The place of one restore: its own database (``scratch``), or the live database under names of the bot's own.

    ``mark`` tells this restore from any other; at most 20 letters, digits and dashes.
    """

    live: str
    mark: str
    scratch: bool = False

    def __post_init__(self) -> None:
        if not set(self.mark) <= _MARK_LETTERS or len(self.mark) > 20:
            raise ValueError("a mark is of letters, digits and dashes, 20 at most")

    @property
    def database(self) -> str:
        """The database that is written to."""
        return f"{self.live[:30]}-vccbot-{self.mark}" if self.scratch else self.live

    def incoming(self, name: str) -> str:
        """Where the collection stands while it is loaded."""
        return name if self.scratch else self._named("new", name)

    def outgoing(self, name: str) -> str:
        """Where the collection it replaces is kept."""
        return self._named("old", name)

    @property
    def prefix(self) -> str:
        """What all incoming names begin with."""
        return "" if self.scratch else f"{OURS}new.{self.mark}."

    def _named(self, part: str, name: str) -> str:
        """A name that is too long for every server still has one of its own."""
        whole = f"{OURS}{part}.{self.mark}.{name}"
        if len(f"{self.live}.{whole}".encode()) <= 120:
            return whole
        return f"{OURS}{part}.{self.mark}.~{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def mark_of(name: str) -> str:
    """The mark of the restore that a collection beside the live ones belongs to; empty for any other."""
    parts = name.split(".", 3)
    return parts[2] if len(parts) == 4 and f"{parts[0]}." == OURS and parts[1] in ("new", "old") else ""


def is_ours(name: str) -> bool:
    """Whether the bot made this collection for itself."""
    return name.startswith(OURS)


def is_dumped(name: str) -> bool:
    """Whether mongodump would dump a collection of this name, and it is not the bot's own."""
    return not is_ours(name) and (not name.startswith("system.") or name in _KEPT_SYSTEM) and "$" not in name


def is_swappable(name: str) -> bool:
    """Whether it can be loaded beside the live one and take its place: the server lets nobody rename what is its own by name."""
    return is_dumped(name) and not name.startswith("system.")


def stem(collection: str) -> str:
    """The file name of a collection, without its ending."""
    escaped = quote_plus(collection)
    if len(escaped) <= _LONGEST_STEM:
        return escaped
    digest = hashlib.sha1(collection.encode(), usedforsecurity=False).digest()
    return escaped[:_CUT] + _MARK + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def collection_of(file_stem: str) -> str:
    """The collection of a file name without its ending; what was cut short stays so."""
    return unquote_plus(file_stem)


def is_cut(file_stem: str) -> bool:
    """Whether the file name tells only the beginning of the collection's."""
    return len(file_stem) == _LONGEST_STEM and file_stem[_CUT : _CUT + len(_MARK)] == _MARK


def checked_collection(name: str) -> str:
    """``name`` as given. OutsideError for one that no honest dump has; it is never used as a path all the same."""
    if not name or "\0" in name or len(name.encode(errors="replace")) > 255 or ".." in name.split("/"):
        raise unsafe(name)
    return name


def checked_database(name: str) -> str:
    """``name`` as given. OutsideError for one that no server would take."""
    if not name or len(name.encode(errors="replace")) > _LONGEST_DATABASE or _FORBIDDEN_IN_DATABASE & set(name) or not name.isprintable():
        raise unsafe(name)
    return name


def unsafe(name: str) -> OutsideError:
    """The refusal of a name."""
    return OutsideError("dump.unsafe_name", system=SYSTEM, name=harmless(name)[:80])
