"""What is wrong in a look at the deployment, worst first, and what to do about it. Pure: knows limits, asks nothing.

A problem is named by a key of the words catalogue (``verdict.<name>``, and ``verdict.<name>_hint`` for what to do).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.errors import VccError
from bot.ops.bull_values import QueueStatus
from bot.ops.container_values import Service
from bot.ops.health import HealthResult
from bot.ops.host import FileSystem, HostStatus
from bot.ops.overview import Overview
from bot.ops.redis_server import RedisInfo

DISK_WARN, DISK_BAD = 80.0, 90.0
MEMORY_WARN, MEMORY_BAD = 90.0, 95.0
REDIS_MEMORY_WARN, REDIS_MEMORY_BAD = 80.0, 90.0
FLAPPING_RESTARTS, FLAPPING_WITHIN = 3, 600.0
WAITS_TOO_LONG = 1_800.0


class Severity(enum.IntEnum):
    """How bad; the larger, the worse."""

    WARN = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``part`` is what it is about; ``values`` fill its sentences."""

    severity: Severity
    part: str
    name: str
    values: dict[str, object] = field(default_factory=dict)


def problems(seen: Overview, now: float) -> tuple[Problem, ...]:
    """Everything wrong, the worst first, each cause once: a stopped service is not told again by what depends on it."""
    found = [*_services(seen, now)]
    stopped = {problem.part for problem in found if problem.name == "service_down"}
    found += _servers(seen, stopped)
    found += _queues(seen.queues, now) if not isinstance(seen.queues, VccError) else ()
    found += _health(seen.health, stopped)
    found += _host(seen.host)
    return tuple(sorted(found, key=lambda problem: -problem.severity))


def _failed(part: str, error: VccError) -> Problem:
    missing = error.key == "error.not_configured"
    return Problem(Severity.WARN if missing else Severity.BAD, part, "unset" if missing else "down", {"part": part, "error": error})


def _services(seen: Overview, now: float) -> Iterator[Problem]:
    if isinstance(seen.services, VccError):
        yield _failed("docker", seen.services)
    elif not seen.services:
        yield Problem(Severity.BAD, "docker", "no_services")
    else:
        for service in seen.services:
            yield from service_problems(service, now)


def label(service: Service) -> str:
    """A service's name; a further replica's with its number."""
    return service.name if service.number <= 1 else f"{service.name}#{service.number}"


def service_problems(service: Service, now: float) -> Iterator[Problem]:
    """What is wrong with one container."""
    values: dict[str, object] = {
        "service": label(service),
        "name": service.name,
        "state": service.state,
        "code": "-" if service.exit_code is None else service.exit_code,
        "restarts": service.restarts,
    }
    if not service.running:
        yield Problem(Severity.BAD, service.name, "service_down", values)
    elif service.health == "unhealthy":
        yield Problem(Severity.BAD, service.name, "service_unhealthy", values)
    elif service.health == "starting":
        yield Problem(Severity.WARN, service.name, "service_starting", values)
    elif service.restarts >= FLAPPING_RESTARTS and service.started_at and now - service.started_at < FLAPPING_WITHIN:
        yield Problem(Severity.WARN, service.name, "service_flapping", values)
    if service.oom_killed:
        yield Problem(Severity.WARN, service.name, "service_oom", values)


def _servers(seen: Overview, stopped: set[str]) -> Iterator[Problem]:
    for part, answer in (("mongodb", seen.mongodb), ("redis", seen.redis)):
        if isinstance(answer, VccError) and part not in stopped:
            yield _failed(part, answer)
    if isinstance(seen.redis, RedisInfo):
        yield from redis_problems(seen.redis)


def redis_problems(info: RedisInfo) -> Iterator[Problem]:
    """What is wrong with the Redis server for a queue of Bull's."""
    values: dict[str, object] = {"policy": info.policy, "percent": info.memory_percent}
    if not info.policy_ok_for_bull:
        yield Problem(Severity.WARN, "redis", "redis_policy", values)
    if info.memory_percent is not None and info.memory_percent >= REDIS_MEMORY_WARN:
        yield Problem(_level(info.memory_percent, REDIS_MEMORY_BAD), "redis", "redis_memory", values)
    if not info.aof_last_write_ok or not info.last_save_ok:
        yield Problem(Severity.BAD, "redis", "redis_save", values)
    if info.loading:
        yield Problem(Severity.WARN, "redis", "redis_loading", values)


def _level(value: float, bad: float) -> Severity:
    return Severity.BAD if value >= bad else Severity.WARN


def _queues(queues: Iterable[QueueStatus], now: float) -> Iterator[Problem]:
    for queue in queues:
        yield from queue_problems(queue, now)


def queue_problems(queue: QueueStatus, now: float) -> Iterator[Problem]:
    """What is wrong with one queue."""
    waited = now - queue.oldest_waiting_at if queue.oldest_waiting_at is not None else 0.0
    values: dict[str, object] = {"queue": queue.name, "stalled": queue.stalled, "waited": waited}
    if queue.is_paused:
        yield Problem(Severity.WARN, "queues", "queue_paused", values)
    if queue.stalled:
        yield Problem(Severity.WARN, "queues", "queue_stalled", values)
    if waited >= WAITS_TOO_LONG:
        yield Problem(Severity.WARN, "queues", "queue_slow", values)


def _health(results: tuple[HealthResult, ...] | VccError, stopped: set[str]) -> Iterator[Problem]:
    if isinstance(results, VccError):
        yield _failed("health", results)
        return
    for result in results:
        if not result.up and result.name not in stopped:
            values: dict[str, object] = {"name": result.name, "reason": result.reason.value, "status": result.status or "-"}
            yield Problem(Severity.BAD, result.name, "health_down", values)


def _host(host: HostStatus | VccError) -> Iterator[Problem]:
    if isinstance(host, VccError):
        yield _failed("host", host)
        return
    if host.memory_percent >= MEMORY_WARN:
        yield Problem(_level(host.memory_percent, MEMORY_BAD), "host", "memory", {"percent": host.memory_percent})
    for entry in host.file_systems:
        yield from disk_problems(entry)


def disk_problems(entry: FileSystem) -> Iterator[Problem]:
    """What is wrong with one file system: its room, and its inodes, which run out apart from each other."""
    values: dict[str, object] = {"path": entry.path, "percent": entry.percent, "free": entry.free_bytes}
    if entry.percent >= DISK_WARN:
        yield Problem(_level(entry.percent, DISK_BAD), "disk", "disk", values)
    if entry.inodes_percent is not None and entry.inodes_percent >= DISK_WARN:
        yield Problem(_level(entry.inodes_percent, DISK_BAD), "disk", "inodes", {**values, "percent": entry.inodes_percent})
