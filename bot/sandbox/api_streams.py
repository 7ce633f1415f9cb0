"""Docker Engine API: what flows: logs, stats and events."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from aiohttp import web

from bot.sandbox import stats
from bot.sandbox.api_common import (
    SECOND,
    DockerError,
    Filters,
    Routes,
    container_of,
    engine_of,
    filters_of,
    flag,
    frame,
    json_answer,
    moment,
)
from bot.sandbox.container import Container
from bot.sandbox.json_log import Record, Window, read, select

MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
# How often a followed log file is looked at for more.
FOLLOW_INTERVAL = 0.1


def _window(request: web.Request) -> Window:
    streams = frozenset(name for name in ("stdout", "stderr") if flag(request, name))
    if not streams:
        raise DockerError(400, "Bad parameters: you must choose at least one stream")
    tail = request.query.get("tail", "all")
    count = int(tail) if tail.isdigit() else -1
    return Window(moment(request.query.get("since")), moment(request.query.get("until")), count, streams)


def _framed(records: list[Record], stamps: bool) -> bytes:
    return b"".join(frame(one.stream, f"{one.stamp} {one.text}".encode() if stamps else one.text.encode()) for one in records)


async def logs(request: web.Request) -> web.StreamResponse:
    container, window, stamps = container_of(request), _window(request), flag(request, "timestamps")
    # Looked up before the answer begins: whoever follows sees every line written after the call returned.
    records, position = await asyncio.to_thread(select, container.log.path, window)
    response = web.StreamResponse(headers={"Content-Type": MULTIPLEXED})
    await response.prepare(request)
    await response.write(_framed(records, stamps))
    if flag(request, "follow"):
        await _follow(container, window, position, response, stamps)
    await response.write_eof()
    return response


async def _follow(container: Container, window: Window, position: int, response: web.StreamResponse, stamps: bool) -> None:
    """Until the container has ended and all it said was sent, or the window is over, or the client left (a write then fails)."""
    while True:
        active = container.active
        fresh: list[Record] = []
        for record, behind in read(container.log.path, position):
            position = behind
            if window.holds(record):
                fresh.append(record)
        if fresh:
            await response.write(_framed(fresh, stamps))
        elif not active or (window.until and time.time_ns() > window.until):
            return
        await asyncio.sleep(FOLLOW_INTERVAL)


async def container_stats(request: web.Request) -> web.StreamResponse:
    container = container_of(request)
    first = await asyncio.to_thread(stats.sample, container, None)
    if not flag(request, "stream", default=True):
        if flag(request, "one-shot") or not container.running:
            return json_answer(first)
        await asyncio.sleep(1)  # a percentage needs two readings: Docker waits the same second
        return json_answer(await asyncio.to_thread(stats.sample, container, first))
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    reading = first
    while True:
        await response.write(json.dumps(reading).encode() + b"\n")
        await asyncio.sleep(1)
        reading = await asyncio.to_thread(stats.sample, container, reading if container.running and "networks" in reading else None)


async def events(request: web.Request) -> web.StreamResponse:
    since, until, wanted = moment(request.query.get("since")), moment(request.query.get("until")), filters_of(request)
    engine = engine_of(request)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with engine.events.listen() as queue:
        for event in engine.events.past(since, until) if since else []:
            await _tell(response, event, wanted)
        while (left := _seconds_until(until)) is None or left > 0:
            try:
                event = await asyncio.wait_for(queue.get(), left)
            except TimeoutError:
                break
            await _tell(response, event, wanted)
    await response.write_eof()
    return response


def _seconds_until(until: int) -> float | None:
    return (until - time.time_ns()) / SECOND if until else None


async def _tell(response: web.StreamResponse, event: dict[str, Any], wanted: Filters) -> None:
    if _event_matches(event, wanted):
        await response.write(json.dumps(event).encode() + b"\n")


def _event_matches(event: dict[str, Any], wanted: Filters) -> bool:
    attributes = event["Actor"]["Attributes"]
    facts = {
        "type": {event["Type"]},
        "event": {event["Action"], event["Action"].partition(":")[0]},
        "container": {event["Actor"]["ID"], event["Actor"]["ID"][:12], attributes.get("name")},
        "image": {attributes.get("image")},
        "label": {*attributes, *(f"{name}={value}" for name, value in attributes.items())},
    }
    return all(facts.get(name, set()) & set(values) for name, values in wanted.items())


ROUTES: Routes = (
    ("GET", "/containers/{name}/logs", logs),
    ("GET", "/containers/{name}/stats", container_stats),
    ("GET", "/events", events),
)
