"""A small Docker engine over a unix socket, real HTTP, for odd frames, odd answers and errors.

It has the containers a test gives it and answers as the test tells it to.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Answer = web.StreamResponse | None


def frame(kind: int, payload: bytes) -> bytes:
    """One frame of the engine's stream."""
    return bytes([kind, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def container(service: str, *, project: str = "vcc", number: int = 1, **state: Any) -> Json:
    """What inspect says of a container, as far as it is used."""
    running = state.pop("running", True)
    return {
        "Id": f"{project}-{service}-{number}-id",
        "Name": f"/{project}-{service}-{number}",
        "Image": "sha256:abc",
        "RestartCount": state.pop("restarts", 0),
        "LogPath": "/data/log.json",
        "State": {
            "Status": "running" if running else "exited",
            "Running": running,
            "OOMKilled": state.pop("oom", False),
            "Pid": 42 if running else 0,
            "ExitCode": state.pop("exit_code", 0),
            "StartedAt": state.pop("started_at", "2026-01-22T10:00:00.5Z"),
            "FinishedAt": "0001-01-01T00:00:00Z",
            **({"Health": {"Status": state.pop("health")}} if "health" in state else {}),
        },
        "Config": {
            "Image": f"{project}-{service}",
            "Tty": state.pop("terminal", False),
            "Labels": {
                "com.docker.compose.project": project,
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": str(number),
                "com.docker.compose.oneoff": state.pop("oneoff", "False"),
            },
        },
        "HostConfig": {"LogConfig": {"Type": "json-file"}},
        "NetworkSettings": {
            "Ports": {"3000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "3000"}], "9000/udp": None},
            "Networks": {f"{project}_net": {}},
        },
        "Mounts": [{"Type": "volume", "Name": "uploads", "Source": "/v", "Destination": "/app/uploads", "RW": True}],
    }


@dataclass
class FakeEngine:
    """``containers`` by id. ``logs`` and ``output`` are chunks sent as they are, each flushed; ``asked`` what was called."""

    socket: Path
    containers: dict[str, Json] = field(default_factory=dict)
    logs: list[bytes] = field(default_factory=list)
    log_gap: float = 0.0
    output: list[bytes] = field(default_factory=list)
    output_gap: float = 0.0
    exit_code: int | None = 0
    samples: list[Json] = field(default_factory=list)
    late: dict[str, float] = field(default_factory=dict)
    disk: Json = field(default_factory=dict)
    failure: Callable[[web.Request], Answer] | None = None
    api_version: str = "1.41"
    asked: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    def add(self, *containers: Json) -> None:
        for entry in containers:
            self.containers[entry["Id"]] = entry

    async def handle(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        parts = parts[1:] if parts[0].startswith("v1.") else parts
        self.asked.append(f"{request.method} {'/'.join(parts)}")
        self.queries.append(dict(request.query))
        if request.can_read_body:
            self.bodies.append(await request.json())
        failed = self.failure(request) if self.failure else None
        if failed is not None:
            return failed
        return await self.answer(request, parts)

    async def answer(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        match parts:
            case ["version"]:
                return web.json_response({"ApiVersion": self.api_version, "Version": "20.10"})
            case ["_ping"]:
                return web.Response(text="OK")
            case ["system", "df"]:
                return web.json_response(self.disk)
            case ["containers", "json"]:
                return web.json_response(self.listed(request))
            case ["containers", identity, *rest]:
                return await self.of_container(request, identity, rest)
            case ["exec", _, "start"]:
                return await self.stream(request, self.output, self.output_gap)
            case ["exec", _, "json"]:
                return web.json_response({"ExitCode": self.exit_code, "Running": False})
        return web.json_response({"message": "page not found"}, status=404)

    def listed(self, request: web.Request) -> list[Json]:
        wanted = json.loads(request.query.get("filters", "{}")).get("label", [])
        found = []
        for entry in self.containers.values():
            labels = entry["Config"]["Labels"]
            pairs = [f"{key}={value}" for key, value in labels.items()] + list(labels)
            if all(label in pairs for label in wanted):
                found.append({"Id": entry["Id"], "Labels": labels})
        return found

    async def of_container(self, request: web.Request, identity: str, rest: list[str]) -> web.StreamResponse:
        entry = self.containers.get(identity)
        if entry is None:
            return web.json_response({"message": f"No such container: {identity}"}, status=404)
        match rest:
            case ["json"]:
                return web.json_response(entry)
            case ["stats"]:
                await asyncio.sleep(self.late.get(identity, 0.0))
                return web.json_response(self.samples.pop(0) if len(self.samples) > 1 else self.samples[0])
            case ["logs"]:
                return await self.stream(request, self.logs, self.log_gap)
            case ["exec"]:
                return web.json_response({"Id": "run1"}, status=201)
            case ["restart" | "start" | "stop"]:
                entry["State"]["StartedAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                return web.Response(status=204)
        return web.json_response({"message": "page not found"}, status=404)

    async def stream(self, request: web.Request, chunks: list[bytes], gap: float) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.docker.raw-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for chunk in chunks:
                await response.write(chunk)
                await asyncio.sleep(gap)
        return response


@contextlib.asynccontextmanager
async def fake_engine(directory: Path) -> AsyncIterator[FakeEngine]:
    """An engine that listens for the length of the block."""
    engine = FakeEngine(directory / "docker.sock")
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", engine.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.UnixSite(runner, str(engine.socket)).start()
    try:
        yield engine
    finally:
        await runner.cleanup()
