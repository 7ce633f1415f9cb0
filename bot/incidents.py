"""Incidents as nouns: what is wrong, who leads, how far the runbook is, what happened. Pure: knows no store, no words, no platform."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.model import Attachment, Invocation, Place
from bot.runbooks import Kind, Runbook, Runbooks, StepText


class StepState(enum.StrEnum):
    """How a step stands."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class RoomState(enum.StrEnum):
    """Where people talk about an incident on one platform: to be made, a channel of its own, the announcement's thread, or lost."""

    WANTED = "wanted"
    CHANNEL = "channel"
    THREAD = "thread"
    GONE = "gone"


class What(enum.StrEnum):
    """What a line of the timeline tells of."""

    OPENED = "opened"
    STEP = "step"
    NOTE = "note"
    LEAD = "lead"
    EVIDENCE = "evidence"
    ALERT = "alert"
    COMMAND = "command"
    SERVICE = "service"
    ROOM = "room"
    STATUS = "status"
    ACTION = "action"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. Of two with one ``key`` the first stays; without a key each one stays."""

    at: float
    what: What
    text: str
    person: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the runbook as the incident began with it, and how it stands. ``reminded_at`` is 0 until it was reminded of."""

    number: int
    text: StepText
    state: StepState = StepState.OPEN
    person: str = ""
    at: float = 0.0
    note: str = ""
    reminded_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Room:
    """Where people talk about an incident on one platform. ``channel`` is empty until there is one; ``why`` it became a thread."""

    platform: str
    state: RoomState
    name: str
    channel: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do afterwards, and whose it is."""

    at: float
    text: str
    owner: str
    person: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What an incident begins with. ``invocation`` is the request it was opened by; ``alert`` the number of its alert, or 0."""

    kind: Kind
    title: str
    service: str
    alert: int
    person: str
    at: float
    invocation: Invocation


@dataclass(frozen=True, slots=True)
class Report:
    """How an incident ended, and the file that tells all of it."""

    person: str
    at: float
    summary: str
    files: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as it stands. ``resolved_at`` is 0 while it is open; ``audit_from`` and ``audit_to`` number rows of the record."""

    number: int
    kind: Kind
    title: str
    service: str
    lead: str
    opened_at: float
    opened_by: str
    invocation: Invocation
    runbook: Runbook
    steps: tuple[Step, ...]
    rooms: tuple[Room, ...] = ()
    actions: tuple[Action, ...] = ()
    alerts: tuple[int, ...] = ()
    resolved_at: float = 0.0
    resolved_by: str = ""
    summary: str = ""
    audit_from: int = 0
    audit_to: int = 0
    next_status_at: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it still goes on."""
        return not self.resolved_at

    @property
    def open_steps(self) -> tuple[Step, ...]:
        """The steps still to take, in order."""
        return tuple(step for step in self.steps if step.state is StepState.OPEN)

    def step(self, number: int) -> Step | None:
        """The step of this number."""
        return next((step for step in self.steps if step.number == number), None)

    def lasts(self, now: float) -> float:
        """Seconds since it was opened; until it was resolved."""
        return max(0.0, (self.resolved_at or now) - self.opened_at)


class IncidentBook(Protocol):
    """The incidents there are, and what may be done to them. Each change is one commit with the messages that tell of it."""

    async def runbooks(self) -> Runbooks:
        """The runbooks in force now."""

    async def open(self, opening: Opening) -> Incident:
        """Begin one, and announce it."""

    async def get(self, number: int) -> Incident | None:
        """One of them."""

    async def open_ones(self) -> Sequence[Incident]:
        """Those that go on, oldest first."""

    async def newest(self, limit: int) -> Sequence[Incident]:
        """The newest, also resolved ones, newest first."""

    async def of_place(self, place: Place) -> Incident | None:
        """The one whose channel or thread this is."""

    async def add(self, number: int, entry: Entry, origin: Place | None = None) -> Incident:
        """Something happened; with an ``origin`` it is told in every room but that one. Conflict when there is no such incident."""

    async def set_step(self, number: int, step: Step) -> Incident:
        """A step stands differently now. Conflict when it stood so before, or the incident is over."""

    async def assign(self, number: int, lead: str, person: str) -> Incident:
        """Somebody leads from now on. Conflict when they do, or the incident is over."""

    async def act_later(self, number: int, action: Action) -> Incident:
        """Something to do afterwards."""

    async def resolve(self, incident: Incident, report: Report) -> Incident:
        """It is over: told everywhere, with its report. Conflict when it was over before."""

    async def timeline(self, incident: Incident) -> Sequence[Entry]:
        """All that happened, oldest first: what was added, commands and approvals of the record, and alerts."""
