"""Docker Engine API: who the engine is, disk use, networks and volumes."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from pathlib import Path
from typing import Any

import psutil
from aiohttp import web

from bot.sandbox import shapes
from bot.sandbox.api_common import (
    API_VERSION,
    ENGINE_VERSION,
    LOWEST_API_VERSION,
    DockerError,
    Routes,
    engine_of,
    filters_of,
    json_answer,
    labels_match,
)
from bot.sandbox.api_images import cache_shape, image_shape
from bot.sandbox.container import Container
from bot.sandbox.engine import Engine
from bot.sandbox.json_log import stamp
from bot.sandbox.layout import PROJECT
from bot.sandbox.services import NETWORK, Mount


async def ping(request: web.Request) -> web.Response:
    headers = {"Docker-Experimental": "false", "Builder-Version": "1", "Cache-Control": "no-cache", "Swarm": "inactive"}
    return web.Response(text="" if request.method == "HEAD" else "OK", headers=headers)


async def version(request: web.Request) -> web.Response:
    return json_answer(
        {
            "Platform": {"Name": "VCC sandbox"},
            "Version": ENGINE_VERSION,
            "ApiVersion": API_VERSION,
            "MinAPIVersion": LOWEST_API_VERSION,
            "Os": "linux",
            "Arch": "amd64",
            "KernelVersion": platform.release(),
            "Components": [{"Name": "Engine", "Version": ENGINE_VERSION, "Details": {"ApiVersion": API_VERSION}}],
        }
    )


async def info(request: web.Request) -> web.Response:
    engine = engine_of(request)
    states = [one.state.status for one in engine.containers]
    return json_answer(
        {
            "ID": "vcc-sandbox",
            "Name": platform.node(),
            "Containers": len(states),
            "ContainersRunning": states.count("running"),
            "ContainersPaused": states.count("paused"),
            "ContainersStopped": len(states) - states.count("running") - states.count("paused"),
            "Images": len(engine.catalogue.images),
            "Driver": "overlay2",
            "LoggingDriver": "json-file",
            "DockerRootDir": str(engine.layout.docker),
            "ServerVersion": ENGINE_VERSION,
            "OperatingSystem": "VCC sandbox (processes, no containers)",
            "OSType": "linux",
            "Architecture": platform.machine(),
            "KernelVersion": platform.release(),
            "NCPU": psutil.cpu_count() or 1,
            "MemTotal": psutil.virtual_memory().total,
            "SystemTime": stamp(time.time_ns()),
            "Swarm": {"LocalNodeState": "inactive"},
            "Warnings": [],
            "Labels": [],
        }
    )


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            total += path.lstat().st_size if path.exists() else 0
    return total


def _mounts(engine: Engine) -> list[Mount]:
    return list({mount.volume: mount for container in engine.containers for mount in container.service.mounts}.values())


def _volume(mount: Mount, engine: Engine) -> dict[str, Any]:
    return {
        "Name": mount.volume,
        "Driver": "local",
        "Mountpoint": str(mount.source),
        "CreatedAt": shapes.moment(min(one.created_at for one in engine.containers)),
        "Labels": {"com.docker.compose.project": PROJECT, "com.docker.compose.volume": mount.volume.removeprefix(f"{PROJECT}_")},
        "Scope": "local",
        "Options": None,
    }


def _used_volumes(engine: Engine) -> list[dict[str, Any]]:
    return [{**_volume(mount, engine), "UsageData": {"RefCount": 1, "Size": _size(mount.source)}} for mount in _mounts(engine)]


async def disk_use(request: web.Request) -> web.Response:
    engine = engine_of(request)
    in_use = engine.images_in_use()
    return json_answer(
        {
            "LayersSize": sum(image.size for image in engine.catalogue.images),
            "Images": [image_shape(image, in_use) for image in engine.catalogue.images],
            "Containers": [{**shapes.summary(one), "SizeRw": 0, "SizeRootFs": 0} for one in engine.containers],
            "Volumes": await asyncio.to_thread(_used_volumes, engine),
            "BuildCache": [cache_shape(record) for record in engine.catalogue.cache],
            "BuilderSize": sum(record.size for record in engine.catalogue.cache),
        }
    )


async def list_volumes(request: web.Request) -> web.Response:
    engine, wanted = engine_of(request), filters_of(request)
    volumes = [_volume(mount, engine) for mount in _mounts(engine)]
    found = [
        one
        for one in volumes
        if labels_match(one["Labels"], wanted.get("label", [])) and all(text in one["Name"] for text in wanted.get("name", []))
    ]
    return json_answer({"Volumes": found, "Warnings": None})


async def inspect_volume(request: web.Request) -> web.Response:
    engine, name = engine_of(request), request.match_info["volume"]
    for mount in _mounts(engine):
        if mount.volume == name:
            return json_answer(_volume(mount, engine))
    raise DockerError(404, f"get {name}: no such volume")


async def list_networks(request: web.Request) -> web.Response:
    wanted = filters_of(request)
    network = shapes.network_inspection(engine_of(request).containers)
    fits = labels_match(network["Labels"], wanted.get("label", [])) and all(text in NETWORK for text in wanted.get("name", []))
    return json_answer([network] if fits else [])


def _require_network(request: web.Request) -> None:
    name = request.match_info["network"]
    if name != NETWORK and not shapes.network_id(NETWORK).startswith(name):
        raise DockerError(404, f"network {name} not found")


async def inspect_network(request: web.Request) -> web.Response:
    _require_network(request)
    return json_answer(shapes.network_inspection(engine_of(request).containers))


async def _member(request: web.Request) -> Container:
    _require_network(request)
    name = str((await request.json()).get("Container", ""))
    container = engine_of(request).find(name)
    if container is None:
        raise DockerError(404, f"No such container: {name}")
    return container


async def connect(request: web.Request) -> web.Response:
    container = await _member(request)
    if NETWORK in container.networks:
        raise DockerError(403, f"endpoint with name {container.service.container_name} already exists in network {NETWORK}")
    container.join(NETWORK)
    return web.Response(status=200)


async def disconnect(request: web.Request) -> web.Response:
    container = await _member(request)
    if NETWORK not in container.networks:
        raise DockerError(403, f"container {container.id} is not connected to network {NETWORK}")
    container.leave(NETWORK)
    return web.Response(status=200)


async def prune_networks(request: web.Request) -> web.Response:
    return json_answer({"NetworksDeleted": None})  # the only network is the project's own


async def prune_volumes(request: web.Request) -> web.Response:
    return json_answer({"VolumesDeleted": [], "SpaceReclaimed": 0})  # every volume is mounted


async def prune_containers(request: web.Request) -> web.Response:
    """Never the project's own, stopped or not: nothing here could make them again."""
    return json_answer({"ContainersDeleted": None, "SpaceReclaimed": 0})


ROUTES: Routes = (
    ("GET", "/_ping", ping),
    ("HEAD", "/_ping", ping),
    ("GET", "/version", version),
    ("GET", "/info", info),
    ("GET", "/system/df", disk_use),
    ("GET", "/volumes", list_volumes),
    ("GET", "/volumes/{volume}", inspect_volume),
    ("POST", "/volumes/prune", prune_volumes),
    ("GET", "/networks", list_networks),
    ("GET", "/networks/{network}", inspect_network),
    ("POST", "/networks/prune", prune_networks),
    ("POST", "/networks/{network}/connect", connect),
    ("POST", "/networks/{network}/disconnect", disconnect),
    ("POST", "/containers/prune", prune_containers),
)
