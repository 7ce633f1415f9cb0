"""What the MongoDB adapter answers with. Sizes are bytes, times seconds unless the name says milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

# How we name ourselves to the server, and know our own operations among the others'.
APP_NAME = "vcc-ops-bot"


@dataclass(frozen=True, slots=True)
class MongoPing:
    """The server at one moment. ``replica_set`` is None for a standalone; ``primary`` whether it takes writes.

    ``current``, ``available`` and ``active`` connections; ``cache_bytes`` of ``cache_limit_bytes`` are in WiredTiger's
    cache. These are None or 0 when the account may not ask for ``serverStatus`` (``full`` is then false).
    """

    latency_ms: float
    version: str
    uptime_s: int
    connections: int
    connections_available: int
    connections_active: int
    storage_engine: str
    replica_set: str | None
    primary: bool
    resident_bytes: int = 0
    cache_bytes: int = 0
    cache_limit_bytes: int = 0
    full: bool = True


@dataclass(frozen=True, slots=True)
class CollectionCount:
    """How many documents, and whether that was counted (``exact``) or read from the collection's own book-keeping (``estimate``)."""

    name: str
    count: int
    exact: bool
    storage_bytes: int
    index_bytes: int
    data_bytes: int = 0
    indexes: int = 0
    estimate: int = 0


@dataclass(frozen=True, slots=True)
class DatabaseStats:
    """The database as a whole. ``disk_*`` is the file system under it; 0 when the server does not say."""

    name: str
    collections: int
    documents: int
    data_bytes: int
    storage_bytes: int
    index_bytes: int
    disk_used_bytes: int
    disk_total_bytes: int
