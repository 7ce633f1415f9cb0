"""What ``status`` shows: short fields and the table of services, each with what changed lately. Asks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.chart import Unit
from bot.context import Context
from bot.errors import VccError
from bot.figures import NONE, Figures
from bot.model import Table, Tone
from bot.ops.bull_values import QueueStatus
from bot.ops.container_values import Service, Usage
from bot.ops.host import FileSystem
from bot.ops.overview import Overview
from bot.ops.trend import DAY, Course, Growth
from bot.ops.trend_telling import UNCHANGED, TrendTelling
from bot.ops.verdict import label
from commands.status.hints import MEMORY, MONGODB, REDIS, Hints, fullest

_SIGNS = {Tone.GOOD: "✔", Tone.WARN: "!", Tone.BAD: "✘"}
# A disk that is full within so many days is told so at a glance.
_SOON = 60.0


class Page:
    """The fields and the table, as far as there are answers."""

    def __init__(self, ctx: Context, seen: Overview, hints: Hints, growths: Mapping[str, Growth]) -> None:
        self._words = ctx.words
        self._figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._telling = TrendTelling(ctx.words, self._figures)
        self._seen = seen
        self._hints = hints
        self._growths = growths

    def fields(self, open_tickets: Sequence[int] | None, backups: str) -> tuple[tuple[str, str], ...]:
        """Short, in the order of interest; ``backups`` is told already."""
        parts = [
            ("host", self._host()),
            ("disk", self._disk()),
            ("mongodb", self._mongodb()),
            ("redis", self._redis()),
            ("queues", self._queues()),
            ("health", self._health()),
            ("backup", backups),
        ]
        if open_tickets:
            parts.append(("approvals", " ".join(f"#{number}" for number in open_tickets)))
        return tuple((self._words(f"status.field.{name}"), text) for name, text in parts)

    def _unmeasured(self) -> str:
        """Nothing to measure in what does not run; or it could not be measured in time."""
        return self._unknown() if isinstance(self._seen.usage, VccError) else NONE

    def _unknown(self) -> str:
        return self._words("status.unknown")

    def _host(self) -> str:
        host, figures = self._seen.host, self._figures
        if isinstance(host, VccError):
            return self._unknown()
        change = self._since_an_hour(Unit.PERCENT, host.memory_percent, self._hints.hour_ago.get(MEMORY))
        memory = figures.percent(host.memory_percent) + change
        return self._words("status.host", cpu=figures.percent(host.cpu_percent), memory=memory, load=f"{host.load[0]:.2f}")

    def _disk(self) -> str:
        if isinstance(self._seen.host, VccError):
            return self._unknown()
        return " · ".join(self._file_system(entry) for entry in fullest(self._seen.host)) or NONE

    def _file_system(self, entry: FileSystem) -> str:
        """Its use, and where it is going when that is known and worth a word."""
        growth, told = self._growths[entry.path], f"{entry.path} {self._figures.percent(entry.percent)}"
        if growth.per_day is None or growth.course is Course.STABLE:
            return told
        change = self._telling.change(Unit.BYTES, growth.per_day, 0.0)
        if growth.days_until_full is None or growth.days_until_full > _SOON:
            return f"{told} ({self._words('status.per_day', change=change)})"
        return f"{told} ({self._words('status.full_in', change=change, left=self._figures.duration(growth.days_until_full * DAY))})"

    def _since_an_hour(self, unit: Unit, now: float, before: float | None) -> str:
        """The change since an hour ago in brackets; nothing when there is none to tell."""
        change = self._telling.change(unit, now, before)
        return "" if change in (NONE, UNCHANGED) else f" ({self._words('status.hour', change=change)})"

    def _mongodb(self) -> str:
        ping = self._seen.mongodb
        if isinstance(ping, VccError):
            return self._unknown()
        took = self._figures.milliseconds(ping.latency_ms)
        told = self._words("status.mongodb", version=ping.version, took=took, connections=ping.connections)
        if not ping.full:
            return told
        change = self._since_an_hour(Unit.BYTES, ping.resident_bytes, self._hints.hour_ago.get(MONGODB))
        return f"{told} · {self._figures.size(ping.resident_bytes)}{change}"

    def _redis(self) -> str:
        info = self._seen.redis
        if isinstance(info, VccError):
            return self._unknown()
        change = self._since_an_hour(Unit.BYTES, info.used_memory, self._hints.hour_ago.get(REDIS))
        took, memory = self._figures.milliseconds(info.latency_ms), self._figures.size(info.used_memory)
        return self._words("status.redis", version=info.version, took=took, memory=memory + change)

    def _queues(self) -> str:
        queues = self._seen.queues
        if isinstance(queues, VccError):
            return self._unknown()
        return "\n".join(self._queue(queue) for queue in queues) or NONE

    def _queue(self, queue: QueueStatus) -> str:
        count = queue.waiting + queue.paused
        waiting = f"{count}{self._since_an_hour(Unit.COUNT, count, self._hints.waiting(queue.name))}"
        return self._words(
            "status.queue", name=queue.name, waiting=waiting, active=queue.active, delayed=queue.delayed, failed=queue.failed
        )

    def _health(self) -> str:
        if isinstance(self._seen.health, VccError):
            return self._unknown()
        return " ".join(f"{each.name} {_SIGNS[Tone.GOOD if each.up else Tone.BAD]}" for each in self._seen.health) or NONE

    def tables(self, now: float) -> tuple[Table, ...]:
        """The services, one container a line; none when Docker does not answer."""
        if isinstance(self._seen.services, VccError) or not self._seen.services:
            return ()
        usage = by_container(self._seen)
        names = ("service", "state", "health", "restarts", "uptime", "cpu", "memory")
        rows = tuple(self._row(service, usage.get(service.container_id), now) for service in self._seen.services)
        return (Table(tuple(self._words(f"status.column.{name}") for name in names), rows),)

    def _row(self, service: Service, usage: Usage | None, now: float) -> tuple[str, ...]:
        figures = self._figures
        up = figures.duration(now - service.started_at) if service.running and service.started_at else NONE
        cpu, memory = (figures.percent(usage.cpu_percent), figures.size(usage.memory_bytes)) if usage else (self._unmeasured(),) * 2
        return (label(service), service.state, service.health or NONE, str(service.restarts), up, cpu, memory)


def by_container(seen: Overview) -> Mapping[str, Usage]:
    return {} if isinstance(seen.usage, VccError) else {usage.container_id: usage for usage in seen.usage}
