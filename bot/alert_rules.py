"""Rules of alerts as data: which signal, from where on it is bad, for how long, how bad. Pure: measures nothing and knows no row."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bot.alerts import Severity
from bot.checklists import Name, Title
from bot.moments import seconds_of
from bot.scheduler_data import Channels
from bot.team_files import TeamFile
from bot.words import Words

FILE = "alerts.toml"
_MOST = 200
_DAY = 86_400.0
_LONGEST = 30 * _DAY
Unit = Literal["state", "percent", "seconds", "count", "days"]
# What can be watched, and what its figure is; a state is 1 when it is bad, 0 when it is not.
SIGNALS: Mapping[str, Unit] = {
    "disk.percent": "percent",
    "disk.inodes_percent": "percent",
    "host.memory_percent": "percent",
    "host.cpu_percent": "percent",
    "queue.waiting": "count",
    "queue.oldest_waiting_s": "seconds",
    "queue.stalled": "count",
    "queue.failure_percent": "percent",
    "service.down": "state",
    "service.restarting": "state",
    "service.unhealthy": "state",
    "service.oom": "state",
    "service.memory_percent": "percent",
    "reachable.lost": "state",
    "health.bad": "state",
    "redis.memory_percent": "percent",
    "errors.new": "count",
    "backup.old": "state",
    "backup.undrilled": "state",
    "backup.bad": "state",
    "backup.good_age_s": "seconds",
    "certificate.days": "days",
    "certificate.fault": "state",
    "connector.down": "state",
}
_HOLES = re.compile(r"\{(.*?)\}")


def _wrong(key: str, **values: object) -> PydanticCustomError:
    return PydanticCustomError("team_file", key, {name: str(value) for name, value in values.items()})


def _seconds(value: Any) -> Any:
    found = seconds_of(value) if isinstance(value, str) else None
    if found is None or found > _LONGEST:
        raise _wrong("alerts.fault_duration", word=value)
    return found


def _signal(value: str) -> str:
    if value not in SIGNALS:
        raise _wrong("alerts.fault_signal", word=value)
    return value


def _line(value: str) -> str:
    if any(name != "subject" for name in _HOLES.findall(value)):
        raise _wrong("alerts.fault_remedy", word=value)
    return value


Span = Annotated[float, BeforeValidator(_seconds)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Rule(BaseModel):
    """One rule. The figure is bad when it reaches ``above`` (or ``below``) and stays so for ``for_`` seconds, and well again when it
    has been on the other side of ``clear`` for ``clear_for`` seconds. ``subjects`` and ``exclude`` are patterns (``*``, ``?``).

    ``remedy`` is a line with ``{subject}`` in it, offered ``remedies`` times. ``repeat`` doubles each time. More than ``most`` alerts in
    ten minutes are told as one; ``flaps`` turns for the worse within ``flaps_within`` seconds are told as one, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)

    name: Name
    title: Title
    signal: Annotated[str, BeforeValidator(_signal)]
    severity: Severity
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    for_: Annotated[Span, Field(alias="for")] = 0.0
    clear_for: Span = 60.0
    subjects: Annotated[tuple[Pattern, ...], Field(max_length=50)] = ()
    exclude: Annotated[tuple[Pattern, ...], Field(max_length=50)] = ()
    channel: Channels = ()
    remedy: Annotated[str, BeforeValidator(_line), StringConstraints(max_length=200)] = ""
    remedies: Annotated[int, Field(ge=1, le=10)] = 2
    repeat: Span = 3_600.0
    most: Annotated[int, Field(ge=1, le=20)] = 5
    flaps: Annotated[int, Field(ge=2, le=20)] = 3
    flaps_within: Span = 3_600.0

    @property
    def unit(self) -> Unit:
        """What its figure is."""
        return SIGNALS[self.signal]

    @property
    def limit(self) -> float:
        """From where on it is bad."""
        return self.above if self.above is not None else self.below or 0.0

    @property
    def calm_for(self) -> float:
        """How long what flaps must be well to be over."""
        return max(self.clear_for, self.flaps_within / 2)

    def watches(self, subject: str) -> bool:
        """Whether it is about this one."""
        wanted = not self.subjects or any(fnmatchcase(subject, pattern) for pattern in self.subjects)
        return wanted and not any(fnmatchcase(subject, pattern) for pattern in self.exclude)

    def is_bad(self, value: float) -> bool:
        """Whether the figure is at its limit or beyond: a disk at 90 % is at 90 %."""
        return value >= self.limit if self.above is not None else value <= self.limit

    def is_well(self, value: float) -> bool:
        """Whether the figure is on the good side, far enough from the limit."""
        if self.clear is None:
            return not self.is_bad(value)
        return value <= self.clear if self.above is not None else value >= self.clear

    def repeat_after(self, count: int) -> float:
        """Seconds until it is said again, when it was so often before."""
        return float(min(self.repeat * 2 ** min(count, 16), max(self.repeat, _DAY)))

    def line_for(self, subject: str) -> str:
        """The remedy; empty when there is none for this subject."""
        service = subject.partition("#")[0]
        fits = re.fullmatch(r"[\w.-]+", service) is not None
        return self.remedy.replace("{subject}", service) if fits or "{subject}" not in self.remedy else ""

    @model_validator(mode="after")
    def _makes_sense(self) -> Rule:
        if (self.above is None) == (self.below is None):
            raise _wrong("alerts.fault_limit", rule=self.name)
        if self.clear is not None and self.is_bad(self.clear):
            raise _wrong("alerts.fault_clear", rule=self.name)
        return self


class RuleBook:
    """The rules in force: the team's own, or those shipped. ``words`` say what is wrong with a file."""

    def __init__(self, file: TeamFile[Sequence[Rule]], words: Words) -> None:
        self._file = file
        self._words = words

    async def rules(self) -> Sequence[Rule]:
        """The rules in force now, critical ones first."""
        return await asyncio.to_thread(self._file.read)

    async def fault(self) -> str:
        """Why the team's own file is not in force, as a sentence; empty when it is, or when there is none."""
        fault = await asyncio.to_thread(lambda: self._file.fault)
        return "" if fault is None else fault.sentence(self._words)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule: Annotated[list[Rule], Field(max_length=_MOST)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_differ(self) -> _File:
        names = [rule.name for rule in self.rule]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise _wrong("alerts.fault_twice", names=", ".join(twice))
        return self


def parse(tables: Mapping[str, Any]) -> Sequence[Rule]:
    """The rules of a file, critical ones first. ValidationError with everything that is wrong."""
    rules = _File.model_validate(dict(tables)).rule
    return tuple(sorted(rules, key=lambda rule: rule.severity is not Severity.CRITICAL))
