"""A deep look at health: every part asked for something real, side by side, each judged by itself; the worst is the verdict.

The backend's own ``/health`` answers 200 whatever is down, so nothing is concluded from it but that the process lives. Holds no
words: a check is a kind and a state with their figures, told elsewhere.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from yarl import URL

from bot.errors import TimedOut, VccError
from bot.ops.bundle import Ops
from bot.ops.certs import Certificate, CertProblem, shown
from bot.ops.container_values import Service
from bot.ops.health import Answer, HealthProbes, fetch
from bot.ops.inside import MCP, mcp_port
from bot.ops.overview import probe
from bot.ops.verdict import Problem, Severity, queue_problems, redis_problems, service_problems

DEADLINE = 2.4
LEAST = 0.3  # for what can only be asked once something else has answered
CERT_WARN_DAYS, CERT_BAD_DAYS = 30.0, 7.0
# Answers that nginx gives itself when it cannot reach what is behind it.
_GATEWAY = frozenset({502, 503, 504})
_PAGES = ("frontend", "nginx", "web")
_BEHIND_ANOTHER = frozenset({"queues", "proxy"})
_CERT_BAD = frozenset({CertProblem.EXPIRED, CertProblem.NOT_YET_VALID, CertProblem.WRONG_NAME, CertProblem.CHAIN_EXPIRED})


class Verdict(enum.IntEnum):
    """How well; the larger, the worse. UNKNOWN is what could not be asked: not well, and no proof of harm."""

    OK = 0
    UNKNOWN = 1
    WARN = 2
    BAD = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What one part showed. ``problems`` are those of ``verdict``'s rules; ``error`` is why it could not be asked."""

    verdict: Verdict
    state: str
    values: Mapping[str, object] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    error: VccError | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One part: ``kind`` and the state found name its sentences, ``name`` is what people call it."""

    kind: str
    name: str
    found: Found
    took_ms: float

    @property
    def verdict(self) -> Verdict:
        """How well this part is."""
        return self.found.verdict


@dataclass(frozen=True, slots=True)
class DeepHealth:
    """Every check, in a fixed order."""

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return max((check.verdict for check in self.checks), default=Verdict.UNKNOWN)


async def measure(ops: Ops, now: float, deadline: float = DEADLINE, only: Collection[str] = ()) -> DeepHealth:
    """Ask everything at once, or ``only`` some kinds; back within ``deadline`` seconds and a little, whatever hangs.

    Never raises for what is down: that is what its check says.
    """
    looking = _Looking(ops, now, deadline)
    asked = [looking.check(*part) for part in looking.parts() if not only or part[0] in only]
    found = await asyncio.gather(*asked, *(() if only and "mcp" not in only else (looking.mcp(),)))
    return DeepHealth(tuple(check for check in found if check is not None))


class _Looking:
    """One look. The list of services is asked for once, for all that need it."""

    def __init__(self, ops: Ops, now: float, deadline: float) -> None:
        self._ops = ops
        self._now = now
        self._deadline = deadline
        self._ends = time.perf_counter() + deadline
        self._page_answered = False
        self._asked: asyncio.Future[tuple[Service, ...] | VccError] | None = None

    def parts(self) -> Iterator[tuple[str, str, Callable[[], Awaitable[Found]]]]:
        """(kind, name, how to ask) for every part but those that only the list of services tells of."""
        addresses = self._ops.health.addresses
        page = next((name for name in _PAGES if name in addresses), _PAGES[0])
        yield "containers", "containers", self._containers
        yield "backend", "backend", lambda: self._says_ok(addresses.get("backend", ""))
        yield "page", page, lambda: self._page(addresses.get(page, ""))
        yield "proxy", f"{page} → backend", lambda: self._proxy(addresses.get(page, ""))
        yield "mongodb", "mongodb", self._mongodb
        yield "redis", "redis", self._redis
        yield "queues", "queues", self._queues
        for name, address in addresses.items():
            if name not in ("backend", page, MCP):
                yield "address", name, lambda address=address: self._says_ok(address)  # type: ignore[misc]
        for source in self._ops.certs.sources:
            yield "certificate", shown(source), lambda source=source: self._certificate(source)  # type: ignore[misc]

    async def check(self, kind: str, name: str, ask: Callable[[], Awaitable[Found]]) -> Check:
        """One part, timed; that it cannot be asked is its state."""
        started = time.perf_counter()
        answer = await probe(name, ask, max(LEAST, self._ends - started))
        found = _failed(kind, answer) if isinstance(answer, VccError) else answer
        return Check(kind, name, found, (time.perf_counter() - started) * 1000)

    async def _services(self) -> tuple[Service, ...] | VccError:
        """Asked for once; one that waits too long leaves the others waiting on."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(probe("docker", self._ops.containers.services, self._deadline * 0.9))
        return await asyncio.shield(self._asked)

    async def mcp(self) -> Check | None:
        """Only where there is an address for it, or the deployment has one by its label; a stopped one is told among the containers."""
        configured = self._ops.health.addresses.get(MCP, "")
        if configured:
            return await self.check("mcp", MCP, lambda: self._says_ok(configured))
        services = await self._services()
        running = () if isinstance(services, VccError) else [each for each in services if each.name == MCP and each.running]
        return await self.check("mcp", MCP, lambda: self._mcp(running[0])) if running else None

    async def _containers(self) -> Found:
        services = await self._services()
        if isinstance(services, VccError):
            raise services
        if not services:
            return _of_problems((Problem(Severity.BAD, "docker", "no_services"),), {})
        problems = tuple(problem for service in services for problem in service_problems(service, self._now))
        return _of_problems(problems, {"running": sum(service.running for service in services), "total": len(services)})

    async def _says_ok(self, address: str) -> Found:
        if not address:
            return _UNSET
        (result,) = await HealthProbes({"it": address}, self._deadline * 0.9).check()
        values = {"status": result.status or "-", "reason": result.reason.value, "latency": result.latency_ms}
        return Found(Verdict.OK, "ok", values) if result.up else Found(Verdict.BAD, "bad", values)

    async def _page(self, address: str) -> Found:
        if not address:
            return _UNSET
        answer = await fetch(address, self._deadline)
        self._page_answered = True
        values = _figures(answer)
        return Found(Verdict.OK, "ok", values) if answer.status < 400 else Found(Verdict.BAD, "bad", values)

    async def _proxy(self, address: str) -> Found:
        """The backend has no ``/api/health``, and says so itself: that answer, come through nginx, is what is looked for."""
        if not address:
            return _UNSET
        try:
            answer = await fetch(str(URL(address).join(URL("/api/health"))), self._deadline * 0.9)
        except TimedOut:
            # A container that is gone refuses nothing: nginx knocks at its old address for some seconds before it says 502.
            if self._page_answered:
                return Found(Verdict.BAD, "silent")
            raise
        values = _figures(answer)
        if answer.status in _GATEWAY:  # also as JSON: some gateways are told to speak like what is behind them
            return Found(Verdict.BAD, "bad", values)
        return Found(Verdict.WARN, "not_proxied", values) if answer.told is None else Found(Verdict.OK, "ok", values)

    async def _mongodb(self) -> Found:
        ping = await self._ops.mongo.ping()
        collection = await self._ops.mongo.read_one()
        values = {"version": ping.version, "latency": ping.latency_ms, "collection": collection, "database": self._ops.mongo.database}
        return Found(Verdict.OK, "ok", values) if collection else Found(Verdict.WARN, "empty", values)

    async def _redis(self) -> Found:
        info = await self._ops.redis.info()
        values = {"version": info.version, "latency": info.latency_ms, "keys": info.keys}
        return _of_problems(tuple(redis_problems(info)), values)

    async def _queues(self) -> Found:
        queues = await self._ops.bull.queues()
        oldest = min((queue.oldest_waiting_at for queue in queues if queue.oldest_waiting_at is not None), default=None)
        values = {
            "queues": len(queues),
            "waiting": sum(queue.waiting + queue.paused for queue in queues),
            "active": sum(queue.active for queue in queues),
            "stalled": sum(queue.stalled for queue in queues),
            "oldest": None if oldest is None else max(0.0, self._now - oldest),
        }
        return _of_problems(tuple(problem for queue in queues for problem in queue_problems(queue, self._now)), values)

    async def _mcp(self, service: Service) -> Found:
        inside = _address(await self._ops.containers.inspect(service.container_id))
        return await self._says_ok(f"http://{inside}:{mcp_port(service)}/health" if inside else "")

    async def _certificate(self, source: str) -> Found:
        return judged(await self._ops.certs.read(source))


_UNSET = Found(Verdict.UNKNOWN, "unset", {"setting": "VCC_HEALTH_URLS"})


def _failed(kind: str, error: VccError) -> Found:
    """Each cause is told once: what cannot be asked because of another part is not known, and no worse."""
    if error.key == "error.not_configured":
        return Found(Verdict.UNKNOWN, "unset", error.values)
    return Found(Verdict.UNKNOWN, "unknown") if kind in _BEHIND_ANOTHER else Found(Verdict.BAD, "down", error=error)


def _of_problems(problems: tuple[Problem, ...], values: Mapping[str, object]) -> Found:
    if not problems:
        return Found(Verdict.OK, "ok", values)
    worst = tuple(sorted(problems, key=lambda problem: -problem.severity))
    bad = worst[0].severity is Severity.BAD
    return Found(Verdict.BAD if bad else Verdict.WARN, "problems", values, worst)


def _figures(answer: Answer) -> dict[str, object]:
    return {"status": answer.status, "latency": answer.took_ms}


def _address(inspected: Mapping[str, object]) -> str:
    """Where a container listens on its network; empty when it has no address of its own."""
    network = inspected.get("NetworkSettings")
    networks = network.get("Networks") if isinstance(network, Mapping) else None
    listed = networks.values() if isinstance(networks, Mapping) else ()
    return next((str(each["IPAddress"]) for each in listed if isinstance(each, Mapping) and each.get("IPAddress")), "")


def judged(certificate: Certificate) -> Found:
    """A certificate by its worst fault, and by the days it has left."""
    days, problems = certificate.days_left, certificate.problems
    values: dict[str, object] = {
        "days": days,
        "until": certificate.not_after,
        "since": certificate.not_before,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": certificate.names,
        "problems": tuple(problem.value for problem in problems),
    }
    if problems and problems[0] in _CERT_BAD:
        return Found(Verdict.BAD, problems[0].value, values)
    if days <= CERT_WARN_DAYS:
        return Found(Verdict.BAD if days <= CERT_BAD_DAYS else Verdict.WARN, "ends_soon", values)
    return Found(Verdict.WARN, problems[0].value, values) if problems else Found(Verdict.OK, "ok", values)
