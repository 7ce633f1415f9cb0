"""What the queue adapter answers with, and the names of Bull's keys. Times are seconds since the epoch (UTC)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

PREFIX = "bull"

# Which keys prove that a queue exists, and of which Redis type they are. A job's own hash is none of them.
QUEUE_KEYS = {
    "id": "string",
    "meta-paused": "string",
    "wait": "list",
    "paused": "list",
    "active": "list",
    "delayed": "zset",
    "completed": "zset",
    "failed": "zset",
}

# Where a job of each state has its id, in the order in which Bull's getState looks.
PLACES = {"completed": "completed", "failed": "failed", "delayed": "delayed", "active": "active", "waiting": "wait", "paused": "paused"}
SORTED_SETS = frozenset({"completed", "failed", "delayed"})


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One queue at one moment.

    While a queue is paused its waiting jobs are in ``paused`` and ``waiting`` is 0. ``stalled`` counts active jobs that no
    worker holds a lock for. ``oldest_waiting_at`` is when the oldest job that waits (paused or not) was made.
    """

    name: str
    waiting: int
    active: int
    delayed: int
    completed: int
    failed: int
    paused: int
    is_paused: bool
    stalled: int
    oldest_waiting_at: float | None


@dataclass(frozen=True, slots=True)
class Finished:
    """Jobs that ended after some moment, by what Bull still keeps of them.

    ``at_least`` when ended jobs of that time may be gone already, as Bull keeps only so many; ``whole_since`` is then the moment
    after which none is gone (None when that cannot be told), else the moment asked for.
    """

    completed: int
    failed: int
    at_least: bool
    whole_since: float | None


@dataclass(frozen=True, slots=True)
class Where:
    """Where a job is. ``place`` is Bull's word for the list that holds its id (empty: none does), ``kind`` the type of its key."""

    place: str
    kind: str

    @property
    def known(self) -> bool:
        """Whether anything is left of it."""
        return bool(self.place) or self.kind == "hash"

    @property
    def state(self) -> str | None:
        """As Bull's ``getState``: ``stuck`` when no list holds it, None when there is no job."""
        return (self.place or "stuck") if self.kind == "hash" else None


class Fault(enum.StrEnum):
    """What is wrong with a job's own data; the job may be in a list all the same."""

    NONE = ""
    MISSING = "missing"
    NOT_A_HASH = "not_a_hash"
    HALF = "half"
    NOT_JSON = "not_json"


@dataclass(frozen=True, slots=True)
class Job:
    """One job. What it carries stays out, but for the application's own id of it and the size in bytes.

    ``state`` is Bull's word; ``due_at`` is for delayed ones. ``failed_reason`` is the application's wording: redact it.
    """

    queue: str
    id: str
    state: str
    fault: Fault
    name: str = ""
    made_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    due_at: float | None = None
    attempts_made: int = 0
    attempts: int = 1
    progress: float | None = None
    failed_reason: str = ""
    data_job_id: str | None = None
    data_bytes: int = 0


@dataclass(frozen=True, slots=True)
class JobDetail:
    """One job with all that can be told of it. ``data`` is what it carries, whole or (``data_cut``) its beginning: prompts and keys."""

    job: Job
    locked: bool
    priority: int
    log_lines: int
    stack: str = field(repr=False)
    data: str = field(repr=False)
    data_cut: bool


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs of one state, of ``total``."""

    total: int
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class QueueKeys:
    """The keys of one queue."""

    name: str

    def key(self, part: str) -> str:
        """The full key of a part, such as ``wait``, or of a job by its id."""
        return f"{PREFIX}:{self.name}:{part}"


def queue_of(key: str) -> tuple[str, str] | None:
    """The queue and the part that a key belongs to; None when it is no key that proves a queue."""
    head, _, part = key.rpartition(":")
    prefix, _, name = head.partition(":")
    return (name, part) if prefix == PREFIX and name and part in QUEUE_KEYS else None
