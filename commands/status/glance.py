"""``status``: the one command of the group. Every part is asked at once, the record beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from bot.context import Context
from bot.errors import VccError
from bot.figures import Figures
from bot.model import Reply, Risk
from bot.ops.container_values import Service, Usage
from bot.ops.health import HealthResult
from bot.ops.overview import DEADLINE, Overview, look, probe
from bot.ops.telling import Telling, tone
from bot.ops.trend_telling import Period, Range
from bot.ops.verdict import Problem, Severity, problems
from commands.status.alerts import raw_alerts, told_alerts
from commands.status.backups import judged, look_at_backups, raw_backups, told, worst_first
from commands.status.group import group
from commands.status.hints import Hints, charts, hints, raw
from commands.status.incidents import raw_incidents, told_incidents
from commands.status.page import Page, by_container


@group.command("status", Risk.READ, timeout=40, examples=("status", "status --range 24h"))
async def status(ctx: Context, *, range: Range | None = None) -> Reply:
    """Everything asked at once; a part that fails is a line of the answer, not the end of it."""
    seen, backups, recorded, tickets, outbox, (alerts, going_on) = await asyncio.gather(
        look(ctx.ops),
        look_at_backups(ctx),
        probe("store", lambda: hints(ctx.services.history, ctx.clock()), DEADLINE),
        probe("store", ctx.services.tickets.open, DEADLINE),
        probe("store", ctx.services.outbox_state, DEADLINE),
        asyncio.gather(
            probe("store", ctx.services.alerts.open, DEADLINE),
            probe("store", ctx.services.incidents.open_ones, DEADLINE),
        ),
    )
    now = ctx.clock()
    figures, found = Figures(ctx.words.language, ctx.settings.vcc_tz), worst_first(problems(seen, now), judged(ctx, backups, now))
    telling = Telling(ctx.words, figures)
    open_tickets = None if isinstance(tickets, VccError) else [ticket.id for ticket in tickets]
    before = Hints() if isinstance(recorded, VccError) else recorded
    growths = before.growths(seen.host)
    page = Page(ctx, seen, before, growths)
    reply = Reply(
        title=_title(ctx, telling, found),
        text=telling.lines(found) or _all_well(ctx, seen),
        tone=tone(found),
        fields=(*page.fields(open_tickets, told(ctx, figures, backups, now)), *told_alerts(ctx, alerts), *told_incidents(ctx, going_on)),
        tables=page.tables(now),
        data={
            "verdict": tone(found).value,
            "problems": telling.data(found),
            **_figures(seen, now),
            "backup": raw_backups(backups, now),
            "trends": raw(before, growths),
            "approvals": {"open": open_tickets},
            "alerts": raw_alerts(alerts),
            "incidents": raw_incidents(going_on),
            "outbox": None if isinstance(outbox, VccError) else [_outbox(*row) for row in outbox],
        },
    )
    return reply if range is None else await _illustrated(ctx, reply, Period.until_now(range, now))


async def _illustrated(ctx: Context, reply: Reply, period: Period) -> Reply:
    """The same with pictures; what must be known about the record stands below."""
    drawn, coverage = await charts(ctx, period)
    reply = replace(reply, footer="\n".join(part for part in (reply.footer, coverage) if part))
    return await ctx.illustrated(reply, "status", *drawn) if drawn else reply


def _title(ctx: Context, telling: Telling, found: Sequence[Problem]) -> str:
    """The verdict; what is worst stands in it, so that a phone's notification tells it."""
    if not found:
        return ctx.words("status.title_good")
    bad = sum(problem.severity is Severity.BAD for problem in found)
    key = "status.title_bad" if bad else "status.title_warn"
    return ctx.words(key, bad=bad, warn=len(found) - bad, worst=telling.sentence(found[0]))


def _all_well(ctx: Context, seen: Overview) -> str:
    services = 0 if isinstance(seen.services, VccError) else len(seen.services)
    return ctx.words("status.all_well", services=services)


def _figures(seen: Overview, now: float) -> dict[str, Any]:
    """The same raw. A part that did not answer is null, and its reason is among the problems."""
    host = None if isinstance(seen.host, VccError) else asdict(seen.host)
    usage = by_container(seen)
    return {
        "services": None if isinstance(seen.services, VccError) else [_service(each, usage, now) for each in seen.services],
        "mongodb": {"up": False} if isinstance(seen.mongodb, VccError) else {"up": True, **asdict(seen.mongodb)},
        "redis": {"up": False} if isinstance(seen.redis, VccError) else {"up": True, **asdict(seen.redis)},
        "queues": None if isinstance(seen.queues, VccError) else [asdict(queue) for queue in seen.queues],
        "disk": host and host.pop("file_systems"),
        "host": host,
        "health": None if isinstance(seen.health, VccError) else [_health(result) for result in seen.health],
    }


def _service(service: Service, usage: Mapping[str, Usage], now: float) -> dict[str, Any]:
    taken = usage.get(service.container_id)
    return {
        "name": service.name,
        "number": service.number,
        "container": service.container_name,
        "image": service.image,
        "state": service.state,
        "health": service.health,
        "restarts": service.restarts,
        "pid": service.pid,
        "started_at": service.started_at,
        "uptime_s": now - service.started_at if service.running and service.started_at else None,
        "cpu_percent": taken.cpu_percent if taken else None,
        "memory_bytes": taken.memory_bytes if taken else None,
    }


def _health(result: HealthResult) -> dict[str, Any]:
    return {"name": result.name, "up": result.up, "status": result.status, "latency_ms": result.latency_ms, "reason": result.reason.value}


def _outbox(platform: str, waiting: int, given_up: int, next_at: float) -> dict[str, Any]:
    return {"platform": platform, "waiting": waiting, "given_up": given_up, "next_at": next_at}
