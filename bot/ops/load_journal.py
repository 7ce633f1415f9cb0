"""What a swap is about to do, as one document in the live database, written before it begins: whoever comes after a crash reads it.

Knows the form of that document; what becomes of collections is ``load_swap``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.ops.dump_metadata import pack, unpack
from bot.ops.dump_values import Definition, Options
from bot.ops.load_indexes import Expiry

Phase = Literal["swapping", "swapped", "undoing", "settling"]
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Journal:
    """One swap: the collections that go ``away`` and those that are brought in, the views on both sides, and what will expire.

    How far each collection is, its names tell: beside the live one may stand an incoming and an outgoing one.
    """

    mark: str
    phase: Phase
    away: tuple[str, ...]
    bring: tuple[str, ...]
    views_away: tuple[Definition, ...] = ()
    views_bring: tuple[Definition, ...] = ()
    expire: tuple[Expiry, ...] = ()

    def document(self) -> dict[str, Any]:
        """As stored. Names of collections and options may hold dots and dollars, which stand in text only."""
        content = {
            "away": list(self.away),
            "bring": list(self.bring),
            "views_away": [_view(each) for each in self.views_away],
            "views_bring": [_view(each) for each in self.views_bring],
            "expire": [[each.collection, each.index, each.seconds] for each in self.expire],
        }
        return {"_id": self.mark, "version": _VERSION, "phase": self.phase, "content": pack(content)}


def journal_of(document: Mapping[str, Any]) -> Journal:
    """From the stored form."""
    content = unpack(str(document["content"]))
    return Journal(
        mark=str(document["_id"]),
        phase=document["phase"],
        away=tuple(content["away"]),
        bring=tuple(content["bring"]),
        views_away=tuple(_definition(each) for each in content["views_away"]),
        views_bring=tuple(_definition(each) for each in content["views_bring"]),
        expire=tuple(Expiry(*each) for each in content["expire"]),
    )


def _view(definition: Definition) -> Options:
    return {"name": definition.name, "options": definition.options}


def _definition(entry: Options) -> Definition:
    return Definition(str(entry["name"]), "view", entry["options"])
