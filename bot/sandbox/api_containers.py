"""Docker Engine API: list, inspect, start, stop, restart, kill, wait, pause, top."""

from __future__ import annotations

import asyncio
import signal

from aiohttp import web

from bot.sandbox import shapes, stats
from bot.sandbox.api_common import (
    DockerError,
    Filters,
    Routes,
    container_of,
    engine_of,
    filters_of,
    flag,
    json_answer,
    labels_match,
    number,
)
from bot.sandbox.container import Container


async def list_containers(request: web.Request) -> web.Response:
    wanted = filters_of(request)
    everything = flag(request, "all") or "status" in wanted
    found = [one for one in engine_of(request).containers if (everything or one.active) and _matches(one, wanted)]
    limit = int(number(request, "limit", 0))
    found.reverse()  # Docker lists the newest first
    return json_answer([shapes.summary(one) for one in (found[:limit] if limit > 0 else found)])


def _matches(container: Container, wanted: Filters) -> bool:
    service, state = container.service, container.state
    network_names = {*container.networks, *(shapes.network_id(name) for name in container.networks)}
    tests = {
        "label": lambda values: labels_match(dict(service.labels), values),
        "name": lambda values: any(
            value.removeprefix("^").removesuffix("$").removeprefix("/") in service.container_name for value in values
        ),
        "status": lambda values: state.status in values,
        "id": lambda values: any(container.id.startswith(value) for value in values),
        "health": lambda values: (state.health or "none") in values,
        "ancestor": lambda values: service.image in values,
        "network": lambda values: bool(network_names & set(values)),
        "volume": lambda values: any(mount.volume in values or mount.destination in values for mount in service.mounts),
    }
    unknown = wanted.keys() - tests.keys()
    if unknown:
        raise DockerError(400, f"invalid filter '{min(unknown)}'")
    return all(tests[name](values) for name, values in wanted.items())


async def inspect(request: web.Request) -> web.Response:
    return json_answer(shapes.inspection(container_of(request)))


async def start(request: web.Request) -> web.Response:
    container = container_of(request)
    try:
        await asyncio.shield(container.start())
    except OSError as problem:
        raise DockerError(500, f"failed to create task for container: {problem}") from problem
    return web.Response(status=204)


async def stop(request: web.Request) -> web.Response:
    await asyncio.shield(container_of(request).stop(number(request, "t", 10)))
    return web.Response(status=204)


async def restart(request: web.Request) -> web.Response:
    await asyncio.shield(container_of(request).restart(number(request, "t", 10)))
    return web.Response(status=204)


async def kill(request: web.Request) -> web.Response:
    await container_of(request).kill(_signal_number(request.query.get("signal", "KILL")))
    return web.Response(status=204)


def _signal_number(name: str) -> int:
    if name.isdigit():
        return int(name)
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    try:
        return int(signal.Signals[full])
    except KeyError as problem:
        raise DockerError(400, f"Invalid signal: {name}") from problem


async def changes(request: web.Request) -> web.Response:
    """What was changed in the image's files: these processes have none of their own."""
    container_of(request)
    return json_answer([])


async def pause(request: web.Request) -> web.Response:
    container_of(request).pause()
    return web.Response(status=204)


async def unpause(request: web.Request) -> web.Response:
    container_of(request).unpause()
    return web.Response(status=204)


async def wait(request: web.Request) -> web.Response:
    code = await container_of(request).wait_for_end()
    return json_answer({"StatusCode": code, "Error": None})


async def top(request: web.Request) -> web.Response:
    container = container_of(request)
    if not container.running:
        raise DockerError(409, f"container {container.id} is not running")
    return json_answer(await asyncio.to_thread(stats.process_table, container))


ROUTES: Routes = (
    ("GET", "/containers/json", list_containers),
    ("GET", "/containers/{name}/json", inspect),
    ("GET", "/containers/{name}/top", top),
    ("GET", "/containers/{name}/changes", changes),
    ("POST", "/containers/{name}/start", start),
    ("POST", "/containers/{name}/stop", stop),
    ("POST", "/containers/{name}/restart", restart),
    ("POST", "/containers/{name}/kill", kill),
    ("POST", "/containers/{name}/pause", pause),
    ("POST", "/containers/{name}/unpause", unpause),
    ("POST", "/containers/{name}/wait", wait),
)
