"""What the test wants to go wrong on REST, and the rate limits that always apply. Knows neither routes nor state."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from .clock import Clock
from .errors import ApiError

Failure = int | Literal["hang", "drop", "lost"]


@dataclass
class Fault:
    """``status``: an HTTP status; "hang" never answers; "drop" cuts before, "lost" after the work was done."""

    pattern: re.Pattern[str]
    status: Failure
    times: int
    retry_after: float
    everywhere: bool


class FaultBook:
    """Planned failures, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        """Remember one."""
        self._faults.append(fault)

    def forget(self) -> None:
        """All is well again."""
        self._faults.clear()

    def due(self, request_line: str) -> Fault | None:
        """The failure for ``METHOD /path``, used up by asking."""
        for fault in self._faults:
            if fault.times > 0 and fault.pattern.search(request_line):
                fault.times -= 1
                return fault
        return None


def as_error(fault: Fault) -> ApiError:
    """A planned HTTP status in Discord's words."""
    status = int(fault.status)
    if status != 429:
        return ApiError(status, 0, f"{status}: planned failure")
    return rate_limited(fault.retry_after, everywhere=fault.everywhere)


def rate_limited(retry_after: float, *, everywhere: bool, scope: str = "user") -> ApiError:
    """429 as Discord answers it."""
    refusal = ApiError(429, 0, "You are being rate limited.")
    refusal.extra = {"retry_after": round(retry_after, 3), "global": everywhere}
    refusal.headers = {"Retry-After": str(int(retry_after) + 1), "X-RateLimit-Scope": "global" if everywhere else scope}
    if everywhere:
        refusal.headers["X-RateLimit-Global"] = "true"
    return refusal


@dataclass
class _Window:
    """One bucket's current window."""

    ends: float = 0.0
    used: int = 0


@dataclass(frozen=True)
class Limit:
    """``allowed`` requests in ``seconds`` for routes that match, for each channel, webhook or guild."""

    name: str
    pattern: re.Pattern[str]
    allowed: int
    seconds: float


class RateLimits:
    """Buckets with fixed windows. Discord publishes no figures; these are the usual ones, and can be set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}
        self._limits: list[Limit] = []
        self.everywhere = 50
        self.set("webhook", r"^\w+ /webhooks/", 5, 2.0)
        self.set("edit", r"^PATCH /channels/[^/]+/messages/", 5, 5.0)
        self.set("create", r"^POST /channels/[^/]+/messages$", 5, 5.0)

    def set(self, name: str, pattern: str, allowed: int, seconds: float) -> None:
        """A limit for ``METHOD /route/template``; the newest that matches counts."""
        self._limits = [limit for limit in self._limits if limit.name != name]
        self._limits.insert(0, Limit(name, re.compile(pattern), allowed, seconds))

    def take(self, request_line: str, major: str) -> dict[str, str]:
        """Count one request; the headers to answer with, or a 429."""
        if not request_line.startswith(("POST /interactions/",)) and " /webhooks/" not in request_line:
            self._take_everywhere()
        fallback = Limit(request_line, re.compile(""), 50, 1.0)
        limit = next((limit for limit in self._limits if limit.pattern.search(request_line)), fallback)
        window = self._windows.setdefault((limit.name, major), _Window())
        now = self._clock.now()
        if now >= window.ends:
            window.ends, window.used = now + limit.seconds, 0
        headers = self._headers(limit, window, now)
        if window.used >= limit.allowed:
            refusal = rate_limited(window.ends - now, everywhere=False)
            refusal.headers |= headers
            raise refusal
        window.used += 1
        return headers | {"X-RateLimit-Remaining": str(limit.allowed - window.used)}

    @staticmethod
    def _headers(limit: Limit, window: _Window, now: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(limit.allowed),
            "X-RateLimit-Remaining": str(max(0, limit.allowed - window.used)),
            "X-RateLimit-Reset": f"{window.ends:.3f}",
            "X-RateLimit-Reset-After": f"{window.ends - now:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(limit.name.encode()).hexdigest()[:32],
        }

    def _take_everywhere(self) -> None:
        """50 requests a second over all routes."""
        window = self._windows.setdefault(("", ""), _Window())
        now = self._clock.now()
        if now >= window.ends:
            window.ends, window.used = now + 1.0, 0
        if window.used >= self.everywhere:
            raise rate_limited(window.ends - now, everywhere=True)
        window.used += 1
