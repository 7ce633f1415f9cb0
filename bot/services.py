"""The corridor's services by their shape: handlers and the rooms above agree here without importing each other."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.alert_rules import Rule
from bot.alerts import AlertBook
from bot.chart import Chart
from bot.checklists import Book
from bot.command import Command
from bot.errors import OutsideError
from bot.incidents import IncidentBook
from bot.model import Account, Attachment, Invocation, Person, Reply, Role
from bot.oncall import OnCall
from bot.ops.container_values import Service
from bot.redact import Redactor
from bot.scheduler_data import ScheduleState
from bot.series import Bucket, Measured, Series
from bot.store.error_rows import IndexedErrors, Losses
from bot.store.promise_rows import Promise
from bot.store.ticket_rows import Ticket
from bot.words import Words


class Asking(Protocol):
    """Who asks, and how: a request's context, as far as a service needs it."""

    @property
    def invocation(self) -> Invocation:
        """The request."""

    @property
    def person(self) -> Person:
        """Who asks."""


class AuditReader(Protocol):
    """The record, to be read."""

    async def tail(self, count: int, contains: str = "") -> Sequence[Mapping[str, Any]]:
        """The newest rows, newest first."""

    async def verify(self) -> tuple[int, int]:
        """(rows that hold, number of the first broken row or 0)."""

    async def export(self, since: float) -> Sequence[Mapping[str, Any]]:
        """All rows not older than ``since``, oldest first."""


class Tickets(Protocol):
    """Open approvals, and what may be done to them."""

    async def open(self) -> Sequence[Ticket]:
        """Open tickets, oldest first."""

    async def grant(self, context: Asking, number: int, digest: str, code: str) -> Invocation:
        """Grant once; the held invocation, recorded as open and approved. Refusal when it cannot be."""

    async def deny(self, context: Asking, number: int, digest: str, reason: str) -> Ticket:
        """Deny once, or withdraw one's own."""


class Requests(Protocol):
    """Requests that run now, and the wish that one should end."""

    async def running(self, reference: str) -> Invocation | None:
        """The request of this reference, while it runs."""

    async def all_running(self) -> Sequence[Invocation]:
        """Every request that runs now, the oldest first."""

    async def ask_to_end(self, reference: str, person: str) -> None:
        """Let it know that it should end."""

    async def asked_to_end(self, reference: str) -> str:
        """Who wants it to end; empty while nobody does."""


class TimedPromises(Protocol):
    """Lines that are typed at a time, whatever happens until then."""

    async def promise_at(self, promise: Promise, about: str) -> None:
        """Keep one; it replaces the one about the same thing."""

    async def promised(self, about: str) -> Promise | None:
        """The one about this, until it was typed and done."""

    async def release(self, about: str) -> None:
        """Forget the one about this."""


class Catalogue(Protocol):
    """The commands there are."""

    def __iter__(self) -> Iterator[Command]:
        """Every command, by path."""

    def resolve(self, words: Sequence[str]) -> tuple[Command, Sequence[str]]:
        """The command of a line; Usage when there is none."""

    def default_of(self, group: str) -> str:
        """The name of a group's default command."""


class Gate(Protocol):
    """Who may do what."""

    async def person_of(self, account: Account) -> Person:
        """Who an account is, wherever they speak."""

    def require(self, person: Person, command: Command) -> None:
        """Forbidden unless this person may ask for this command."""

    def who(self, role: Role) -> str:
        """Who holds at least this role."""

    def explain(self, account: Account) -> Mapping[str, str]:
        """Entry of the settings to role, for every account of the same person."""


class History(Protocol):
    """What was measured, to be read. Only a running bot measures; every program reads."""

    async def known(self) -> Mapping[Series, Measured]:
        """Every series there is, and from when to when it was measured."""

    async def read(self, wanted: Iterable[Series], since: float, until: float, step: int = 0) -> Mapping[Series, Sequence[Bucket]]:
        """Each series in the period, in some three hundred buckets at most, of ``step`` seconds or longer; none for a gap."""

    async def newest(self, wanted: Iterable[Series]) -> Mapping[Series, Bucket]:
        """The newest value of each series within the last day."""


class ErrorIndex(Protocol):
    """Errors in the services' logs, counted as they came and kept longer than the logs."""

    async def catch_up(self, services: Sequence[Service], seconds: float) -> CaughtUp:
        """Read what is new in these logs, each within so many seconds."""

    async def groups(self, names: Sequence[str], since: float) -> Sequence[IndexedErrors]:
        """The errors of these services since then, most frequent first."""

    async def losses(self, names: Sequence[str], since: float) -> Losses:
        """What is missing of these services."""

    async def services(self) -> Sequence[str]:
        """Every service that was ever read, also those that are no more."""


class Schedules(Protocol):
    """Lines that are typed again and again."""

    async def everything(self) -> Sequence[ScheduleState]:
        """Each schedule and how it stands, in the order of the file."""

    async def pause(self, name: str, person: str, until: float | None) -> None:
        """Let it rest, until a moment or until it is resumed."""

    async def resume(self, name: str) -> None:
        """Let it go on; what was due in between is left out."""

    async def begin(self, name: str, invocation: Invocation, person: str) -> Invocation:
        """Its line as a request of whoever asks for it now, on the record; Busy while its last run goes on."""


class Rules(Protocol):
    """From when on something is an alert."""

    async def rules(self) -> Sequence[Rule]:
        """The rules in force now, critical ones first."""

    async def fault(self) -> str:
        """Why the team's own file is not in force, as a sentence; empty when it is, or when there is none."""


class Inspector(Protocol):
    """Finds what is misconfigured."""

    async def faults(self, words: Words) -> Sequence[Finding]:
        """Every part that was looked at, with what to do about those that are not well."""


class Pictures(Protocol):
    """Draws."""

    async def draw(self, reference: str, name: str, *charts: Chart) -> Attachment | None:
        """One picture of all charts, one below the other; None when it cannot be drawn."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the set-up: ``state`` is ok, warn or bad; ``fix`` says what to do when it is not ok."""

    part: str
    state: str
    text: str
    fix: str = ""


@dataclass(slots=True)
class CaughtUp:
    """How reading on went: lines read; by container what could not be read, and what was not read in time."""

    lines: int = 0
    failed: dict[str, OutsideError] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Services:
    """The corridor's services, as handlers see them."""

    audit: AuditReader
    tickets: Tickets
    catalogue: Catalogue
    gate: Gate
    inspector: Inspector
    errors: ErrorIndex
    history: History
    run_held: Callable[[Invocation, bool], Awaitable[Reply | None]]
    ask: Callable[[Invocation, str, float], Awaitable[Reply]]
    redactor: Redactor
    attach: Callable[[str, str, AsyncIterable[str] | Iterable[str]], Awaitable[Attachment]]
    pictures: Pictures
    promise: Callable[[Invocation, Sequence[str]], Awaitable[None]]
    timed: TimedPromises
    post: Callable[[Invocation, Reply], Awaitable[None]]
    revise: Callable[[str, Reply], Awaitable[None]]
    checklists: Book
    alerts: AlertBook
    incidents: IncidentBook
    rules: Rules
    requests: Requests
    schedules: Schedules
    oncall: OnCall
    outbox_state: Callable[[], Awaitable[Sequence[tuple[str, int, int, float]]]]
