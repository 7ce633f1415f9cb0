"""What the backend itself can reach, tried from inside its container by a small program of ours that always ends.

The program (``inside.js``) takes its addresses from the container's environment; no login is handed in and none comes out.
Knows what the answer must look like, and believes nothing else. Judges nothing.
"""

from __future__ import annotations

import enum
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import Denied, NotFound, OutsideError, TimedOut, VccError
from bot.ops.container_values import ExecResult, Service
from bot.ops.containers import Containers

T = TypeVar("T")
BACKEND, MCP = "backend", "mcp-server"
TARGETS = ("mongodb", "redis", MCP)
MCP_PORT = 3100
# The program gives itself six seconds; starting Node in a busy container and loading drivers comes on top.
DEADLINE = 12.0
ANSWER_CAP = 16 * 1024
_PROGRAM = Path(__file__).with_name("inside.js")
_HOST = re.compile(r"[A-Za-z0-9._:-]{0,253}")
_CANNOT_RUN = (126, 127)


class Trouble(enum.StrEnum):
    """Why a target was not reached; NONE when it was."""

    NONE = ""
    UNSET = "unset"
    ADDRESS = "address"
    DNS = "dns"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    TLS = "tls"
    AUTH = "auth"
    LOADING = "loading"
    UNHEALTHY = "unhealthy"
    PROTOCOL = "protocol"
    FAILED = "failed"


class How(enum.StrEnum):
    """What was used to ask: the backend's own driver, or a handshake by hand where it has none. NOTHING before that."""

    NOTHING = ""
    MONGOOSE = "mongoose"
    MONGODB = "mongodb"
    IOREDIS = "ioredis"
    REDIS = "redis"
    HTTP = "http"
    HANDSHAKE = "handshake"


class Obstacle(enum.StrEnum):
    """What keeps us from looking from inside at all."""

    NO_DOCKER = "no_docker"
    NO_BACKEND = "no_backend"
    STOPPED = "stopped"
    NOT_ALLOWED = "not_allowed"
    NO_NODE = "no_node"
    TIMED_OUT = "timed_out"
    NONSENSE = "nonsense"


@dataclass(frozen=True, slots=True)
class Reach:
    """One target as the container sees it. Times in milliseconds, None for a step not come to.

    ``authenticated`` and ``read`` are None when that was not tried: a handshake with MongoDB proves no login.
    """

    name: str
    host: str
    port: int
    addresses: tuple[str, ...]
    resolve_ms: float | None
    connect_ms: float | None
    took_ms: float
    how: How
    authenticated: bool | None
    read: bool | None
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class InsideLook:
    """What was reached, or the ``obstacle`` with the ``error`` behind it. ``stopped`` names services that do not run."""

    container: str = ""
    state: str = ""
    reached: tuple[Reach, ...] = ()
    stopped: frozenset[str] = frozenset()
    obstacle: Obstacle | None = None
    error: VccError | None = None


async def look_inside(containers: Containers, deadline: float = DEADLINE) -> InsideLook:
    """Ask the backend's container. Never raises for what is down or forbidden: that is the answer."""
    try:
        services = await containers.services()
    except VccError as error:
        return InsideLook(obstacle=Obstacle.NO_DOCKER, error=error)
    stopped = frozenset(service.name for service in services if not service.running)
    backends = sorted((each for each in services if each.name == BACKEND), key=lambda each: not each.running)
    if not backends:
        return InsideLook(stopped=stopped, obstacle=Obstacle.NO_BACKEND)
    seen = InsideLook(backends[0].container_name, backends[0].state, stopped=stopped)
    if not backends[0].running:
        return _hindered(seen, Obstacle.STOPPED)
    try:
        result = await containers.exec(backends[0].container_id, _command(services), deadline, ANSWER_CAP)
    except OutsideError as error:
        return _hindered(seen, await _why(containers, backends[0], error), error)
    return _told(seen, result)


def _command(services: tuple[Service, ...]) -> tuple[str, ...]:
    """Words that are all ours: the program, and the address of the one service that the backend has no setting for."""
    mcp = next((service for service in services if service.name == MCP), None)
    more = (f"http://{MCP}:{mcp_port(mcp)}/health",) if mcp else ()
    return ("node", "-e", _PROGRAM.read_text(encoding="utf-8"), *more)


def mcp_port(service: Service) -> int:
    """The port its container listens on."""
    ports = sorted(port.container_port for port in service.ports if port.protocol == "tcp")
    return MCP_PORT if MCP_PORT in ports or not ports else ports[0]


async def _why(containers: Containers, backend: Service, error: OutsideError) -> Obstacle:
    """What a refused exec means. A container may have stopped since it was looked at."""
    if isinstance(error, Denied) or error.detail.startswith("405"):  # a proxy in front of the engine says one or the other
        return Obstacle.NOT_ALLOWED
    if isinstance(error, TimedOut):
        return Obstacle.TIMED_OUT
    if isinstance(error, NotFound):
        return Obstacle.STOPPED
    if "executable file not found" in error.detail:
        return Obstacle.NO_NODE
    try:
        return Obstacle.NONSENSE if (await containers.container(backend.container_id)).running else Obstacle.STOPPED
    except VccError:
        return Obstacle.NO_DOCKER


def _hindered(seen: InsideLook, obstacle: Obstacle, error: VccError | None = None) -> InsideLook:
    return InsideLook(seen.container, seen.state, stopped=seen.stopped, obstacle=obstacle, error=error)


def _told(seen: InsideLook, result: ExecResult) -> InsideLook:
    if result.exit_code in _CANNOT_RUN and _no_node((result.stdout + result.stderr).decode("utf-8", "replace")):
        return _hindered(seen, Obstacle.NO_NODE)
    try:
        reached = answer_from(result.stdout)
    except ValueError as error:
        # Its words stay inside, as they may hold anything; how it ended is enough to go on with.
        detail = f"exit {result.exit_code}, {len(result.stdout)} and {len(result.stderr)} bytes, {error}"
        return _hindered(seen, Obstacle.NONSENSE, OutsideError("error.rejected", system=BACKEND, detail=detail))
    return InsideLook(seen.container, seen.state, reached, seen.stopped)


def _no_node(text: str) -> bool:
    """The engine's words for a program that the container does not have, or a shell's that was put in its place."""
    return any(sign in text for sign in ("executable file not found", "no such file or directory", "not found"))


def answer_from(output: bytes) -> tuple[Reach, ...]:
    """The program's one line, checked in every part; ValueError, without any of its content, for anything else."""
    lines = output.strip().splitlines()
    if len(lines) != 1:
        raise ValueError(f"{len(lines)} lines")
    try:
        answer = json.loads(lines[0])
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(answer, dict) or answer.get("vcc_check") != 1 or not isinstance(answer.get("targets"), list):
        raise ValueError("another answer")
    reached = tuple(_reach(entry) for entry in answer["targets"])
    if tuple(each.name for each in reached) not in (TARGETS[:2], TARGETS):
        raise ValueError("other targets")
    return reached


def _reach(entry: Any) -> Reach:
    if not isinstance(entry, dict):
        raise ValueError("a target that is none")
    return Reach(
        name=_one(entry, "name", _text),
        host=_one(entry, "host", _host),
        port=_one(entry, "port", _port),
        addresses=_one(entry, "addresses", _addresses),
        resolve_ms=_one(entry, "resolve_ms", _perhaps_time),
        connect_ms=_one(entry, "connect_ms", _perhaps_time),
        took_ms=_one(entry, "took_ms", _time),
        how=_one(entry, "how", lambda value: How(_text(value))),
        authenticated=_one(entry, "auth", _perhaps_flag),
        read=_one(entry, "read", _perhaps_flag),
        trouble=_one(entry, "problem", lambda value: Trouble(_text(value))),
    )


def _one(entry: Mapping[str, Any], key: str, read: Callable[[Any], T]) -> T:
    try:
        return read(entry[key])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{key} is not as agreed") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _host(value: Any) -> str:
    if not _HOST.fullmatch(_text(value)):
        raise ValueError
    return _text(value)


def _port(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 65535:
        raise ValueError
    return value


def _addresses(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 8:
        raise ValueError
    return tuple(str(ipaddress.ip_address(_text(each))) for each in value)


def _time(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < 1e6:
        raise ValueError
    return float(value)


def _perhaps_time(value: Any) -> float | None:
    return None if value is None else _time(value)


def _perhaps_flag(value: Any) -> bool | None:
    if value is not None and type(value) is not bool:
        raise ValueError
    return value
