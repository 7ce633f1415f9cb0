"""One supervised process presented as a container: start, stop, kill, pause, restart policy, health. Knows nothing of HTTP or JSON."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from dataclasses import dataclass, field, replace

from bot.sandbox.events import Events
from bot.sandbox.json_log import LogWriter
from bot.sandbox.layout import Layout
from bot.sandbox.process import docker_exit_code, pump, signal_group, spawn
from bot.sandbox.services import NETWORK, Service

# Docker begins at 0.1 s; here a crash must be seen to be believed.
FIRST_BACKOFF = 2.0
LONGEST_BACKOFF = 10.0
# A process that lived this long has earned a fresh start of the waiting times, as with Docker.
LONG_ENOUGH = 10.0
DEADLY = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


class NotModified(Exception):
    """The container already is in the state asked for."""


class NotRunning(Exception):
    """The container must run for this."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One probe of a health URL; times in nanoseconds."""

    started_at: int
    ended_at: int
    exit_code: int
    output: str


@dataclass(slots=True)
class State:
    """What ``docker inspect`` tells of a container; times in nanoseconds, 0 for never."""

    status: str = "created"
    pid: int = 0
    exit_code: int = 0
    started_at: int = 0
    finished_at: int = 0
    restart_count: int = 0
    health: str = ""
    failing_streak: int = 0
    checks: deque[HealthCheck] = field(default_factory=lambda: deque(maxlen=5))


class Container:
    """Supervises one service. All methods belong to the engine's event loop."""

    def __init__(self, service: Service, layout: Layout, events: Events) -> None:
        self.service = service
        self.created_at = time.time_ns()
        self.state = State()
        self.networks = {NETWORK}
        self.policy = {"Name": "unless-stopped", "MaximumRetryCount": 0}
        self.log = LogWriter(layout.container_log(service.container_id))
        self._events = events
        self._lock = asyncio.Lock()
        self._give_up = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    @property
    def id(self) -> str:
        return self.service.container_id

    @property
    def running(self) -> bool:
        return self.state.status in ("running", "paused")

    @property
    def active(self) -> bool:
        """Running, or between a crash and its restart."""
        return self._supervisor is not None and not self._supervisor.done()

    async def start(self) -> None:
        async with self._lock:
            await self._start()

    async def stop(self, timeout: float = 10) -> None:
        async with self._lock:
            await self._stop(timeout)
            self._emit("stop")

    async def restart(self, timeout: float = 10) -> None:
        async with self._lock:
            if self.active:
                await self._stop(timeout)
                self._emit("stop")
            await self._start()
            self._emit("restart")

    async def kill(self, number: int) -> None:
        """Send a signal. As with Docker, a deadly one sent by the user counts as a wish to stay down."""
        self._require_running()
        self._emit("kill", signal=str(number))
        if number in DEADLY:
            self._give_up.set()
        if self.state.status == "paused" or self.cut_off:
            signal_group(self.state.pid, signal.SIGCONT)
        signal_group(self.state.pid, number)
        if number == signal.SIGKILL and self._supervisor:
            await asyncio.wait([self._supervisor], timeout=5)

    def pause(self) -> None:
        self._require_running()
        signal_group(self.state.pid, signal.SIGSTOP)
        self.state.status = "paused"
        self._emit("pause")

    def unpause(self) -> None:
        if self.state.status != "paused":
            raise NotRunning(f"Container {self.id} is not paused")
        signal_group(self.state.pid, signal.SIGCONT)
        self.state.status = "running"
        self._emit("unpause")

    @property
    def cut_off(self) -> bool:
        """In no network at all."""
        return not self.networks

    def rename(self, name: str) -> None:
        self.service = replace(self.service, given_name=name)
        self._emit("rename")

    def join(self, network: str) -> None:
        self.networks.add(network)
        self._reachable(True)
        self._events.emit("network", "connect", network, {"container": self.id, "name": network, "type": "bridge"})

    def leave(self, network: str) -> None:
        """A process on loopback cannot be taken out of a network; it is kept from running instead, so that it answers nobody.

        What it holds in memory stays, and its connections hang as they would.
        """
        self.networks.discard(network)
        if self.cut_off:
            self._reachable(False)
        self._events.emit("network", "disconnect", network, {"container": self.id, "name": network, "type": "bridge"})

    def _reachable(self, wanted: bool) -> None:
        if self.state.status == "running":
            signal_group(self.state.pid, signal.SIGCONT if wanted else signal.SIGSTOP)

    async def wait_for_end(self) -> int:
        """The exit code of the next end, at once when it is not running."""
        if self.running:
            await self._ended.wait()
        return self.state.exit_code

    def checked(self, check: HealthCheck, *, starting: bool, retries: int) -> None:
        """Take the result of one health probe."""
        state = self.state
        state.checks.append(check)
        state.failing_streak = 0 if check.exit_code == 0 else state.failing_streak + 1
        before = state.health
        if check.exit_code == 0:
            state.health = "healthy"
        elif state.failing_streak >= retries and not starting:
            state.health = "unhealthy"
        if state.health != before:
            self._emit(f"health_status: {state.health}")

    async def _start(self) -> None:
        if self.active:
            raise NotModified
        self._give_up.clear()
        self.networks = self.networks or {NETWORK}  # as a real engine does: back into the network that it was made for
        self.state.restart_count = 0
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._supervisor = asyncio.create_task(self._supervise(started), name=f"supervise {self.service.name}")
        await started

    async def _stop(self, timeout: float) -> None:
        if not self.active or self._supervisor is None:
            raise NotModified
        self._give_up.set()
        if self.running:
            if self.state.status == "paused" or self.cut_off:
                signal_group(self.state.pid, signal.SIGCONT)
            self._emit("kill", signal=str(int(signal.SIGTERM)))
            signal_group(self.state.pid, signal.SIGTERM)
            await asyncio.wait([self._supervisor], timeout=max(timeout, 0))
        if self.running:
            self._emit("kill", signal=str(int(signal.SIGKILL)))
            signal_group(self.state.pid, signal.SIGKILL)
        await self._supervisor

    async def _supervise(self, started: asyncio.Future[None]) -> None:
        backoff = FIRST_BACKOFF
        while True:
            try:
                process = await spawn(self.service.argv, self.service.environment, self.service.working_directory)
            except OSError as problem:
                self.state.status, self.state.exit_code = "exited", 127
                if not started.done():
                    started.set_exception(problem)
                return
            self._began(process.pid)
            if not started.done():
                started.set_result(None)
            lived = await self._live(process)
            if self._give_up.is_set() or self.policy["Name"] == "no":
                return
            self.networks = self.networks or {NETWORK}
            backoff = FIRST_BACKOFF if lived >= LONG_ENOUGH else backoff
            self.state.status = "restarting"
            if await self._told_to_stop_within(backoff):
                self.state.status = "exited"
                return
            backoff = min(backoff * 2, LONGEST_BACKOFF)
            self.state.restart_count += 1

    async def _live(self, process: asyncio.subprocess.Process) -> float:
        begin = time.monotonic()
        pumps = [
            asyncio.create_task(pump(process.stdout, lambda data: self.log.feed("stdout", data))),
            asyncio.create_task(pump(process.stderr, lambda data: self.log.feed("stderr", data))),
        ]
        code = await process.wait()
        signal_group(process.pid, signal.SIGKILL)  # what it started and left behind, as the end of a pid namespace does
        await asyncio.wait(pumps, timeout=5)
        for stream in ("stdout", "stderr"):
            self.log.close(stream)
        self._finished(docker_exit_code(code))
        return time.monotonic() - begin

    def _began(self, pid: int) -> None:
        state = self.state
        state.status, state.pid, state.started_at = "running", pid, time.time_ns()
        state.health = "starting" if self.service.health_url else ""
        state.failing_streak = 0
        self._ended.clear()
        self._emit("start")

    def _finished(self, exit_code: int) -> None:
        state = self.state
        state.status, state.pid, state.exit_code, state.finished_at = "exited", 0, exit_code, time.time_ns()
        self._emit("die", exitCode=str(exit_code))
        self._ended.set()

    async def _told_to_stop_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._give_up.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _require_running(self) -> None:
        if not self.running:
            raise NotRunning(f"container {self.id} is not running")

    def _emit(self, action: str, **attributes: str) -> None:
        facts = {**self.service.labels, "image": self.service.image, "name": self.service.container_name, **attributes}
        self._events.emit("container", action, self.id, facts)
