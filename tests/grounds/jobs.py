"""Jobs in a deployment's queue: made, followed to their end, and checked to have been done exactly once."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from tests.bull import Bull
from tests.grounds.ground import Ground
from tests.parts import wait_until

ENDED = frozenset({"completed", "failed"})
STARTED = re.compile(r"^Job (\d+) started processing$", re.MULTILINE)
FINISHED = re.compile(r"^Job (\d+) (?:completed successfully|failed: )", re.MULTILINE)


@dataclass(frozen=True)
class Made:
    """A job by Bull's id and by the application's own; ``since`` is when it was made."""

    mongo_ids: Mapping[str, str]
    since: float

    @property
    def ids(self) -> Sequence[str]:
        return list(self.mongo_ids)


@dataclass(frozen=True)
class Jobs:
    """The image queue of one ground."""

    ground: Ground
    bull: Bull

    def make(self, count: int, milliseconds: int = 1000) -> Made:
        """So many jobs, before all others in line, of about a second each."""
        since = time.time()
        own = [str(ObjectId()) for _ in range(count)]
        user = str(ObjectId())
        data: list[dict[str, Any]] = [
            {"jobId": one, "ms": milliseconds, "workboardData": {}, "inputData": {"prompt": "고양이", "userId": user}} for one in own
        ]
        ids = self.bull.add(*data, priority=1, attempts=3, backoff={"type": "exponential", "delay": 1000})
        return Made(dict(zip(ids, own, strict=True)), since)

    def failing(self) -> Made:
        """One job that fails for good (only the stack's backend does as the data says)."""
        since = time.time()
        (one,) = self.bull.add({"fail": True, "ms": 1}, priority=1, attempts=1)
        return Made({one: str(ObjectId())}, since)

    @contextlib.contextmanager
    def endless(self) -> Iterator[str]:
        """A job taken by a worker that lives and never ends it; gone with the block. The queue must be paused before."""
        (job,) = self.bull.add({}, priority=1)
        prefix = f"bull:{self.bull.queue}:"
        with self.ground.redis() as client:
            # Bull's own step for taking a job, but for the worker.
            assert client.lrem(f"{prefix}paused", 1, job) == 1
            client.zrem(f"{prefix}priority", job)
            client.lpush(f"{prefix}active", job)
            client.set(f"{prefix}{job}:lock", "a worker of the test", ex=120)
            try:
                yield job
            finally:
                client.delete(f"{prefix}{job}:lock")
                self.bull.run("remove", id=job)

    def counts(self) -> dict[str, Any]:
        """Bull's own figures."""
        return self.bull.counts()

    def wait_active(self, at_least: int = 1) -> None:
        """Until so many jobs are being worked on."""
        wait_until(lambda: self._active() >= at_least, "jobs are active")

    def wait_idle(self) -> None:
        """Until nothing is being worked on."""
        wait_until(lambda: self._active() == 0, "no job is active")

    def _active(self) -> int:
        with self.ground.redis() as client:
            length: Any = client.llen(f"bull:{self.bull.queue}:active")
        return int(length)

    def wait_ended(self, made: Made, seconds: float = 90.0) -> dict[str, str | None]:
        """Until each has completed or failed for good; how."""

        def ended() -> bool:
            return set(self.bull.run("states", ids=made.ids).values()) <= ENDED

        wait_until(ended, f"{len(made.ids)} jobs end", seconds=seconds, every=0.5)
        states: dict[str, str | None] = self.bull.run("states", ids=made.ids)
        return states

    def check_once(self, made: Made) -> None:
        """Each job ended, drew one picture if it completed and none if not, and no attempt was cut off and done over."""
        states = self.wait_ended(made)
        with self.ground.mongo() as client:
            images = client["vcc-manager"]["generatedimages"]
            drawn = {one: images.count_documents({"jobId": ObjectId(own)}) for one, own in made.mongo_ids.items()}
        assert drawn == {one: int(state == "completed") for one, state in states.items()}
        log = self.ground.log("backend", since=int(made.since))
        started, finished = Counter(STARTED.findall(log)), Counter(FINISHED.findall(log))
        assert {one: started[one] for one in made.ids} == {one: finished[one] for one in made.ids}
        assert all(started[one] for one in made.ids)
