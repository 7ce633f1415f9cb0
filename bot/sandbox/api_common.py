"""What every room of the Docker Engine API needs: the engine at hand, arguments read, names looked up, filters understood."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from bot.sandbox.container import Container
from bot.sandbox.engine import Engine
from bot.sandbox.json_log import parse_stamp

ENGINE = web.AppKey("engine", Engine)
API_VERSION = "1.47"
LOWEST_API_VERSION = "1.24"
ENGINE_VERSION = "27.5.1"
SECOND = 1_000_000_000
STREAM_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2}
SPANS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Routes = Sequence[tuple[str, str, Handler]]
Filters = dict[str, list[str]]


class DockerError(Exception):
    """An answer other than success, with the words Docker uses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def engine_of(request: web.Request) -> Engine:
    return request.app[ENGINE]


def container_of(request: web.Request) -> Container:
    name = request.match_info["name"]
    found = engine_of(request).find(name)
    if found is None:
        raise DockerError(404, f"No such container: {name}")
    return found


def flag(request: web.Request, name: str, default: bool = False) -> bool:
    value = request.query.get(name)
    return default if value is None else value.lower() not in ("", "0", "no", "false", "none")


def number(request: web.Request, name: str, default: float) -> float:
    value = request.query.get(name)
    if value in (None, ""):
        return default
    try:
        return float(str(value))
    except ValueError as problem:
        raise DockerError(400, f"invalid value for {name}: {value}") from problem


def filters_of(request: web.Request) -> Filters:
    """Both forms in use: ``{"label": ["a=b"]}`` and ``{"label": {"a=b": true}}``."""
    text = request.query.get("filters")
    if not text:
        return {}
    try:
        raw = json.loads(text)
        return {name: list(values) for name, values in raw.items()}
    except (ValueError, TypeError, AttributeError) as problem:
        raise DockerError(400, f"invalid filter: {text}") from problem


def labels_match(labels: dict[str, str], wanted: list[str]) -> bool:
    """Every ``name`` or ``name=value`` wanted is there."""
    for one in wanted:
        name, equals, value = one.partition("=")
        if name not in labels or (equals and labels[name] != value):
            return False
    return True


def moment(text: str | None) -> int:
    """Nanoseconds of a time as clients send it: seconds with decimals, an RFC 3339 stamp, or a span back from now. 0 for none."""
    if not text:
        return 0
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        whole, _, decimals = text.partition(".")
        return int(whole) * SECOND + int(f"{decimals:0<9}"[:9])
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)", text)
    if parts and "".join(amount + unit for amount, unit in parts) == text:
        return time.time_ns() - sum(int(float(amount) * SPANS[unit]) for amount, unit in parts)
    try:
        return parse_stamp(text)
    except ValueError as problem:
        raise DockerError(400, f"invalid value for time: {text}") from problem


def frame(stream: str, data: bytes) -> bytes:
    """One piece of a multiplexed stream: its number, three zeros, the length, the bytes."""
    return struct.pack(">BxxxL", STREAM_NUMBERS[stream], len(data)) + data


def json_answer(document: Any, status: int = 200) -> web.Response:
    # The command-line client reads an error only under this very type, without a charset.
    return web.Response(body=json.dumps(document).encode(), status=status, headers={"Content-Type": "application/json"})
