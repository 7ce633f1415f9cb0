"""Checklists as data, what a measured figure means, and what became of one run's items. Pure: asks nothing, knows no store, no words.

An item is *measured* by a reading line, or *signed* by a person; one that is both shows its figure, and a person decides.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from bot.model import Outcome, Place, Reply, Tone

_STEP = re.compile(r"[A-Za-z_]\w*|\[\*\]")
_ONE_PATH = r"(\[\*\]|[A-Za-z_]\w*)(\.[A-Za-z_]\w*|\[\*\])*"
_PATH = rf"^{_ONE_PATH}( \+ {_ONE_PATH})*$"
_LONGEST_WAIT = 240.0


class Verdict(enum.StrEnum):
    """What is said of an item. ``unknown``: it could not be measured; ``unsigned``: it waits for a person."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WARN = "warn"
    UNSIGNED = "unsigned"
    WELL = "pass"


WORST_FIRST = tuple(Verdict)
Take = Literal["max", "min", "sum", "count"]
Unit = Literal["percent", "bytes", "count", "seconds", "age", "days"]
Signer = Literal["operator", "admin"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=30)]
Titled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Title(_Data):
    """A name in both languages."""

    ko: Titled
    en: Titled

    def of(self, language: str) -> str:
        """In this language."""
        return self.ko if language == "ko" else self.en


class Trend(_Data):
    """Which measured series are drawn below the report; ``title`` says what they are where the item is about something else."""

    part: str
    figure: str
    title: Title | None = None


class Item(_Data):
    """One thing to look at. ``figure`` is a path in the line's raw answer, ``[*]`` for every one of a list (``a + b``: both); ``take``
    makes one number of many.

    ``judge`` by the figure alone, or by the answer too; ``absent`` is the verdict without such a figure, ``nothing`` what is said then.
    """

    id: Name
    title: Title
    line: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    figure: Annotated[str, StringConstraints(pattern=_PATH, max_length=200)] | None = None
    take: Take = "max"
    unit: Unit = "count"
    warn_above: float | None = None
    fail_above: float | None = None
    warn_below: float | None = None
    fail_below: float | None = None
    judge: Literal["both", "figure"] = "both"
    absent: Literal["unknown", "fail", "warn", "pass"] = "unknown"
    nothing: Title | None = None
    within: Annotated[float, Field(gt=0, le=_LONGEST_WAIT)] = 60.0
    trend: Trend | None = None
    by: Signer | None = None

    @property
    def limited(self) -> bool:
        """Whether its figure is judged."""
        return any(each is not None for each in (self.warn_above, self.fail_above, self.warn_below, self.fail_below))

    @model_validator(mode="after")
    def _makes_sense(self) -> Item:
        if not self.line and self.by is None:
            raise PydanticCustomError("team_file", "checklist.fault_nobody", {"item": self.id})
        if self.figure is not None and not self.line:
            raise PydanticCustomError("team_file", "checklist.fault_no_line", {"item": self.id})
        if self.figure is None and (self.limited or self.judge == "figure"):
            raise PydanticCustomError("team_file", "checklist.fault_no_figure", {"item": self.id})
        return self


class Checklist(_Data):
    """A list with its items. ``days`` is how far back its pictures reach."""

    title: Title
    days: Annotated[int, Field(ge=1, le=365)] = 1
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=40)]

    @model_validator(mode="after")
    def _told_apart(self) -> Checklist:
        names = [item.id for item in self.items]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("team_file", "checklist.fault_twice", {"items": ", ".join(twice)})
        return self


Checklists = Mapping[str, Checklist]
_ALL: TypeAdapter[dict[str, Checklist]] = TypeAdapter(dict[Name, Checklist])


def parse(tables: Mapping[str, Any]) -> Checklists:
    """The lists of a file by name; pydantic's ValidationError names what is wrong."""
    return _ALL.validate_python(dict(tables))


@dataclass(frozen=True, slots=True)
class Finding:
    """What measuring an item gave. ``detail`` says why, where it is not a pass; ``text`` is the whole of it, for the thread."""

    verdict: Verdict
    value: float | None = None
    detail: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's word on an item."""

    person: str
    at: float
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One item of a run, as it was then. ``signer`` is who may sign it (None: it is measured); ``signature`` the latest."""

    item: str
    title: Title
    measured: Verdict
    value: float | None = None
    unit: Unit = "count"
    detail: str = ""
    signer: Signer | None = None
    signature: Signature | None = None

    @property
    def verdict(self) -> Verdict:
        """How it stands now."""
        return self.signature.verdict if self.signature is not None else self.measured


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a list: when, by whom, which request's answer shows it (``reference``). ``id`` is 0 until it is kept."""

    id: int
    name: str
    title: Title
    at: float
    person: str
    reference: str
    results: tuple[Result, ...]

    @property
    def unsigned(self) -> tuple[Result, ...]:
        """What still waits for a person."""
        return tuple(each for each in self.results if each.verdict is Verdict.UNSIGNED)

    @property
    def worst_first(self) -> tuple[Result, ...]:
        """Its items in the order of interest."""
        return tuple(sorted(self.results, key=lambda each: WORST_FIRST.index(each.verdict)))

    def count(self, verdict: Verdict) -> int:
        """How many items stand so."""
        return sum(each.verdict is verdict for each in self.results)

    def result(self, item: str) -> Result | None:
        """The item of this name."""
        return next((each for each in self.results if each.item == item), None)


class Book(Protocol):
    """The lists there are, and what became of their runs."""

    async def lists(self) -> Checklists:
        """The lists in force now, by name."""

    async def fault(self) -> str:
        """Why the team's own file is not in force, as a sentence; empty when it is, or when there is none."""

    async def keep(self, run: Run) -> Run:
        """Write a run down; the same with its number."""

    async def run(self, number: int) -> Run | None:
        """A run as it stands now."""

    async def newest(self, name: str = "", item: str = "", before: int = 0) -> Run | None:
        """The newest run: of this list, with this item, older than run ``before`` — each as far as it is given."""

    async def since(self, at: float, name: str = "") -> Sequence[Run]:
        """Runs not older than ``at``, the newest first."""

    async def sign(self, number: int, item: str, signature: Signature) -> Run:
        """Put a person's word under an item; the run as it stands then. Conflict when the same was said before."""

    async def remind_elsewhere(self, run: Run, stage: str, here: Place, said: Reply) -> None:
        """Say this of a run in every other place that shows its report; once for each stage, however often it is asked."""


def judged(item: Item, reply: Reply) -> tuple[Verdict, float | None]:
    """What an answer means for an item, and its figure."""
    if not _answers(reply):
        return Verdict.UNKNOWN, None
    by_answer = _BY_TONE[reply.tone] if reply.outcome is Outcome.DONE else Verdict.FAIL
    if item.figure is None:
        return by_answer, None
    value = figure_of(reply.data, item.figure, item.take)
    by_figure = _by_figure(item, value) if item.limited or item.judge == "figure" else Verdict.WELL
    return (by_figure if item.judge == "figure" else worse_of(by_answer, by_figure)), value


_BY_TONE = {Tone.GOOD: Verdict.WELL, Tone.NEUTRAL: Verdict.WELL, Tone.WARN: Verdict.WARN, Tone.BAD: Verdict.FAIL}


def _answers(reply: Reply) -> bool:
    """Whether it measured anything: one that failed for want of an answer has no figures, one whose answer is bad has."""
    return reply.outcome is Outcome.DONE or (reply.outcome is Outcome.FAILED and reply.data is not None)


def _by_figure(item: Item, value: float | None) -> Verdict:
    if value is None:
        return Verdict(item.absent)
    if _beyond(value, item.fail_above, item.fail_below):
        return Verdict.FAIL
    return Verdict.WARN if _beyond(value, item.warn_above, item.warn_below) else Verdict.WELL


def _beyond(value: float, above: float | None, below: float | None) -> bool:
    """A limit is crossed when it is reached: a disk at 90 % is at 90 %."""
    return (above is not None and value >= above) or (below is not None and value <= below)


def worse_of(one: Verdict, other: Verdict) -> Verdict:
    """The worse of two."""
    return min(one, other, key=WORST_FIRST.index)


def figure_of(data: Any, path: str, take: Take) -> float | None:
    """One number out of a raw answer; None when there is none."""
    found = [each for one in path.split(" + ") for each in _walk(data, _STEP.findall(one))]
    if take == "count":
        return float(len(found)) if found or _reaches(data, path) else None
    if take == "sum" and not found and _reaches(data, path):
        return 0.0
    numbers = [float(each) for each in found if isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each)]
    if not numbers:
        return None
    if take == "sum":
        return sum(numbers)
    return min(numbers) if take == "min" else max(numbers)


def _reaches(data: Any, path: str) -> bool:
    """Whether the list that is counted or summed is there, empty as it may be."""
    before, star, _ = path.partition("[*]")
    held = list(_walk(data, _STEP.findall(before)))
    return bool(star) and bool(held) and isinstance(held[0], list | tuple)


def _walk(data: Any, steps: Sequence[str]) -> Iterator[Any]:
    if not steps:
        if data is not None:
            yield data
    elif steps[0] == "[*]":
        for each in data if isinstance(data, list | tuple) else ():
            yield from _walk(each, steps[1:])
    elif isinstance(data, Mapping) and steps[0] in data:
        yield from _walk(data[steps[0]], steps[1:])
