"""Who is called when something is wrong: contacts, their order, whose turn it is, and pages. Read from ``oncall.toml``.

Pure: knows neither the present nor rows nor how anything is told.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bot.model import Account
from bot.moments import seconds_of

FILE = "oncall.toml"
_MOST, _SHORTEST, _LONGEST = 50, 60.0, 86_400.0
_PLATFORMS = frozenset({"slack", "discord", "local"})
_EMAIL = r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who can be called: on chat by their accounts, by mail, or by telephone, which the bot cannot do for you."""

    name: str
    accounts: tuple[Account, ...] = ()
    mail: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Turns of so many ``days`` each, from ``start`` (a local time in ``zone``) on, in this order, again and again."""

    start: datetime.datetime
    days: int
    order: tuple[str, ...]
    zone: str

    def turn(self, at: float) -> tuple[str, float]:
        """Whose turn it is at a moment, and when it ends: at the same time of day all year round."""
        local = datetime.datetime.fromtimestamp(at, ZoneInfo(self.zone)).replace(tzinfo=None)
        number = (local - self.start) // datetime.timedelta(days=self.days)
        if self._ends(number) <= at:  # an hour that the clocks go back over comes twice: the turn ends in the first of them
            number += 1
        return self.order[number % len(self.order)], self._ends(number)

    def _ends(self, number: int) -> float:
        ends = self.start + datetime.timedelta(days=self.days * (number + 1))
        return ends.replace(tzinfo=ZoneInfo(self.zone)).timestamp()


@dataclass(frozen=True, slots=True)
class Roster:
    """Who there is, and in which order they are called; each has ``escalate_after`` seconds to answer."""

    contacts: tuple[Contact, ...] = ()
    order: tuple[str, ...] = ()
    rotation: Rotation | None = None
    escalate_after: float = 900.0

    def named(self, name: str) -> Contact | None:
        """The contact of this name, however it is written."""
        return next((each for each in self.contacts if each.name.casefold() == name.casefold()), None)

    def turn(self, at: float) -> tuple[Contact | None, float | None]:
        """Who is on call by the plan, and until when; None for as long as nobody says otherwise."""
        if self.rotation is not None:
            name, until = self.rotation.turn(at)
            return self.named(name), until
        return next(iter(self._in_order()), None), None

    def line_up(self, first: Contact) -> tuple[Contact, ...]:
        """``first``, and who is called one after the other when nobody answers: those behind them in the order, then those before."""
        order = self._in_order()
        names = [each.name for each in order]
        begin = names.index(first.name) + 1 if first.name in names else 0
        behind = (*order[begin:], *order[:begin])
        return (first, *(each for each in behind if each.name != first.name))

    def _in_order(self) -> tuple[Contact, ...]:
        if not self.order:
            return self.contacts
        return tuple(found for found in map(self.named, self.order) if found is not None)


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else than planned is on call from ``begun_at``, until a moment or (None) until that is changed."""

    contact: Contact
    person: str
    begun_at: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on call at a moment, until when, and who set it (empty: it is their turn)."""

    contact: Contact
    until: float | None = None
    set_by: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A message that wants an answer from whoever is on call. ``id`` is 0 until it is kept."""

    id: int
    message: str
    person: str
    at: float
    called: str
    acknowledged_by: str = ""
    acknowledged_at: float | None = None

    @property
    def key(self) -> str:
        """Under which its notice stands."""
        return f"page:{self.id}"


@dataclass(frozen=True, slots=True)
class OnCallState:
    """How it stands: who now (None: nobody is known), who after that, and everybody. ``planned``: by a file of the team."""

    now: Shift | None
    following: Contact | None
    roster: Roster
    planned: bool
    fault: str = ""


class OnCall(Protocol):
    """Who is on call, to be asked and changed. Every change and what is said of it are one commit."""

    async def state(self) -> OnCallState:
        """How it stands now."""

    async def put(self, contact: Contact, person: str, until: float | None) -> Shift:
        """Somebody is on call from now on; as it stands then. Whose turn it is anyway is on call by the plan again."""

    async def page(self, message: str, person: str) -> Page:
        """Call whoever is on call. Conflict when nobody is known."""

    async def acknowledge(self, number: int, person: str) -> Page:
        """Somebody is at it. Conflict when there is no such page, or somebody was before."""


def shift_at(at: float, roster: Roster, override: Override | None) -> Shift | None:
    """Who is on call at a moment: by an override that holds then, else by the plan."""
    if override is not None and (override.until is None or override.until > at):
        return Shift(override.contact, override.until, override.person)
    contact, until = roster.turn(at)
    return Shift(contact, until) if contact is not None else None


# ------------------------------------------------------------ the file
def _wrong(key: str, **values: object) -> PydanticCustomError:
    return PydanticCustomError("team_file", key, {name: str(value) for name, value in values.items()})


def _accounts(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(_account(each) for each in value)


def _account(text: Any) -> Account:
    try:
        account = Account.parse(text) if isinstance(text, str) else None
    except ValueError:
        account = None
    if account is None or account.platform not in _PLATFORMS:
        raise _wrong("oncall.data.account", word=text)
    return account


def _length(value: Any) -> Any:
    seconds = seconds_of(value) if isinstance(value, str) else None
    if seconds is None or not _SHORTEST <= seconds <= _LONGEST:
        raise _wrong("oncall.data.length", word=value)
    return seconds


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\n\t]+$")]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class _Contact(_Data):
    name: Name
    accounts: Annotated[tuple[Account, ...], BeforeValidator(_accounts)] = ()
    mail: Annotated[str, StringConstraints(pattern=_EMAIL)] = ""
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""

    @model_validator(mode="after")
    def _can_be_called(self) -> _Contact:
        if not (self.accounts or self.mail):
            raise _wrong("oncall.data.unreachable", name=self.name)
        return self

    def contact(self) -> Contact:
        return Contact(self.name, self.accounts, self.mail, self.phone)


class _Rotation(_Data):
    start: datetime.datetime
    days: Annotated[int, Field(ge=1, le=366)] = 7
    order: Annotated[tuple[Name, ...], Field(min_length=1, max_length=_MOST)]

    def rotation(self, zone: str) -> Rotation:
        start = self.start if self.start.tzinfo is None else self.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        return Rotation(start, self.days, self.order, zone)


class _File(_Data):
    contact: Annotated[tuple[_Contact, ...], Field(max_length=_MOST)] = ()
    order: Annotated[tuple[Name, ...], Field(max_length=_MOST)] = ()
    escalate_after: Annotated[float, BeforeValidator(_length)] = 900.0
    rotation: _Rotation | None = None

    @model_validator(mode="after")
    def _names_are_known(self) -> _File:
        names = [each.name.casefold() for each in self.contact]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise _wrong("oncall.data.twice", word=", ".join(twice))
        used: Sequence[str] = (*self.order, *(self.rotation.order if self.rotation is not None else ()))
        unknown = [name for name in used if name.casefold() not in names]
        if unknown:
            raise _wrong("oncall.data.unknown", word=", ".join(unknown))
        return self


def parse(tables: Mapping[str, Any], zone: str) -> Roster:
    """The roster of a file, its times in ``zone``. ValidationError with everything that is wrong."""
    file = _File.model_validate(tables)
    rotation = file.rotation.rotation(zone) if file.rotation is not None else None
    return Roster(tuple(each.contact() for each in file.contact), file.order, rotation, file.escalate_after)
