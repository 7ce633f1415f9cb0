"""Alerts, mutes and maintenance windows: the nouns of what the house says by itself when something is wrong, and of what people do then.

Pure: measures nothing, knows neither rules nor rows nor how anything is told.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.model import Account, Reply


class AlertState(enum.StrEnum):
    """``acknowledged``: it goes on, and somebody is at it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Severity(enum.StrEnum):
    """``critical`` wakes people; ``warning`` may wait until the morning."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong with ``subject`` by ``rule``, from ``opened_at`` until ``closed_at``. ``id`` is 0 until it is kept.

    ``title`` is its rule's name, ``text`` what was found last, ``value`` the figure in ``unit``. ``count`` tells how often it was
    said again. ``folded``: how many subjects it stands for, 0 when only its own. ``announced_at`` is None while nobody was told,
    because of a mute or a maintenance window. ``owed``: its evidence is still to be gathered. ``remedy`` is the line that may help,
    ``remedies`` how often it was run of ``remedies_most``; the run of number ``remedy_seq`` in the record is looked at ``verify_at``.
    ``channels``: where besides the usual places. ``escalated``: how many people were called after the first.
    """

    id: int
    rule: str
    subject: str
    severity: Severity
    title: str
    opened_at: float
    last_at: float
    state: AlertState = AlertState.OPEN
    text: str = ""
    value: float | None = None
    unit: str = "state"
    closed_at: float | None = None
    count: int = 0
    acknowledged_by: str = ""
    acknowledged_at: float | None = None
    incident: int | None = None
    escalated: int = 0
    flapping: bool = False
    folded: int = 0
    announced_at: float | None = None
    repeat_at: float | None = None
    owed: bool = False
    remedy: str = ""
    remedies: int = 0
    remedies_most: int = 0
    remedy_seq: int = 0
    verify_at: float | None = None
    channels: tuple[Account, ...] = ()

    @property
    def key(self) -> str:
        """Under which its notice stands."""
        return f"alert:{self.id}"

    @property
    def is_open(self) -> bool:
        """Whether it goes on, acknowledged or not."""
        return self.state is not AlertState.CLOSED


@dataclass(frozen=True, slots=True)
class Mute:
    """Nothing is said of ``subject`` (empty: of anything) by ``rule`` until then. ``alert`` is the one it was asked at, 0 for none."""

    id: int
    rule: str
    subject: str
    person: str
    at: float
    until: float
    alert: int = 0

    @property
    def key(self) -> str:
        """Under which its end is told, where there is no alert to tell it below."""
        return f"mute:{self.id}"

    def covers(self, alert: Alert) -> bool:
        """Whether it keeps this one quiet; one that stands for many only when all of the rule is muted."""
        return self.rule == alert.rule and (not self.subject or self.subject == alert.subject)


@dataclass(frozen=True, slots=True)
class Window:
    """Maintenance of ``service`` (empty: of everything), from ``begun_at`` until ``until``."""

    id: int
    service: str
    person: str
    begun_at: float
    until: float
    ended_at: float | None = None

    @property
    def key(self) -> str:
        """Under which its notice stands."""
        return f"maintenance:{self.id}"

    @property
    def raw(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "id": self.id,
            "service": self.service or None,
            "by": self.person,
            "begun_at": self.begun_at,
            "until": self.until,
            "ended_at": self.ended_at,
        }

    def covers(self, alert: Alert) -> bool:
        """Whether the alert is about what is worked on: ``backend``, a replica ``backend#2``, a way to it ``frontend → backend``."""
        parts = {part.partition("#")[0] for part in alert.subject.split(" → ")}
        return not self.service or self.service in parts


class AlertBook(Protocol):
    """The alerts there are and were, and what people may do about them. Every change and what is said of it are one commit."""

    async def open(self) -> Sequence[Alert]:
        """What goes on now, acknowledged or not: critical ones first, then the oldest."""

    async def waiting(self) -> Sequence[Alert]:
        """What goes on, was told, is not muted, and nobody has acknowledged; the oldest first."""

    async def since(self, at: float) -> Sequence[Alert]:
        """Every alert that was open at some time since then, the oldest first."""

    async def get(self, number: int) -> Alert | None:
        """One alert as it stands."""

    async def acknowledge(self, number: int, person: str) -> Alert:
        """Somebody is at it. Conflict when it is over, or somebody was before."""

    async def link(self, number: int, incident: int) -> Alert:
        """It belongs to an incident. Conflict when there is no such alert."""

    async def say(self, number: int, said: Reply) -> None:
        """Something more, in the thread below its notice."""

    async def mute(self, rule: str, subject: str, person: str, until: float, alert: int = 0) -> Mute:
        """Say nothing of this until then; it takes the place of a mute of the same."""

    async def unmute(self, number: int, person: str) -> Mute:
        """End a mute before its time. Conflict when it is over."""

    async def test(self, title: str, person: str) -> Alert:
        """An alert about nothing, told as any other; it is over by itself soon."""

    async def mutes(self) -> Sequence[Mute]:
        """Those in force, the one that ends first first."""

    async def begin_window(self, service: str, person: str, until: float) -> Window:
        """Record alerts of this and tell nobody until then. Conflict when that is so already."""

    async def end_window(self, number: int, person: str) -> Window:
        """End one before its time; what still goes on is told. Conflict when it is over."""

    async def windows(self) -> Sequence[Window]:
        """Those in force, the oldest first."""
