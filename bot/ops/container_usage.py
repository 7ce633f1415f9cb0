"""What running containers take: their counters read twice, at once or since a reading before. Knows no compose project.

An engine such as 20.10 reads counters once a second only, and answers when it does: two readings of its can take two seconds.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from docker.api.client import APIClient

from bot.errors import NotFound
from bot.ops.container_engine import Engine
from bot.ops.container_parse import usage_from
from bot.ops.container_values import Sampled, Service, Usage

Json = dict[str, Any]
SAMPLE_GAP = 0.25  # seconds
RECENT = 75.0  # seconds: whoever measures again and again does so every half minute
YOUNG = 10.0  # seconds: after a reading so young none is remembered
ONE_SHOT_SINCE = (1, 41)


class _Reading(NamedTuple):
    """Processor time of a container that began at ``started_at``."""

    at: float
    started_at: float | None
    cpu: Json


class Usages:
    """Readings of one engine. Two of each container are remembered for a while: who has little time needs one more only."""

    def __init__(self, engine: Engine, deadline: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._deadline = deadline
        self._ticks = ticks
        self._recent: dict[str, tuple[_Reading, ...]] = {}

    async def now(self, running: Sequence[Service], within: float = math.inf) -> tuple[Usage, ...]:
        """Measured side by side; without those that stopped meanwhile. See ``Containers.stats``."""
        hurry = not math.isinf(within)
        ends = self._ticks() + within
        asked = [self._usage(each, self._remembered(each) if hurry else {}, ends) for each in running]
        found = await asyncio.gather(*asked, return_exceptions=True)
        failed = [each for each in found if isinstance(each, BaseException)]
        usages = tuple(each for each in found if isinstance(each, Usage))
        for failure in failed:
            if not usages or not isinstance(failure, TimeoutError):
                raise failure
        return usages

    async def since(self, running: Sequence[Service], before: Mapping[str, Sampled]) -> tuple[Sampled, ...]:
        """Likewise, with processor time since ``before`` (by container)."""
        found = await asyncio.gather(*(self._measured(each, before.get(each.container_id)) for each in running))
        return tuple(each for each in found if each is not None)

    async def _usage(self, service: Service, before: Json, ends: float) -> Usage | None:
        """None when it stopped meanwhile. The engine's own first sample is used where it gives one. TimeoutError when there was none."""
        first: Json | None = None
        try:
            async with asyncio.timeout(None if math.isinf(ends) else max(0.0, ends - self._ticks())):
                after = first = await self._sample(service)
                before = _own_first(after) or before
                if not before:
                    before = first.get("cpu_stats") or {}
                    await asyncio.sleep(SAMPLE_GAP)
                    after = await self._sample(service)
        except NotFound:
            return None
        except TimeoutError:
            if first is None:
                raise
            return usage_from(service, None, first)
        return usage_from(service, before, after)

    async def _measured(self, service: Service, before: Sampled | None) -> Sampled | None:
        """None when it stopped meanwhile. Over a restart its processor time is not known: the counters began anew."""
        try:
            after = await self._sample(service)
        except NotFound:
            return None
        same = before is not None and before.service.started_at == service.started_at
        return Sampled(service, usage_from(service, before.cpu if before and same else None, after), after.get("cpu_stats") or {})

    async def _sample(self, service: Service) -> Json:
        def read(client: APIClient) -> Json:
            one_shot = _version(client) >= ONE_SHOT_SINCE or None
            return cast(Json, client.stats(service.container_id, stream=False, one_shot=one_shot))

        sample = await self._engine.call(read, self._deadline)
        now = self._ticks()
        self._recent = {each: known for each, known in self._recent.items() if now - known[-1].at < RECENT}
        known = [each for each in self._recent.get(service.container_id, ()) if each.started_at == service.started_at]
        if not known or now - known[-1].at >= YOUNG:
            self._recent[service.container_id] = (*known[-1:], _Reading(now, service.started_at, sample.get("cpu_stats") or {}))
        return sample

    def _remembered(self, service: Service) -> Json:
        """The processor time of the newest reading that is neither too new nor too old to reckon with; empty when there is none."""
        now, known = self._ticks(), self._recent.get(service.container_id, ())
        usable = [each for each in known if SAMPLE_GAP <= now - each.at < RECENT and each.started_at == service.started_at]
        return usable[-1].cpu if usable else {}


def _own_first(after: Json) -> Json:
    before: Json = after.get("precpu_stats") or {}
    return before if before.get("system_cpu_usage") else {}


def _version(client: APIClient) -> tuple[int, ...]:
    return tuple(int(part) for part in str(client.api_version).split("."))
