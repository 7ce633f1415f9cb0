"""The compose project's containers: what they are, what they take, their logs, start and stop, a command inside.

Services are found by compose's labels only, never by guessing names. Knows nothing of what runs in them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from docker.api.client import APIClient

from bot.errors import Conflict, NotFound, OutsideError, Rejected
from bot.ops.bounded import describe, within
from bot.ops.container_chunks import Dechunker
from bot.ops.container_engine import Engine
from bot.ops.container_errors import DOCKER, SYSTEM
from bot.ops.container_frames import ByteCollector, FrameError, FrameSplitter
from bot.ops.container_gulps import Asked, Taken, Unwrapping
from bot.ops.container_logs import LogStream, LogWindow, Opened, log_stream
from bot.ops.container_making import Making
from bot.ops.container_networks import Networks
from bot.ops.container_parse import ONEOFF_LABEL, PROJECT_LABEL, SERVICE_LABEL, disk_from, service_from
from bot.ops.container_stream import EngineStreams
from bot.ops.container_traces import Traces
from bot.ops.container_usage import Usages
from bot.ops.container_values import DockerDisk, ExecResult, Sampled, Service, Usage

Json = dict[str, Any]
DEFAULT_HOST = "unix:///var/run/docker.sock"
SLOW = 30.0
MARK_SERVICE = "backend"


class Containers:
    """Docker for one compose project. ``project`` may be empty when only one project has a service ``backend``.

    ``deadline`` (seconds) bounds each question; what is slow by nature says its own.
    """

    def __init__(self, host: str, project: str, *, deadline: float = 2.5) -> None:
        self._engine = Engine(host or DEFAULT_HOST)
        self._streams = EngineStreams(host or DEFAULT_HOST, deadline)
        self._project = project
        self._deadline = deadline
        self.networks = Networks(self._engine, deadline)
        self.making = Making(self._engine, deadline)
        self.traces = Traces(self._engine)
        self._usages = Usages(self._engine, deadline)

    def close(self) -> None:
        """Close the connections to the engine."""
        self._engine.close()

    async def ping(self) -> float:
        """How long the engine takes to answer, in milliseconds."""
        started = time.perf_counter()
        await self._engine.call(APIClient.ping, self._deadline)
        return (time.perf_counter() - started) * 1000

    async def services(self) -> tuple[Service, ...]:
        """Every container of the project, by service and number; one-off runs are not services."""
        async with within(DOCKER, self._deadline):
            listed = await self._listed()
            inspected = await asyncio.gather(*(self._service_or_none(entry["Id"]) for entry in listed))
        found = [service for service in inspected if service is not None]
        return tuple(sorted(found, key=lambda service: (service.name, service.number)))

    async def replicas(self, name: str) -> tuple[Service, ...]:
        """The containers of one service; NotFound when there is none."""
        found = tuple(service for service in await self.services() if service.name == name)
        if not found:
            raise NotFound(SYSTEM, name)
        return found

    async def service(self, name: str) -> Service:
        """One service's container: of several, the first that runs."""
        found = await self.replicas(name)
        return next((service for service in found if service.running), found[0])

    async def inspect(self, container_id: str) -> Mapping[str, Any]:
        """All that the engine knows of a container. Holds its environment, secrets included: never show it."""
        return cast(Json, await self._engine.call(lambda client: client.inspect_container(container_id), self._deadline))

    async def container(self, container_id: str) -> Service:
        """One container as it is now."""
        return service_from(await self.inspect(container_id))

    async def stats(self, service: str | None = None, within: float = math.inf) -> tuple[Usage, ...]:
        """What the running containers take now, all measured at once; a quarter of a second or more between the two samples.

        Who has to have it ``within`` so many seconds gets the processor use since a measurement of the last minute, if there was one;
        else, where two samples take longer, no processor use.
        """
        ends = time.monotonic() + within
        chosen = await (self.services() if service is None else self.replicas(service))
        return await self._usages.now([container for container in chosen if container.running], ends - time.monotonic())

    async def measured(self, before: Mapping[str, Sampled]) -> tuple[Sampled, ...]:
        """What the running containers take, processor time reckoned since ``before`` (by container): for who asks again and again."""
        return await self._usages.since([container for container in await self.services() if container.running], before)

    async def root(self) -> str:
        """Where the engine keeps everything, as a path on its own machine."""
        return str((await self._engine.call(lambda client: client.info(), self._deadline)).get("DockerRootDir", ""))

    async def start(self, container_id: str) -> None:
        """Start a container; nothing happens when it runs. Conflict when it was cut off from its networks."""
        await self._stays_cut_off(container_id)
        await self._engine.call(lambda client: client.start(container_id), SLOW)

    async def stop(self, container_id: str, timeout: int = 10) -> None:
        """Stop a container, killing it after ``timeout`` seconds."""
        await self._engine.call(lambda client: client.stop(container_id, timeout=timeout), SLOW, extra=timeout)

    async def restart(self, container_id: str, timeout: int = 10) -> None:
        """Stop, kill after ``timeout`` seconds, start again. Applies no changed environment. Conflict as with ``start``."""
        await self._stays_cut_off(container_id)
        await self._engine.call(lambda client: client.restart(container_id, timeout=timeout), SLOW, extra=timeout)

    async def wait_healthy(self, container_id: str, deadline: float, poll: float = 0.5, stable: float = 3.0) -> Service:
        """Wait until it runs and is healthy; without a health check, until it has run unrestarted for ``stable`` seconds."""
        ends = time.monotonic() + deadline
        while True:
            service = await self.container(container_id)
            if _well(service, stable):
                return service
            if time.monotonic() + poll > ends:
                raise OutsideError(
                    "error.unhealthy",
                    system=SYSTEM,
                    service=service.name or service.container_name,
                    state=service.state,
                    health=service.health or "-",
                    seconds=round(deadline, 1),
                )
            await asyncio.sleep(poll)

    async def disk_usage(self, deadline: float = SLOW) -> DockerDisk:
        """The engine's disk. Slow: the engine walks its layers and volumes."""
        return disk_from(await self._engine.call(lambda client: client.df(), deadline))

    async def exec(self, container_id: str, argv: Sequence[str], deadline: float, max_bytes: int = 1 << 20) -> ExecResult:
        """Run a program inside, without a shell or terminal. At the deadline only our side is closed: bound it inside too."""
        created = await self._engine.call(lambda client: client.exec_create(container_id, list(argv)), self._deadline)
        run = str(created["Id"])
        output = ByteCollector(max_bytes)
        async with within(DOCKER, deadline):
            await self._collect(run, output, deadline)
        ended = await self._engine.call(lambda client: client.exec_inspect(run), self._deadline)
        code = ended.get("ExitCode")
        if code is None:
            raise Rejected(SYSTEM, "the engine gives no exit code")
        return ExecResult(int(code), output.kept("stdout"), output.kept("stderr"), output.clipped)

    async def logs(self, container_id: str, window: LogWindow) -> LogStream:
        """The lines of a container's log in the window. Iterate it to the end or ``aclose`` it."""
        service = await self.container(container_id)
        return log_stream(service, await self.log_bytes(service, window), window)

    async def log_bytes(self, service: Service, window: LogWindow) -> Opened:
        """The log as the engine sends it: what opens the stream; its errors are the transport's own."""
        if window.follow:
            return self._streams.get(await self._log_path(service), window.query(), None)
        return await self.log_wrapped(service, window, Dechunker())

    async def log_wrapped(
        self, service: Service, window: LogWindow, unwrapping: Unwrapping[Taken], **exactly: str
    ) -> AbstractAsyncContextManager[AsyncIterator[Taken]]:
        """The same, as ``unwrapping`` takes it out of its HTTP chunks. ``exactly`` is asked as it stands."""
        asked = Asked(await self._log_path(service), window.query() | exactly, window.idle)
        return self._streams.gulps(asked, unwrapping)

    async def _log_path(self, service: Service) -> str:
        return f"/v{await self._engine.version(self._deadline)}/containers/{service.container_id}/logs"

    async def _collect(self, run: str, output: ByteCollector, deadline: float) -> None:
        version = await self._engine.version(self._deadline)
        splitter = FrameSplitter(output, stamped=False)
        try:
            async with self._streams.post(f"/v{version}/exec/{run}/start", {"Detach": False, "Tty": False}, deadline) as chunks:
                async for chunk in chunks:
                    splitter.feed(chunk)
            splitter.rest()
        except FrameError as error:
            raise Rejected(SYSTEM, describe(error)) from error

    async def _stays_cut_off(self, container_id: str) -> None:
        """An engine that starts a container without any network puts it back into its own: that is for ``rejoin`` alone to do."""
        standing = await self.networks.standing("", container_id)
        if standing.cut_off:
            raise Conflict("error.cut_off", name=standing.container_name)

    async def _service_or_none(self, container_id: str) -> Service | None:
        """None when it was removed between listing and looking."""
        try:
            return await self.container(container_id)
        except NotFound:
            return None

    async def _listed(self) -> list[Json]:
        label = f"{PROJECT_LABEL}={self._project}" if self._project else PROJECT_LABEL
        listed = await self._engine.call(lambda client: client.containers(all=True, filters={"label": [label]}), self._deadline)
        entries = [cast(Json, entry) for entry in listed if _labels(entry).get(ONEOFF_LABEL, "False") != "True"]
        project = self._project or _only_project(entries)
        return [entry for entry in entries if _labels(entry).get(PROJECT_LABEL) == project and SERVICE_LABEL in _labels(entry)]


def _labels(entry: Mapping[str, Any]) -> Mapping[str, str]:
    return cast(Mapping[str, str], entry.get("Labels") or {})


def _only_project(entries: Sequence[Mapping[str, Any]]) -> str:
    """The one project that has the service that makes a VCC deployment; Conflict when that is not exactly one."""
    projects = sorted({_labels(entry)[PROJECT_LABEL] for entry in entries if _labels(entry).get(SERVICE_LABEL) == MARK_SERVICE})
    if not projects:
        raise Conflict("error.project_missing", service=MARK_SERVICE)
    if len(projects) > 1:
        raise Conflict("error.project_ambiguous", projects=", ".join(projects))
    return projects[0]


def _well(service: Service, stable: float) -> bool:
    if not service.running:
        return False
    if service.health:
        return service.health == "healthy"
    return service.started_at is not None and time.time() - service.started_at >= stable
