"""Runbooks as data: the steps of each kind of incident, what is offered at each, and when it is reminded of. Pure.

Knows neither who works on an incident nor how far it is; ``{service}`` and ``{number}`` in a line stand for those of the incident.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bot.checklists import Name, Title

FILE = "runbooks.toml"
MINUTE = 60.0

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Kind(enum.StrEnum):
    """What sort of incident."""

    SERVICE = "service"
    SECURITY = "security"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Data):
    """Some sentences in both languages."""

    ko: Sentence
    en: Sentence

    def of(self, language: str) -> str:
        """In this language."""
        return self.ko if language == "ko" else self.en


class StepText(_Data):
    """One step: what to do, the ``lines`` offered as buttons, and the one asked ``at_once``, which only reads and makes it done.

    ``remind_after`` is in minutes after the step before; 0 reminds of nothing.
    """

    id: Name
    title: Title
    text: Text
    lines: Annotated[tuple[Line, ...], Field(max_length=6)] = ()
    at_once: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    remind_after: Annotated[int, Field(ge=0, le=10_080)] = 0


class Runbook(_Data):
    """The steps of one kind. ``status_every`` is in minutes, 0 posts none; ``notice`` is what users are told, drafted."""

    title: Title
    steps: Annotated[tuple[StepText, ...], Field(min_length=1, max_length=12)]
    status_every: Annotated[int, Field(ge=0, le=1_440)] = 30
    notice: Text

    @model_validator(mode="after")
    def _told_apart(self) -> Runbook:
        names = [step.id for step in self.steps]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("team_file", "runbooks.twice", {"steps": ", ".join(twice)})
        return self


class _File(_Data):
    service: Runbook
    security: Runbook


Runbooks = Mapping[Kind, Runbook]


def parse(tables: Mapping[str, Any]) -> Runbooks:
    """The runbooks of a file; pydantic's ValidationError names what is wrong."""
    file = _File.model_validate(dict(tables))
    return {Kind.SERVICE: file.service, Kind.SECURITY: file.security}


def filled(line: str, number: int, service: str) -> str:
    """A line with the incident's own values; empty when it needs a service and there is none."""
    if "{service}" in line and not service:
        return ""
    return line.replace("{service}", service).replace("{number}", str(number))
