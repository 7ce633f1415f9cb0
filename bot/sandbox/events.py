"""What happened to the containers, kept for a while and handed live to whoever listens. Knows nothing of HTTP."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

KEPT = 512


class Events:
    """The event stream of one engine, in Docker's JSON shape."""

    def __init__(self) -> None:
        self._past: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()

    def emit(self, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
        now = time.time_ns()
        event = {
            "status": action,
            "id": actor,
            "from": attributes.get("image", ""),
            "Type": kind,
            "Action": action,
            "Actor": {"ID": actor, "Attributes": dict(attributes)},
            "scope": "local",
            "time": now // 1_000_000_000,
            "timeNano": now,
        }
        self._past.append(event)
        for listener in self._listeners:
            listener.put_nowait(event)

    def past(self, since: int, until: int) -> list[dict[str, Any]]:
        """Kept events between two moments in nanoseconds; ``until`` 0 means now."""
        return [event for event in self._past if event["timeNano"] >= since and (not until or event["timeNano"] <= until)]

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
