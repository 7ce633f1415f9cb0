"""What is watched: each source asked for its signals, each signal a figure for every subject, with a sentence that says it. Judges nothing.

What was sampled already is read from the history; only what is not there is asked for. A figure that is not known now is left out or
None: never a zero that nobody measured.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.backup import glance
from bot.backup.room import directory_of
from bot.config import Settings
from bot.errors import VccError
from bot.figures import Figures
from bot.ops import deep_health
from bot.ops.bundle import Ops
from bot.ops.certs import shown
from bot.ops.container_values import Service
from bot.ops.deep_health import Check, Verdict
from bot.ops.deep_telling import DeepTelling
from bot.ops.overview import probe
from bot.ops.telling import Telling
from bot.ops.verdict import FLAPPING_RESTARTS, FLAPPING_WITHIN, Problem, Severity, label
from bot.services import ErrorIndex
from bot.words import Words

_LOG = logging.getLogger("vcc.alerts")
HEALTH_KINDS = ("backend", "page", "proxy", "mcp", "address")
NEW_FOR, ERRORS_OF = 3_600.0, 600.0
_HOURLY, _NOW_AND_THEN = 3_600.0, 300.0
_EXAMPLES, _EXAMPLE = 3, 160


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure; None when it is not known now. ``text`` says what it means, and what to do."""

    value: float | None
    text: str = ""


UNKNOWN = Reading(None)
# How the subject ends that stands for all containers of the project together.
ALL_OF_THEM = " (compose)"
Readings = Mapping[str, Mapping[str, Reading]]
"""By signal, by subject. A signal that is there at all names every subject it has."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something that is asked for signals every ``every`` seconds (0: each round), and given up after ``deadline``."""

    name: str
    measure: Callable[[], Awaitable[Readings]]
    deadline: float = 6.0
    every: float = 0.0


class Signals:
    """The sources of one deployment. ``healthy`` tells which of the bot's own connectors hear people."""

    def __init__(self, ops: Ops, errors: ErrorIndex, settings: Settings, words: Words, healthy: Callable[[], Mapping[str, bool]]) -> None:
        self._ops = ops
        self._errors = errors
        self._settings = settings
        self._words = words
        self._healthy = healthy
        figures = Figures(words.language, settings.vcc_tz)
        self._figures = figures
        self._telling = Telling(words, figures)
        self._restarts = Restarts()
        self._deep = DeepTelling(words, figures)

    def sources(self, clock: Callable[[], float]) -> tuple[Source, ...]:
        """All but those that are read from the history."""
        return (
            Source("docker", lambda: self.docker(clock())),
            Source("mongodb", lambda: self._reachable("mongodb", lambda: self._ops.mongo.ping())),
            Source("redis", self.redis),
            Source("health", lambda: self.health(clock())),
            Source("errors", lambda: self.new_errors(clock()), every=60.0),
            Source("backup", lambda: self.backup(clock()), every=_NOW_AND_THEN),
            Source("certificates", self.certificates, deadline=20.0, every=_HOURLY),
            Source("connectors", self.connectors),
        )

    def _state(self, bad: bool, problem: Problem) -> Reading:
        return Reading(1.0, self.said(problem)) if bad else Reading(0.0)

    def said(self, problem: Problem) -> str:
        """A problem with what to do about it."""
        return f"{self._telling.sentence(problem)} → {self._telling.hint(problem)}"

    # ------------------------------------------------------------ containers
    async def docker(self, now: float) -> Readings:
        """Every container of the project, as it stands."""
        found = await probe("docker", self._ops.containers.services, 4.0)
        lost = self._lost("docker", found)
        if isinstance(found, VccError):
            return lost
        return {**lost, **self._services(found, now)}

    def _services(self, services: Sequence[Service], now: float) -> dict[str, Mapping[str, Reading]]:
        # Of several with one name, what a deployment left half done, the one that runs counts.
        told = {label(each): (each, _values(each)) for each in sorted(services, key=lambda each: each.running)}
        lately = self._restarts.lately(services, now)
        none_left = self._state(not services, Problem(Severity.BAD, "docker", "no_services"))
        return {
            "service.down": {
                f"{self._settings.vcc_compose_project or 'docker'}{ALL_OF_THEM}": none_left,
                **{
                    name: self._state(_is_down(each), Problem(Severity.BAD, name, "service_down", values))
                    for name, (each, values) in told.items()
                },
            },
            "service.restarting": {
                name: self._state(_restarts(each, lately[each.container_id], now), Problem(Severity.BAD, name, "service_flapping", values))
                for name, (each, values) in told.items()
            },
            "service.unhealthy": {
                name: self._state(each.running and each.health == "unhealthy", Problem(Severity.BAD, name, "service_unhealthy", values))
                for name, (each, values) in told.items()
            },
            "service.oom": {
                name: self._state(each.oom_killed, Problem(Severity.WARN, name, "service_oom", values))
                for name, (each, values) in told.items()
            },
        }

    # ------------------------------------------------------------ servers
    def _lost(self, system: str, answer: object) -> dict[str, Mapping[str, Reading]]:
        """Whether it can be reached; nothing where it was never set up."""
        if not isinstance(answer, VccError):
            return {"reachable.lost": {system: Reading(0.0)}}
        if answer.key == "error.not_configured":
            return {}
        return {"reachable.lost": {system: Reading(1.0, self._words(answer.key, **answer.values))}}

    async def _reachable(self, system: str, ask: Callable[[], Awaitable[object]]) -> Readings:
        return self._lost(system, await probe(system, ask, 4.0))

    async def redis(self) -> Readings:
        """Whether it answers, and its memory where that has a limit."""
        info = await probe("redis", lambda: self._ops.redis.info(), 4.0)
        if isinstance(info, VccError):
            return self._lost("redis", info)
        percent = info.memory_percent
        used = Reading(percent, self.said(Problem(Severity.WARN, "redis", "redis_memory", {"percent": percent})))
        return {**self._lost("redis", info), "redis.memory_percent": {"redis": used} if percent is not None else {}}

    async def health(self, now: float) -> Readings:
        """The deep look, as far as no other signal tells of the same."""
        seen = await deep_health.measure(self._ops, now, only=HEALTH_KINDS)
        checks = [check for check in seen.checks if check.found.state != "unset"]
        return {"health.bad": {check.name: self._checked(check) for check in checks}}

    def _checked(self, check: Check) -> Reading:
        if check.verdict is Verdict.UNKNOWN:
            return Reading(None)
        said = f"{check.name}: {self._deep.sentence(check)} → {self._deep.hint(check)}"
        return Reading(1.0, said) if check.verdict is Verdict.BAD else Reading(0.0)

    # ------------------------------------------------------------ the rest
    async def new_errors(self, now: float) -> Readings:
        """Errors of the last minutes of a kind that was never seen before the last hour, by service."""
        names = await self._errors.services()
        found = await self._errors.groups(names, now - ERRORS_OF) if names else ()
        readings: dict[str, Reading] = {}
        for name in names:
            new = [group for group in found if group.service == name and group.first_seen >= now - NEW_FOR]
            lines = [f"{group.count}× {group.example[:_EXAMPLE]}" for group in new[:_EXAMPLES]]
            readings[name] = Reading(float(sum(group.count for group in new)), "\n".join(lines))
        return {"errors.new": readings}

    async def backup(self, now: float) -> Readings:
        """The shelf at a glance, by the age that the settings allow."""
        if self._settings.vcc_backup_dir is None:
            return {}
        seen = await self._ops.shelf_threads.run(glance.look, directory_of(self._settings))
        problems = {each.name: each for each in glance.problems(seen, now, self._settings.vcc_backup_max_age_hours)}
        readings: dict[str, Mapping[str, Reading]] = {}
        for signal, names in (
            ("backup.old", ("backup_none", "backup_old")),
            ("backup.undrilled", ("backup_undrilled",)),
            ("backup.bad", ("backup_bad",)),
        ):
            problem = next((problems[name] for name in names if name in problems), None)
            readings[signal] = {"": Reading(0.0) if problem is None else Reading(1.0, self.said(problem))}
        good_at = glance.finished_at(seen.good)
        return {**readings, "backup.good_age_s": {} if good_at is None else {"": Reading(max(0.0, now - good_at))}}

    async def certificates(self) -> Readings:
        """Every certificate of the settings: the days it has left, and what else is wrong with it."""
        found = await asyncio.gather(*(self._certificate(source) for source in self._ops.certs.sources))
        days = {name: UNKNOWN if check is None else Reading(_days(check), self._told(check)) for name, check in found}
        faults = {name: UNKNOWN if check is None else self._fault(check) for name, check in found}
        return {"certificate.days": days, "certificate.fault": faults}

    async def _certificate(self, source: str) -> tuple[str, Check | None]:
        """By its name; None for one that cannot be read now, which is not known to be well."""
        name, answer = shown(source), await probe("tls", lambda: self._ops.certs.read(source), 6.0)
        if isinstance(answer, VccError):
            _LOG.info("certificate %s: %s", name, answer)
            return name, None
        return name, Check("certificate", name, deep_health.judged(answer), 0.0)

    def _fault(self, check: Check) -> Reading:
        bad = check.verdict is Verdict.BAD and check.found.state != "ends_soon"
        return Reading(1.0, self._told(check)) if bad else Reading(0.0)

    def _told(self, check: Check) -> str:
        hint = self._deep.hint(check)
        return f"{self._deep.sentence(check)} → {hint}" if hint else self._deep.sentence(check)

    async def connectors(self) -> Readings:
        """The bot's own ears."""
        said = self._words("alerts.connector")
        return {"connector.down": {name: Reading(0.0) if well else Reading(1.0, said) for name, well in self._healthy().items()}}


def _values(service: Service) -> dict[str, object]:
    return {
        "service": label(service),
        "name": service.name,
        "state": service.state,
        "code": "-" if service.exit_code is None else service.exit_code,
        "restarts": service.restarts,
    }


def _is_down(service: Service) -> bool:
    """One that keeps restarting has a signal of its own."""
    return not service.running and service.state != "restarting"


def _restarts(service: Service, lately: int, now: float) -> bool:
    if service.state == "restarting":
        return True
    started = service.started_at
    return service.running and lately >= FLAPPING_RESTARTS and started is not None and now - started < FLAPPING_WITHIN


class Restarts:
    """How often Docker restarted each container lately: it counts all of a container's life, in which a few are no news."""

    def __init__(self) -> None:
        self._seen: dict[str, list[tuple[float, int]]] = {}

    def lately(self, services: Sequence[Service], now: float) -> Mapping[str, int]:
        """By container, within the last hour; in our own first hour all there were, as nothing is known of before."""
        self._seen = {each.container_id: self._noted(each, now) for each in services}
        return {each.container_id: each.restarts - self._seen[each.container_id][0][1] for each in services}

    def _noted(self, service: Service, now: float) -> list[tuple[float, int]]:
        seen = [(min(at, now), count) for at, count in self._seen.get(service.container_id, [(now - _HOURLY, 0), (now, service.restarts)])]
        if service.restarts < seen[-1][1]:  # somebody started it by hand: it is counted anew
            seen = [(now, service.restarts)]
        elif service.restarts > seen[-1][1]:
            seen.append((now, service.restarts))
        while len(seen) > 1 and seen[1][0] <= now - _HOURLY:
            seen.pop(0)
        return seen


def _days(check: Check) -> float:
    days = check.found.values["days"]
    return float(days) if isinstance(days, int | float) else 0.0
