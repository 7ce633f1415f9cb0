"""Signals that are on record already: the newest samples of the history as figures to be judged. Asks no system itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot.alert_signals import Reading, Readings
from bot.ops.verdict import Problem, Severity
from bot.series import Bucket, Series
from bot.services import History

# Older than this a sample says nothing of now: it is missing, and changes nothing.
FRESH = 120.0
_FAILING, _ENOUGH_JOBS = 600.0, 5
# Signal: part and figure of its series.
SERIES: Mapping[str, tuple[str, str]] = {
    "disk.percent": ("disk", "percent"),
    "disk.inodes_percent": ("disk", "inodes_percent"),
    "host.memory_percent": ("host", "memory_percent"),
    "host.cpu_percent": ("host", "cpu_percent"),
    "queue.waiting": ("queue", "waiting"),
    "queue.oldest_waiting_s": ("queue", "oldest_waiting_s"),
    "queue.stalled": ("queue", "stalled"),
    "queue.failure_percent": ("queue", "failed_per_min"),
    "service.memory_percent": ("service", "memory_bytes"),
    "redis.memory_percent": ("redis", "used_memory"),
}
_LIMIT, _FINISHED, _FREE = "memory_limit_bytes", "finished_per_min", "free_bytes"


class Recorded:
    """What the history's newest samples say. ``said`` makes a sentence of a problem."""

    def __init__(self, history: History, said: Callable[[Problem], str], clock: Callable[[], float]) -> None:
        self._history = history
        self._said = said
        self._clock = clock

    async def measure(self) -> Readings:
        """Every signal that is a series, or reckoned from several."""
        now = self._clock()
        fresh = [series for series, measured in (await self._history.known()).items() if now - FRESH <= measured.latest]
        newest = {series: bucket.mean for series, bucket in (await self._history.newest(fresh)).items() if bucket.at >= now - FRESH}
        readings = {signal: self._of_series(signal, newest) for signal in SERIES if signal in _PLAIN}
        readings["service.memory_percent"] = _shares(newest)
        readings["queue.failure_percent"] = await self._failing(fresh, now)
        return {signal: found for signal, found in readings.items() if found}

    def _of_series(self, signal: str, newest: Mapping[Series, float]) -> dict[str, Reading]:
        part, figure = SERIES[signal]
        found = {series: value for series, value in newest.items() if (series.part, series.figure) == (part, figure)}
        return {series.subject: Reading(value, self._text(signal, series, value, newest)) for series, value in found.items()}

    def _text(self, signal: str, series: Series, value: float, newest: Mapping[Series, float]) -> str:
        name = _PLAIN[signal]
        if not name:
            return ""
        values: dict[str, object] = {"percent": value, "path": series.subject, "queue": series.subject, "stalled": round(value)}
        values |= {"waited": value, "free": newest.get(Series(series.part, series.subject, _FREE), 0.0)}
        return self._said(Problem(Severity.WARN, series.part, name, values))

    async def _failing(self, fresh: Sequence[Series], now: float) -> dict[str, Reading]:
        """The share of jobs that failed among those that ended in the last minutes; 0 when too few did to tell."""
        queues = {series.subject for series in fresh if (series.part, series.figure) == ("queue", _FINISHED)}
        wanted = [Series("queue", name, figure) for name in queues for figure in (_FINISHED, "failed_per_min")]
        found = await self._history.read(wanted, now - _FAILING, now + 1, 30)
        readings = {}
        for name in sorted(queues):
            ended, failed = (_per_minute(found[Series("queue", name, figure)]) for figure in (_FINISHED, "failed_per_min"))
            enough = ended * _FAILING / 60 >= _ENOUGH_JOBS
            readings[name] = Reading(100 * failed / ended if enough else 0.0)
        return readings


# Signals that are a series as it stands, with the problem that says them.
_PLAIN: Mapping[str, str] = {
    "disk.percent": "disk",
    "disk.inodes_percent": "inodes",
    "host.memory_percent": "memory",
    "host.cpu_percent": "",
    "queue.waiting": "",
    "queue.oldest_waiting_s": "queue_slow",
    "queue.stalled": "queue_stalled",
}


def _shares(newest: Mapping[Series, float]) -> dict[str, Reading]:
    """Memory of containers that have a limit."""
    shares = {}
    for series, used in newest.items():
        limit = newest.get(Series(series.part, series.subject, _LIMIT), 0.0)
        if (series.part, series.figure) == SERIES["service.memory_percent"] and limit:
            shares[series.subject] = Reading(100 * used / limit)
    return shares


def _per_minute(buckets: Sequence[Bucket]) -> float:
    """The mean over the whole time, where nothing was measured nothing ended."""
    return sum(bucket.mean * bucket.span for bucket in buckets) / _FAILING
