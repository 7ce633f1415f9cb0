"""The nouns: who asks, where, what they ask, what will happen, what is answered. Frozen; only these travel.

Knows nothing of any platform, store or adapter. Times are seconds since the epoch (UTC) unless said.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Role(enum.IntEnum):
    """What a person may do at most; each role holds the rights of those below it."""

    NOBODY = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


class Risk(enum.StrEnum):
    """How much harm a command can do: ``read`` none, ``change`` some and undoable, ``risky`` a second person."""

    READ = "read"
    CHANGE = "change"
    RISKY = "risky"


class Outcome(enum.StrEnum):
    """How a request ended."""

    DONE = "done"
    PENDING = "pending"
    REFUSED = "refused"
    FAILED = "failed"
    CRASHED = "crashed"
    INTERRUPTED = "interrupted"


class Tone(enum.StrEnum):
    """The colour of an answer: chosen by meaning, painted by the renderer."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Account:
    """One login on one platform, written ``slack:U1``, ``discord:42`` or ``local:ada``."""

    platform: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Account:
        """Read ``platform:id``; ValueError when it is not one."""
        platform, separator, identity = text.strip().partition(":")
        if not (platform and separator and identity):
            raise ValueError(text)
        return cls(platform, identity)


@dataclass(frozen=True, slots=True)
class Person:
    """A human: all their accounts and the role these add up to. ``name`` is how we write them."""

    name: str
    accounts: frozenset[Account]
    role: Role


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said: a channel, and a thread in it. ``direct`` is a private conversation."""

    platform: str
    channel: str
    thread: str = ""
    direct: bool = False

    def __str__(self) -> str:
        return f"{self.platform}:{self.channel}"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One request: a line typed (or a button that types one) by an account, somewhere.

    ``key`` is the platform's own id of this delivery, for de-duplication. ``reply_handle`` is opaque to all
    but the connector that made it (an interaction token, a response URL). ``approved_by`` and ``ticket`` are set
    only by the corridor itself, when a second person granted the plan; so is ``promised``, for a line that an earlier request,
    permitted then, had promised to undo something with, and ``within``: the request in whose course this one is asked, and which
    alone gets the answer.
    """

    line: str
    account: Account
    place: Place
    key: str
    at: float
    account_name: str = ""
    reply_handle: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    approved_by: Account | None = None
    ticket: int | None = None
    promised: bool = False
    within: str = ""


class Tolerance(enum.StrEnum):
    """How far a fact may move between asking and approving before the approval is void."""

    EXACT = "exact"
    MAY_SHRINK = "may_shrink"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a plan saw: shown on the card as ``label: shown``, compared (and acted on) by ``value``, JSON-able.

    MAY_SHRINK compares numbers by size and lists as sets: fewer is tolerated, more is not.
    """

    key: str
    label: str
    shown: str
    value: Any
    tolerance: Tolerance = Tolerance.EXACT


@dataclass(frozen=True, slots=True)
class Plan:
    """What a risky command would do, from live state. ``apply`` acts on its facts and on nothing else.

    ``targets`` are held while it runs; ``undo`` says how to undo it, or that it cannot be.
    """

    title: str
    text: str
    facts: tuple[Fact, ...]
    targets: tuple[str, ...]
    reversible: bool
    undo: str
    warnings: tuple[str, ...] = ()

    def value(self, key: str) -> Any:
        """What the fact of this key saw; KeyError when there is none."""
        for fact in self.facts:
            if fact.key == key:
                return fact.value
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class Button:
    """A button types a line: pressing it is the same as typing ``types``."""

    label: str
    types: str
    style: str = "default"  # default, primary, danger


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; every cell is text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file handed over with an answer, by path; already redacted. ``alt`` tells in words what a picture shows."""

    name: str
    path: Path
    media_type: str = "text/plain"
    alt: str = ""

    @property
    def is_picture(self) -> bool:
        """Whether it is to be shown in the answer."""
        return self.media_type == "image/png"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, before any platform's looks. ``data`` holds the same figures raw, JSON-able, for ``--json``.

    ``text`` and every other string are plain text: a renderer escapes what its platform would take as markup.
    ``private`` asks for a place only the asker sees. ``code`` is shown in fixed width. ``mentions`` are the people who are called by
    their platform; no text ever calls anybody.
    """

    title: str
    text: str = ""
    outcome: Outcome = Outcome.DONE
    tone: Tone = Tone.NEUTRAL
    fields: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    code: str = ""
    files: tuple[Attachment, ...] = ()
    buttons: tuple[Button, ...] = ()
    ticket: int | None = None
    reference: str = ""
    footer: str = ""
    private: bool = False
    data: Any = None
    mentions: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work is: ``done`` of ``total`` (0 when unknown), in ``unit``; ``text`` says what is going on."""

    text: str
    done: float = 0
    total: float = 0
    unit: str = ""
