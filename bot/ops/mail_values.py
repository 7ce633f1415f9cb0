"""A letter as data. Knows no server and no wire."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file in a letter."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one person. ``identity`` (``<…@…>``) is the same for every try; ``references`` are those before it, the newest last."""

    recipient: str
    subject: str
    text: str
    html: str
    identity: str
    references: tuple[str, ...]
    at: datetime.datetime
    files: tuple[Enclosure, ...] = ()
