"""HTTP health: is something up at an address, and does it say so itself. Knows no service by name.

A page is not health: behind a single-page front end every path answers 200 with HTML even when the back end is dead, so an
address whose path ends in ``/health`` must answer JSON with the status OK.
"""

from __future__ import annotations

import asyncio
import enum
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from bot.errors import OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.bounded import Vendor, describe, within

SYSTEM = "http"
BODY_CAP = 64 * 1024
REDIRECTS_AT_MOST = 3
AGENT = {"User-Agent": "vcc-ops-bot"}
WELL = frozenset({"ok", "up", "healthy", "pass"})


class HealthReason(enum.StrEnum):
    """Why it is up or down."""

    OK = "ok"
    STATUS = "status"
    NOT_HEALTH = "not_health"
    SAYS_DOWN = "says_down"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HealthResult:
    """One address probed. ``status`` is 0 when nothing answered; ``address`` and ``redirected_to`` are without query,
    name and password; ``latency_ms`` until the answer's end, or until we gave up."""

    name: str
    address: str
    up: bool
    status: int
    latency_ms: float
    reason: HealthReason
    redirected_to: str = ""
    detail: str = ""


def translate(error: Exception, seconds: float) -> OutsideError:
    """What aiohttp throws, in our words."""
    if isinstance(error, TimeoutError):
        return TimedOut(SYSTEM, seconds, describe(error))
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError | OSError):
        return Unreachable(SYSTEM, describe(error))
    return Rejected(SYSTEM, describe(error))


HTTP = Vendor(SYSTEM, (aiohttp.ClientError, OSError, ValueError), translate)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one address answered, whatever it means. ``told`` is its body when that is a JSON object."""

    status: int
    took_ms: float
    told: Mapping[str, object] | None


async def fetch(address: str, deadline: float) -> Answer:
    """One GET. OutsideError when nothing answers."""
    started = time.perf_counter()
    async with (
        within(HTTP, deadline),
        aiohttp.ClientSession(headers=AGENT) as session,
        session.get(address, max_redirects=REDIRECTS_AT_MOST) as response,
    ):
        body = await _head(response)
    return Answer(response.status, _since(started), _object(body))


class HealthProbes:
    """The addresses to probe, by name. ``deadline`` (seconds) bounds each; they are asked side by side."""

    def __init__(self, addresses: Mapping[str, str], deadline: float = 2.5) -> None:
        self.addresses: Mapping[str, str] = dict(addresses)
        self._deadline = deadline

    async def check(self) -> tuple[HealthResult, ...]:
        """All addresses, in the order given. Never raises for one that is down: that is the answer."""
        timeout = aiohttp.ClientTimeout(total=self._deadline)
        async with aiohttp.ClientSession(timeout=timeout, headers=AGENT) as session:
            probes = (self._probe(session, name, address) for name, address in self.addresses.items())
            return tuple(await asyncio.gather(*probes))

    async def _probe(self, session: aiohttp.ClientSession, name: str, address: str) -> HealthResult:
        started = time.perf_counter()
        try:
            async with within(HTTP, self._deadline), session.get(address, max_redirects=REDIRECTS_AT_MOST) as response:
                body = await _head(response)
        except OutsideError as error:
            return HealthResult(name, harmless(address), False, 0, _since(started), _reason(error), detail=error.detail)
        reason = judge(address, response.status, body)
        moved = harmless(str(response.url)) if response.history else ""
        return HealthResult(name, harmless(address), reason is HealthReason.OK, response.status, _since(started), reason, moved)


async def _head(response: aiohttp.ClientResponse) -> bytes:
    """The body, as far as it could matter."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= BODY_CAP:
            break
    return bytes(body)


def judge(address: str, status: int, body: bytes) -> HealthReason:
    """What an answer means for the address that was asked."""
    if status >= 400:
        return HealthReason.STATUS
    if not address.partition("?")[0].rstrip("/").endswith("/health"):
        return HealthReason.OK
    answer = _object(body)
    if answer is None or "status" not in answer:
        return HealthReason.NOT_HEALTH
    return HealthReason.OK if str(answer["status"]).lower() in WELL else HealthReason.SAYS_DOWN


def _object(body: bytes) -> Mapping[str, object] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def harmless(address: str) -> str:
    """The address without what may be secret in it; empty when it is none."""
    try:
        return str(URL(address).with_user(None).with_query(None).with_fragment(None))
    except ValueError:
        return ""


def _reason(error: OutsideError) -> HealthReason:
    if isinstance(error, TimedOut):
        return HealthReason.TIMED_OUT
    return HealthReason.UNREACHABLE if isinstance(error, Unreachable) else HealthReason.FAILED


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
