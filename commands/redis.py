"""``redis``: the Redis server judged by what Bull needs, its slow commands, and what fills it. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from bot.command import Between, Group
from bot.context import Context
from bot.figures import NONE, Figures
from bot.model import Progress, Reply, Risk, Table, Tone
from bot.ops.log_text import LogText
from bot.ops.redis_keys import OTHERS, KeyFamily, KeyReport
from bot.ops.redis_server import RedisInfo
from bot.ops.redis_slowlog import SlowCommand
from bot.ops.telling import Telling, tone
from bot.ops.verdict import redis_problems

group = Group("redis", default="info")
_LOOKING = 25.0
_KEY = 80
_STOPS_THE_SERVER = frozenset({"KEYS", "FLUSHALL", "FLUSHDB", "SORT", "DEBUG SLEEP"})


@group.command("info", Risk.READ, timeout=10, examples=("redis info",))
async def info(ctx: Context) -> Reply:
    """The server at this moment."""
    found = await ctx.ops.redis.info()
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    problems = tuple(sorted(redis_problems(found), key=lambda problem: -problem.severity))
    telling = Telling(ctx.words, figures)
    raw = {"memory_percent": found.memory_percent, "fragmentation_verdict": found.fragmentation_verdict}
    return Reply(
        title=ctx.words("redis.title_bad" if problems else "redis.title_good", took=figures.milliseconds(found.latency_ms)),
        text=telling.lines(problems),
        tone=tone(problems),
        fields=tuple((ctx.words(f"redis.field.{name}"), value) for name, value in _fields(ctx, figures, found)),
        data={**asdict(found), **raw, "problems": telling.data(problems)},
    )


def _fields(ctx: Context, figures: Figures, found: RedisInfo) -> tuple[tuple[str, str], ...]:
    words, size = ctx.words, figures.size
    limit = words("redis.no_limit") if not found.maxmemory else f"{size(found.maxmemory)} ({figures.percent(found.memory_percent)})"
    ratio = f"{found.fragmentation:.2f} ({size(found.used_memory_rss)})"
    return (
        ("version", found.version),
        ("uptime", figures.duration(found.uptime_s)),
        ("memory", words("redis.memory", used=size(found.used_memory), peak=size(found.used_memory_peak), limit=limit)),
        ("fragmentation", f"{ratio} — {words(f'redis.fragmentation.{found.fragmentation_verdict}')}"),
        ("policy", f"{found.policy or NONE} — {words(f'redis.policy.{_policy(found)}')}"),
        ("persistence", _persistence(ctx, figures, found)),
        ("clients", words("redis.clients", clients=found.clients, blocked=found.blocked_clients)),
        ("load", words("redis.load", operations=found.ops_per_sec, keys=figures.count(found.keys))),
        ("lost", words("redis.lost", evicted=found.evicted_keys, rejected=found.rejected_connections)),
    )


def _policy(found: RedisInfo) -> str:
    if found.policy_recommended:
        return "recommended"
    return "acceptable" if found.policy_ok_for_bull else "loses_jobs"


def _persistence(ctx: Context, figures: Figures, found: RedisInfo) -> str:
    """Whether the queues outlive a restart."""
    words = ctx.words
    aof = "off" if not found.aof_enabled else "on" if found.aof_last_write_ok else "failing"
    saved = figures.moment(found.last_save) if found.last_save else NONE
    told = words("redis.persistence", aof=words(f"redis.aof.{aof}"), saved=saved)
    return f"{told} — {words(f'redis.kept.{aof}', changes=figures.count(found.changes_since_save))}"


@group.command("slowlog", Risk.READ, timeout=10, examples=("redis slowlog", "redis slowlog --limit 50"))
async def slowlog(ctx: Context, *, limit: Annotated[int, Between(1, 100)] = 15) -> Reply:
    """The newest slow commands: name and key, never what was sent along."""
    found = await ctx.ops.redis.slow_log(limit)
    words = ctx.words
    figures = Figures(words.language, ctx.settings.vcc_tz)
    text = LogText(ctx.settings.secrets)
    threshold = NONE if found.threshold is None else figures.milliseconds(found.threshold * 1000)
    key = "redis.slow_title" if found.entries else "redis.slow_none"
    stopping = sorted({each.command for each in found.entries} & _STOPS_THE_SERVER)
    notes = [words("redis.slow_stops", names=", ".join(stopping))] if stopping else []
    return Reply(
        title=words(key, count=len(found.entries), remembered=figures.count(found.remembered), threshold=threshold),
        text="\n".join((*notes, words("redis.slow_note"))),
        tone=Tone.WARN if stopping else Tone.NEUTRAL,
        tables=(_slow(ctx, figures, text, found.entries),) if found.entries else (),
        data={
            "threshold": found.threshold,
            "remembered": found.remembered,
            "entries": [{**asdict(each), "key": text.line(each.key), "client": text.line(each.client)} for each in found.entries],
        },
    )


def _slow(ctx: Context, figures: Figures, text: LogText, entries: Sequence[SlowCommand]) -> Table:
    now = ctx.clock()
    rows = tuple(
        (figures.clock(each.at, now), figures.milliseconds(each.seconds * 1000), text.line(each.command), text.line(each.key, _KEY) or NONE)
        for each in entries
    )
    return Table(tuple(ctx.words(f"redis.column.{name}") for name in ("at", "took", "command", "key")), rows)


@group.command("keys", Risk.READ, timeout=60, examples=("redis keys", "redis keys --limit 30"))
async def keys(ctx: Context, *, limit: Annotated[int, Between(1, 100)] = 15) -> Reply:
    """The families of keys that take the most memory."""
    words = ctx.words
    figures = Figures(words.language, ctx.settings.vcc_tz)

    def say(seen: int, total: int) -> None:
        ctx.say(Progress(words("redis.keys_reading"), min(seen, total), total, words("redis.keys_unit")))

    found = await ctx.ops.redis.key_families(_LOOKING, say)
    page = _Families(ctx, figures)
    shown = found.families[:limit]
    total = sum(each.bytes for each in found.families)
    title = words("redis.keys_title" if shown else "redis.keys_none", count=figures.count(found.seen), size=figures.size(total))
    return Reply(
        title=title,
        text="\n".join(page.notes(found, len(shown))),
        tone=Tone.NEUTRAL if found.complete else Tone.WARN,
        tables=(page.table(shown),) if shown else (),
        data={
            "seen": found.seen,
            "total": found.total,
            "complete": found.complete,
            "families_total": len(found.families),
            "families": [page.raw(each) for each in shown],
        },
    )


class _Families:
    """Families as rows, and raw; and how far their sizes can be believed."""

    def __init__(self, ctx: Context, figures: Figures) -> None:
        self._words = ctx.words
        self._figures = figures
        self._text = LogText(ctx.settings.secrets)

    def notes(self, found: KeyReport, shown: int) -> list[str]:
        """What was not looked at, and what is an estimate."""
        words, count = self._words, self._figures.count
        measured = sum(each.measured for each in found.families)
        notes = [] if found.complete else [words("redis.keys_partial", seen=count(found.seen), total=count(found.total))]
        if measured < found.seen:
            notes.append(words("redis.keys_estimated", measured=count(measured)))
        if shown < len(found.families):
            notes.append(words("redis.keys_more", count=count(len(found.families) - shown)))
        return notes

    def table(self, shown: Sequence[KeyFamily]) -> Table:
        """One row for each family; a size that is an estimate says so."""
        columns = tuple(self._words(f"redis.column.{name}") for name in ("family", "count", "size", "type"))
        return Table(columns, tuple(self._row(each) for each in shown))

    def _row(self, each: KeyFamily) -> tuple[str, ...]:
        size = self._figures.size(each.bytes)
        told = size if each.measured >= each.count else self._words("redis.about", size=size)
        name = self._words("redis.keys_others") if each.name == OTHERS else self._text.line(each.name, _KEY)
        return (name, self._figures.count(each.count), told, ", ".join(each.kinds) or NONE)

    def raw(self, each: KeyFamily) -> dict[str, object]:
        """For ``--json``."""
        return {**asdict(each), "name": self._text.line(each.name), "kinds": list(each.kinds)}
