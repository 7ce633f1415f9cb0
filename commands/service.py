"""``service``: start, stop and restart compose services without losing jobs. What was seen when it was approved is what is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from bot.command import Between, Duration, Group, ServiceName
from bot.context import Context
from bot.errors import VccError
from bot.figures import NONE, Figures
from bot.line import join
from bot.model import Button, Fact, Outcome, Plan, Progress, Reply, Risk, Table, Tolerance, Tone
from bot.ops import safe_restart
from bot.ops.bull_values import QueueStatus
from bot.ops.container_values import Service
from bot.ops.named import ALL, chosen
from bot.ops.overview import probe
from bot.ops.safe_restart import SafeRestart
from bot.ops.verdict import label

group = Group("service")
# Databases before what uses them, the page people see last.
_ORDER = ("mongodb", "redis", "backend")
_LAST = "frontend"
_WORKER = "backend"
_USED_BY_WORKER = frozenset({"mongodb", "redis"})
_WORKS_ON_QUEUES = _USED_BY_WORKER | {_WORKER}
_START_WITHIN = 150.0
_STEADY_AFTER = 120.0
Wait = Annotated[Duration, Between(10, 600)]
FIVE_MINUTES = Duration(300)


def _lock(service: str) -> tuple[str, ...]:
    return (f"service:{service.lower()}",)


@group.command("start", Risk.CHANGE, timeout=400, examples=("service start backend",), locks=_lock)
async def start(ctx: Context, service: ServiceName) -> Reply:
    """Start what is stopped of a service, and wait until it is well."""
    containers = await chosen(ctx.ops.containers, service)
    stopped = [each for each in containers if not each.running]
    for each in stopped:
        ctx.say(Progress(ctx.words("service.step.start", subject=label(each))))
        await ctx.ops.containers.start(each.container_id)
        await ctx.ops.containers.wait_healthy(each.container_id, _START_WITHIN)
    now = [await ctx.ops.containers.container(each.container_id) for each in containers]
    queues = await probe("redis", lambda: ctx.ops.bull.queues(), 3.0)
    closed = [] if isinstance(queues, VccError) else [queue.name for queue in queues if queue.is_paused]
    return Reply(
        title=ctx.words("service.started" if stopped else "service.already", name=containers[0].name),
        text=ctx.words("service.closed", names=", ".join(closed)) if closed else "",
        tone=Tone.WARN if closed else Tone.GOOD,
        tables=(Table(_columns(ctx, "service", "state", "health", "pid"), tuple(_now(each) for each in now)),),
        buttons=(_resume_button(ctx),) if closed else (),
        data={"started": [label(each) for each in stopped], "services": [_raw(each) for each in now], "paused_queues": closed},
    )


def _now(service: Service) -> tuple[str, ...]:
    return (label(service), service.state, service.health or NONE, str(service.pid))


def _raw(service: Service) -> dict[str, Any]:
    return {"name": service.name, "number": service.number, "state": service.state, "health": service.health, "pid": service.pid}


def _columns(ctx: Context, *names: str) -> tuple[str, ...]:
    return tuple(ctx.words(f"service.column.{name}") for name in names)


def _resume_button(ctx: Context) -> Button:
    return Button(ctx.words("service.resume_button"), "queue resume", "primary")


@dataclass(frozen=True, slots=True)
class _Sight:
    """The live state that a plan is made from. ``queues`` is empty when these services have nothing to do with any."""

    targets: tuple[Service, ...]
    dependents: tuple[Service, ...]
    queues: tuple[QueueStatus, ...]
    unread: VccError | None

    @property
    def names(self) -> tuple[str, ...]:
        """The services, in the order they are taken."""
        return tuple(dict.fromkeys(each.name for each in self.targets))


def _rank(service: Service) -> tuple[int, str, int]:
    first = _ORDER.index(service.name) if service.name in _ORDER else len(_ORDER) + (service.name == _LAST)
    return (first, service.name, service.number)


async def _see(ctx: Context, name: str) -> _Sight:
    everything = await chosen(ctx.ops.containers, None)
    targets = everything if name.lower() == ALL else await chosen(ctx.ops.containers, name)
    names = {each.name for each in targets}
    dependents = tuple(each for each in everything if each.name == _WORKER and _WORKER not in names and _keeps(names))
    if not names & _WORKS_ON_QUEUES:
        return _Sight(tuple(sorted(targets, key=_rank)), dependents, (), None)
    queues = await probe("redis", lambda: ctx.ops.bull.queues(), 3.0)
    unread = queues if isinstance(queues, VccError) else None
    return _Sight(tuple(sorted(targets, key=_rank)), dependents, () if isinstance(queues, VccError) else queues, unread)


async def plan_restart(ctx: Context, service: ServiceName, *, wait: Wait = FIVE_MINUTES, force: bool = False) -> Plan:
    """What would be restarted, and what is going on there now."""
    return await _plan(ctx, await _see(ctx, service), "restart", wait, force)


async def plan_stop(ctx: Context, service: ServiceName, *, wait: Wait = FIVE_MINUTES, force: bool = False) -> Plan:
    """What would be stopped, and what is going on there now."""
    return await _plan(ctx, await _see(ctx, service), "stop", wait, force)


async def _plan(ctx: Context, sight: _Sight, action: str, wait: float, force: bool) -> Plan:
    names = ", ".join(sight.names)
    locks = [f"service:{name}" for name in dict.fromkeys(each.name for each in (*sight.targets, *sight.dependents))]
    return Plan(
        title=ctx.words(f"service.{action}_plan", names=names),
        text=ctx.words(f"service.{action}_text{'' if sight.queues else '_no_queue'}", names=names),
        facts=(*_service_facts(ctx, sight), *_queue_facts(ctx, sight, (wait, force), stays=action == "stop" and _keeps(sight.names))),
        targets=(*locks, *(("queue",) if sight.queues else ())),
        reversible=action == "stop",
        undo=ctx.words(f"service.{action}_undo", names=names),
        warnings=await _warnings(ctx, sight, action, force),
    )


def _loops(service: Service, now: float) -> bool:
    """Whether it dies and comes back by itself all the time: each start is then nothing new, or no approval would ever hold."""
    return service.state == "restarting" or (service.restarts > 0 and now - (service.started_at or now) < _STEADY_AFTER)


def _life(service: Service, now: float) -> list[Any]:
    return [service.container_id, None, None] if _loops(service, now) else [service.container_id, service.started_at, service.restarts]


def _state(service: Service, now: float) -> str:
    return "restarting" if _loops(service, now) else service.state


def _service_facts(ctx: Context, sight: _Sight) -> tuple[Fact, ...]:
    words, figures, now = ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz), ctx.clock()
    targets, dependents = sight.targets, sight.dependents
    names = " → ".join(f"{label(each)} ({each.container_name})" for each in targets)
    starts = " · ".join(
        words(
            "service.start_line",
            name=label(each),
            at=figures.moment(each.started_at),
            ago=figures.since(each.started_at, now),
            n=each.restarts,
        )
        for each in targets
    )
    states = " · ".join(f"{label(each)} {each.state}" for each in targets)
    facts = [
        Fact("containers", words("service.fact.containers"), names, [[each.name, each.container_id] for each in targets]),
        Fact("started", words("service.fact.started"), starts, [_life(each, now) for each in targets]),
        Fact("state", words("service.fact.state"), states, [[each.container_id, _state(each, now)] for each in targets]),
    ]
    if dependents:
        shown = ", ".join(label(each) for each in dependents)
        facts.append(Fact("dependents", words("service.fact.dependents"), shown, [[each.name, each.container_id] for each in dependents]))
    return tuple(facts)


def _keeps(names: Iterable[str]) -> bool:
    """Whether the queues stay paused once these are stopped: without a database jobs would only fail."""
    return not _USED_BY_WORKER.isdisjoint(names)


def _queue_facts(ctx: Context, sight: _Sight, patience: tuple[float, bool], *, stays: bool) -> tuple[Fact, ...]:
    """What goes on in the queues: no more jobs may be in flight than were approved."""
    if not sight.queues:
        return ()
    words, figures, queues, (wait, force) = ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz), sight.queues, patience
    after = "service.queue_stays" if stays else "service.queue_open"
    depth = sum(queue.waiting + queue.paused + queue.delayed for queue in queues)
    states = [[queue.name, queue.is_paused] for queue in queues]
    shown = " · ".join(f"{queue.name} {words('service.queue_closed' if queue.is_paused else after)}" for queue in queues)
    active = " · ".join(words("service.active", queue=queue.name, count=queue.active) for queue in queues)
    waiting = words("service.wait_force" if force else "service.wait", wait=figures.duration(wait))
    return (
        Fact("active", words("service.fact.active"), active, sum(queue.active for queue in queues), Tolerance.MAY_SHRINK),
        Fact("depth", words("service.fact.depth"), words("service.jobs", count=figures.count(depth)), depth, Tolerance.ANY),
        Fact("queues", words("service.fact.queues"), shown, states),
        Fact("wait", words("service.fact.wait"), waiting, [wait, force]),
    )


async def _warnings(ctx: Context, sight: _Sight, action: str, force: bool) -> tuple[str, ...]:
    found = [f"service.warning.{action}_{name}" for name in sight.names]
    said = [ctx.words(key) for key in found if key in ctx.words]
    if sight.unread is not None:
        said.append(ctx.words("service.warning.unread", reason=ctx.words(sight.unread.key, **sight.unread.values)))
    if force:
        said.append(ctx.words("service.warning.force"))
    if "redis" in sight.names and sight.unread is None and not (await ctx.ops.redis.info()).aof_enabled:
        said.append(ctx.words("service.warning.no_aof"))
    return tuple(said)


@group.risky("restart", plan_restart, timeout=2_400, examples=("restart backend", "service restart all --wait 10m"), aliases=("restart",))
async def restart(ctx: Context, plan: Plan) -> Reply:
    """Restart what the plan names."""
    return await _apply(ctx, plan, "restart", leave_closed=False)


@group.risky("stop", plan_stop, timeout=2_400, examples=("service stop frontend",))
async def stop(ctx: Context, plan: Plan) -> Reply:
    """Stop what the plan names."""
    return await _apply(ctx, plan, "stop", leave_closed=_keeps(name for name, _ in plan.value("containers")))


async def _apply(ctx: Context, plan: Plan, action: str, *, leave_closed: bool) -> Reply:
    facts = {fact.key: fact.value for fact in plan.facts}
    queues, (wait, force) = facts.get("queues", []), facts.get("wait", [0.0, True])
    order = safe_restart.Order(
        containers=[(name, identity) for name, identity in facts["containers"]],
        dependents=[] if action == "stop" else [(name, identity) for name, identity in facts.get("dependents", [])],
        queues=[name for name, closed in queues if not closed],
        closed_before=[name for name, closed in queues if closed],
        wait=wait,
        force=force,
        stop=action == "stop",
        leave_closed=leave_closed,
    )

    def say(step: str, values: Mapping[str, object]) -> None:
        ctx.say(Progress(ctx.words(f"service.step.{step}", **values)))

    await ctx.promise(*(join(("queue", "resume", name)) for name in order.queues if not leave_closed))
    answers = {"mongodb": lambda: ctx.ops.mongo.ping(), "redis": lambda: ctx.ops.redis.ping()}
    outcome = await SafeRestart(ctx.ops.containers, ctx.ops.bull if queues else None, answers, say).run(order)
    return await _report(ctx, order, outcome, action)


async def _report(ctx: Context, order: safe_restart.Order, outcome: safe_restart.Outcome, action: str) -> Reply:
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    names = ", ".join(dict.fromkeys(name for name, _ in order.containers))
    given_up = bool(outcome.jobs_left and not order.force)
    failed = bool(outcome.failure or outcome.still_closed or given_up)
    down = await _down(ctx, {name for name, _ in order.containers}) if action == "restart" and not failed else []
    took = figures.duration(sum(step.seconds for step in outcome.steps))
    ending = "given_up" if given_up else "failed" if failed else "done"
    missing = outcome.jobs_missing
    return Reply(
        title=ctx.words(f"service.{action}_{ending}", names=names, took=took),
        text="\n".join(_sentences(ctx, order, outcome, down)),
        outcome=Outcome.FAILED if failed else Outcome.DONE,
        tone=Tone.BAD if failed else Tone.WARN if down or missing else Tone.GOOD,
        fields=_fields(ctx, outcome),
        tables=(_steps(ctx, figures, outcome.steps),),
        buttons=(_resume_button(ctx),) if outcome.still_closed else (),
        data={
            "steps": [asdict(step) for step in outcome.steps],
            "restarted": [{**_raw(now), "pid_before": was.pid, "started_at": now.started_at} for was, now in outcome.restarted],
            "jobs": {"before": outcome.jobs_before, "after": outcome.jobs_after, "missing": missing, "left": outcome.jobs_left},
            "still_paused": list(outcome.still_closed),
            "queues": [asdict(queue) for queue in outcome.queues],
            "health_down": down,
        },
    )


async def _down(ctx: Context, names: set[str]) -> list[str]:
    results = await probe("http", ctx.ops.health.check, 5.0)
    return [] if isinstance(results, VccError) else [each.name for each in results if each.name in names and not each.up]


def _sentences(ctx: Context, order: safe_restart.Order, outcome: safe_restart.Outcome, down: Sequence[str]) -> list[str]:
    """What has to be known, the most urgent first."""
    words = ctx.words
    left = order.queues if order.leave_closed and outcome.restarted else ()
    listed = (("health_down", down), ("closed", order.closed_before), ("left_closed", left))
    cut = "cut" if order.force else "jobs_left_closed" if outcome.still_closed else "jobs_left"
    counted = ((cut, outcome.jobs_left), ("stalled", outcome.jobs_stalled), ("missing", outcome.jobs_missing))
    said = [words("service.still_closed", names=", ".join(outcome.still_closed))] if outcome.still_closed else []
    said += [words(outcome.failure.key, **outcome.failure.values)] if outcome.failure is not None else []
    said += [words(f"service.{key}", names=", ".join(names)) for key, names in listed if names]
    said += [words(f"service.{key}", count=count) for key, count in counted if count]
    return said or [words("service.well" if outcome.jobs_after is not None else "service.well_no_queue")]


def _fields(ctx: Context, outcome: safe_restart.Outcome) -> tuple[tuple[str, str], ...]:
    fields = [(label(now), f"PID {was.pid} → {now.pid} · {now.state} {now.health}".rstrip()) for was, now in outcome.restarted]
    if outcome.jobs_before is not None and outcome.jobs_after is not None:
        fields.append((ctx.words("service.field.jobs"), f"{outcome.jobs_before} → {outcome.jobs_after}"))
    return tuple(fields)


def _steps(ctx: Context, figures: Figures, steps: Sequence[safe_restart.Step]) -> Table:
    rows = tuple((ctx.words(f"service.step.{step.name}", subject=step.subject), figures.duration(step.seconds)) for step in steps)
    return Table(_columns(ctx, "step", "took"), rows)
