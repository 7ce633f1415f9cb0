"""What a schedule is, and how it is read from ``schedules.toml``. Knows neither the present nor who may what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.errors import VccError
from bot.model import Account
from bot.scheduler_times import Timetable, timetable
from bot.store.schedule_rows import ScheduleRow

FILE = "schedules.toml"
_MOST = 200


@dataclass(frozen=True, slots=True)
class Schedule:
    """A line to type again and again. ``owner`` None and no ``channels`` mean those of the settings."""

    name: str
    when: Timetable
    line: str
    owner: Account | None
    channels: tuple[Account, ...]
    catch_up: bool


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A schedule and how it stands. ``fault`` keeps it from running; ``next_at`` is None while it does, or while it is paused."""

    schedule: Schedule
    row: ScheduleRow
    owner: str
    next_at: float | None
    running: bool
    fault: VccError | None


def _account(value: Any) -> Any:
    try:
        return Account.parse(value) if isinstance(value, str) else value
    except ValueError as error:
        raise _wrong("scheduler.data.account", value) from error


def _channels(value: Any) -> Any:
    return tuple(_account(each) for each in ([value] if isinstance(value, str) else value)) if isinstance(value, str | list) else value


Channels = Annotated[tuple[Account, ...], BeforeValidator(_channels)]


def _wrong(key: str, value: object) -> PydanticCustomError:
    return PydanticCustomError("team_file", key, {"word": str(value)})


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9가-힣][a-z0-9가-힣_-]{0,39}$")]
    cron: str
    line: Annotated[str, Field(min_length=1, max_length=500)]
    zone: str = ""
    owner: Annotated[Account | None, BeforeValidator(_account)] = None
    channel: Channels = ()
    catch_up: bool = True

    @model_validator(mode="after")
    def _zone_exists(self) -> _Row:
        try:
            ZoneInfo(self.zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise _wrong("scheduler.data.zone", self.zone) from error
        return self

    @model_validator(mode="after")
    def _comes_true(self) -> _Row:
        try:
            timetable(self.cron, "UTC")
        except ValueError as error:
            raise _wrong("scheduler.data.cron", self.cron) from error
        return self

    def schedule(self, zone: str) -> Schedule:
        when = timetable(self.cron, self.zone or zone)
        return Schedule(self.name, when, self.line, self.owner, self.channel, self.catch_up)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schedule: Annotated[list[_Row], Field(max_length=_MOST)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_differ(self) -> _File:
        names = [row.name for row in self.schedule]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise _wrong("scheduler.data.twice", ", ".join(twice))
        return self


def parse(tables: Mapping[str, Any], zone: str) -> Sequence[Schedule]:
    """The schedules of a file, ``zone`` where a row names none. ValidationError with everything that is wrong."""
    return tuple(row.schedule(zone) for row in _File.model_validate(tables).schedule)
