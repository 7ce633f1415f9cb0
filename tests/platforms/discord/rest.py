"""The corridor of every REST request: faults, token, rate limit, schema, the route itself, the record of calls.

Knows nothing of what the routes do: those are plain functions from ``Ask`` to ``Answer``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .clock import Changes, Clock
from .errors import ApiError, invalid_form
from .faults import Fault, FaultBook, RateLimits, as_error
from .oracle import Oracle
from .records import Call
from .uploads import Received, receive

PREFIX = "/api/v10"
BODY_LIMIT = 40 * 1024 * 1024
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_id")
Answer = tuple[int, Any]


@dataclass(frozen=True)
class Ask:
    """One request as a route sees it."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    received: Received

    def number(self, name: str) -> int:
        """A snowflake of the path."""
        if not self.path[name].isdigit():
            raise invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{self.path[name]}" is not snowflake.')
        return int(self.path[name])

    @property
    def body(self) -> Any:
        """The JSON body, empty when there is none."""
        return self.received.body if self.received.body is not None else {}


Route = Callable[[Ask], Answer]


@dataclass
class _Outcome:
    """What one request came to."""

    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    sent: Any = None


class Rest:
    """Registers routes with an aiohttp application and walks each request through the corridor."""

    def __init__(self, clock: Clock, token: str, changes: Changes, oracle: Oracle | None) -> None:
        self._token = token
        self._changes = changes
        self._oracle = oracle
        self._released = asyncio.Event()
        self.faults = FaultBook()
        self.limits = RateLimits(clock)
        self.calls: list[Call] = []
        self.violations: list[str] = []

    def release(self) -> None:
        """Let go of every request that hangs."""
        self._released.set()
        self._released = asyncio.Event()

    def add(self, app: web.Application, method: str, route: str, function: Route, *, tokenless: bool = False) -> None:
        """Serve ``function`` at a route written as in Discord's own description."""

        async def handler(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, route, function, tokenless)

        app.router.add_route(method, PREFIX + route, handler)

    async def unknown_route(self, request: web.Request) -> web.StreamResponse:
        """Whatever this fake does not model, so that a test sees it."""
        self.calls.append(Call(request.method, request.path.removeprefix(PREFIX), "", 404))
        return web.json_response({"message": "404: Not Found", "code": 0}, status=404)

    async def _serve(self, request: web.Request, route: str, function: Route, tokenless: bool) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        fault = self.faults.due(f"{request.method} {path}")
        if fault is not None and fault.status == "hang":
            await self._released.wait()
        if fault is not None and fault.status in ("hang", "drop"):
            self.calls.append(Call(request.method, path, route, 0))
            return self._cut(request)
        outcome = await self._outcome(request, route, lambda: self._guarded(request, route, function, tokenless), fault)
        self.calls.append(Call(request.method, path, route, outcome.status, outcome.sent))
        self._changes.tell()
        if fault is not None and fault.status == "lost":
            return self._cut(request)
        if outcome.status == 204:
            return web.Response(status=204, headers=outcome.headers)
        # discord.py parses JSON only when the type has no charset, which is how Discord sends it.
        body = json.dumps(outcome.body).encode()
        return web.Response(body=body, status=outcome.status, headers=outcome.headers, content_type="application/json")

    async def _outcome(self, request: web.Request, route: str, work: Callable[[], Awaitable[_Outcome]], fault: Fault | None) -> _Outcome:
        try:
            if fault is not None and fault.status != "lost":
                raise as_error(fault)
            outcome = await work()
            self._check_answer(request.method, route, outcome)
        except ApiError as refusal:
            outcome = _Outcome(refusal.status, refusal.body(), refusal.headers)
        # discord.py takes a 429 without Via for a ban by the proxy in front of Discord.
        outcome.headers |= {"Via": "1.1 fake"}
        return outcome

    async def _guarded(self, request: web.Request, route: str, function: Route, tokenless: bool) -> _Outcome:
        if not tokenless and request.headers.get("Authorization") != f"Bot {self._token}":
            raise ApiError(401, 0, "401: Unauthorized")
        major = ":".join(request.match_info.get(name, "") for name in MAJOR)
        headers = self.limits.take(f"{request.method} {route}", major)
        received = await receive(request)
        outcome = _Outcome(headers=headers, sent=received.body)
        try:
            self._check_request(request.method, route, received.body)
            outcome.status, outcome.body = function(Ask(request.match_info, request.query, received))
        except ApiError as refusal:
            outcome.status, outcome.body = refusal.status, refusal.body()
            outcome.headers = headers | refusal.headers
        return outcome

    def _check_request(self, method: str, route: str, body: Any) -> None:
        faults = self._oracle.faults_in_request(method, route, body) if self._oracle and body is not None else []
        if faults:
            self.violations += [f"request {method} {route}: {fault}" for fault in faults]
            raise invalid_form("_schema", "SCHEMA", "; ".join(faults)[:1500])

    def _check_answer(self, method: str, route: str, outcome: _Outcome) -> None:
        if self._oracle is not None:
            body = json.loads(json.dumps(outcome.body))
            faults = self._oracle.faults_in_answer(method, route, outcome.status, body)
            self.violations += [f"answer {method} {route}: {fault}" for fault in faults]

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        """End the connection without an answer."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
