"""What the Docker client, its HTTP libraries and the socket throw, in our words. Knows nothing of what was asked."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import aiohttp
import docker.errors
import requests.exceptions

from bot.errors import Denied, NotFound, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.bounded import Vendor, describe

SYSTEM = "docker"


def translate(error: Exception, seconds: float) -> OutsideError:
    """One error of the vendor as ours. The client wraps the true cause several times, so the whole chain is looked at."""
    causes = tuple(_chain(error))
    for cause in causes:
        if isinstance(cause, docker.errors.APIError):
            return from_status(_status(cause), str(cause.explanation or ""))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return Denied(SYSTEM, describe(error))
    if any(isinstance(cause, TimeoutError | requests.exceptions.Timeout) for cause in causes):
        return TimedOut(SYSTEM, seconds, describe(error))
    if any(_is_lost(cause) for cause in causes):
        return Unreachable(SYSTEM, describe(error))
    return Rejected(SYSTEM, describe(error))


_LOST = (
    ConnectionError,
    FileNotFoundError,
    socket.gaierror,
    requests.exceptions.ConnectionError,
    aiohttp.ClientConnectionError,
    aiohttp.ClientPayloadError,
)


def _is_lost(cause: BaseException) -> bool:
    """No connection, or it broke. A bare OSError is the socket's own (no route, network down); subclasses mean other things."""
    return isinstance(cause, _LOST) or type(cause) is OSError


def from_status(status: int, explanation: str) -> OutsideError:
    """An HTTP answer that is a refusal. The engine's explanation goes to the log only."""
    detail = f"{status}: {explanation}"
    if status in (401, 403):
        return Denied(SYSTEM, detail)
    if status == 404:
        return NotFound(SYSTEM, _named(explanation), detail)
    return Rejected(SYSTEM, detail)


def _named(explanation: str) -> str:
    """ "No such container: abc" names ``abc``; anything else is not known to be harmless enough to say."""
    head, separator, name = explanation.partition(": ")
    return name.strip() if separator and head.lower().startswith("no such") else "?"


def _status(error: docker.errors.APIError) -> int:
    return int(getattr(error.response, "status_code", 0) or 0)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and the errors that its arguments carry."""
    pending, seen = [error], set[int]()
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [cause for cause in (current.__cause__, current.__context__, *current.args) if isinstance(cause, BaseException)]


DOCKER = Vendor(
    SYSTEM,
    (docker.errors.DockerException, requests.exceptions.RequestException, aiohttp.ClientError, OSError),
    translate,
)
