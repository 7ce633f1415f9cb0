"""Which figures of services are told, and which containers the record knows."""

from __future__ import annotations

from collections.abc import Mapping

from bot.chart import Unit
from bot.ops.named import resolve
from bot.series import Measured, Series

BOTH = {"cpu_percent": Unit.PERCENT, "memory_bytes": Unit.BYTES}
# Of one service there is room to tell everything.
ALL = {
    **BOTH,
    "network_received_per_s": Unit.BYTES_PER_SECOND,
    "network_sent_per_s": Unit.BYTES_PER_SECOND,
    "block_read_per_s": Unit.BYTES_PER_SECOND,
    "block_written_per_s": Unit.BYTES_PER_SECOND,
    "processes": Unit.COUNT,
}
LIMIT = "memory_limit_bytes"


def subjects(known: Mapping[Series, Measured], service: str | None, since: float = 0.0, also: frozenset[str] = frozenset()) -> list[str]:
    """The containers on record since some time, of one service or of all. Usage with the nearest name for one that is neither
    there nor among ``also``, the services there are now."""
    on_record = sorted({series.subject for series, measured in known.items() if series.part == "service" and measured.latest >= since})
    names = sorted({service_of(subject) for subject in on_record} | also)
    if service is None or not names:
        return on_record
    wanted = resolve(names, service)
    return [subject for subject in on_record if service_of(subject) == wanted]


def service_of(subject: str) -> str:
    """The service whose container this is."""
    return subject.partition("#")[0]
