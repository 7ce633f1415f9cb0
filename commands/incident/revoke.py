"""``incident revoke``: sessions, tokens, one user, API keys, the databases' passwords; approved, step by step, resumable."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from bot.context import Context
from bot.errors import Conflict, Usage
from bot.model import Fact, Plan, Progress, Reply, Tolerance
from bot.ops.env_files import EnvFile
from bot.security.revoke import Revoking
from bot.security.revoke_journal import Revocation
from bot.security.revoke_sight import Sight, look
from commands.incident.group import group, incident_of
from commands.incident.recover import RECOVER
from commands.incident.revoke_page import ended, step_name, what
from commands.incident.work import Number

_SECRET_BYTES = 32
_WAIT = 1_800

What = Literal["sessions", "tokens", "user", "api-keys", "mongodb-password", "redis-password"]


def _revoking(ctx: Context) -> Revoking:
    def say(step: str, name: str) -> None:
        ctx.say(Progress(ctx.words(f"revoke.step.{step}", name=name)))

    return Revoking(ctx.ops, ctx.settings.vcc_home, ctx.services.redactor.learn, say)


async def plan_revoke(ctx: Context, what: What, who: str = "", *, back: bool = False, incident: Number = None) -> Plan:
    """What would be taken away, and what has to be made again for it."""
    if (what == "user") != bool(who):
        raise Usage("revoke.who" if what == "user" else "revoke.nobody", kind=what)
    revoking = _revoking(ctx)
    await revoking.know()
    if back:
        return await _plan_back(ctx, revoking, what, incident)
    pending = revoking.journal.read(what)
    if pending is not None:
        return _plan_rest(ctx, await _the_same(ctx, pending, who))
    found = await incident_of(ctx, incident)
    sight = await look(ctx.ops, what, who)
    warnings = list(_warnings(ctx, sight, has_evidence=_has_evidence(ctx, found.number)))
    return _plan(ctx, found.number, sight, "new", "", warnings)


async def _the_same(ctx: Context, pending: Revocation, who: str) -> Revocation:
    """One about somebody is not gone on with by a line about somebody else."""
    if who not in ("", pending.who) and (await look(ctx.ops, pending.kind, who)).who != pending.who:
        raise Conflict("revoke.unfinished", line=pending.line)
    return pending


async def _plan_back(ctx: Context, revoking: Revoking, kind: What, incident: int | None) -> Plan:
    copy = revoking.journal.copy_before(kind)
    if copy is None:
        raise Conflict("revoke.no_copy", what=what(ctx, kind))
    found = await incident_of(ctx, incident)
    sight, pending = await look(ctx.ops, kind, ""), revoking.journal.read(kind)
    if pending is not None:  # it closed queues, and nobody else will open them
        sight = replace(sight, queues=tuple(dict.fromkeys([*pending.queues, *sight.queues])))
    return _plan(ctx, found.number, sight, "back", copy.name, [ctx.words("revoke.warning.back")])


def _plan(ctx: Context, number: int, sight: Sight, mode: str, copy: str, warnings: list[str]) -> Plan:
    words = ctx.words
    facts = [
        Fact("kind", words("revoke.fact.kind"), what(ctx, sight.kind), sight.kind),
        Fact("mode", words("revoke.fact.mode"), words(f"revoke.mode.{mode}", copy=copy), [mode, copy]),
        Fact("incident", words("isolate.fact.incident"), f"#{number}", number),
        Fact("account", words("revoke.fact.account"), sight.user.email if sight.user else sight.account or "-", [sight.who, sight.account]),
        *(Fact(f"count_{name}", words(f"revoke.fact.{name}"), str(count), count, Tolerance.ANY) for name, count in sight.counts.items()),
    ]
    if sight.file:
        facts += [
            Fact("file", words("revoke.fact.file"), f"{sight.file} · {', '.join(sight.names)}", [sight.file, list(sight.names)]),
            Fact("services", words("revoke.fact.services"), ", ".join(sight.services), [list(each) for each in sight.containers]),
        ]
    if sight.kind == "redis-password":
        facts.append(Fact("queues", words("service.fact.queues"), ", ".join(sight.queues) or "-", list(sight.queues)))
    return Plan(
        title=words(f"revoke.plan_{mode}", what=what(ctx, sight.kind), number=number),
        text=words(f"revoke.text.{sight.kind}"),
        facts=tuple(facts),
        targets=("revoke", *(f"service:{name}" for name in sight.services), *(("queue",) if sight.queues else ())),
        reversible=bool(sight.file),
        undo=words("revoke.undo_file", kind=sight.kind) if sight.file else words(f"revoke.undo.{sight.kind}"),
        warnings=tuple(warnings),
    )


def _plan_rest(ctx: Context, pending: Revocation) -> Plan:
    words = ctx.words
    done, left = (", ".join(step_name(ctx, step) for step in steps) or "-" for steps in (pending.done, pending.left))
    return Plan(
        title=words("revoke.plan_rest", what=what(ctx, pending.kind), number=pending.incident),
        text=words("revoke.text_rest"),
        facts=(
            Fact("kind", words("revoke.fact.kind"), what(ctx, pending.kind), pending.kind),
            Fact("mode", words("revoke.fact.mode"), words("revoke.mode.rest"), ["rest", pending.reference]),
            Fact("account", words("revoke.fact.account"), pending.who or pending.account or "-", [pending.who, pending.account]),
            Fact("done", words("revoke.fact.done"), done, list(pending.done)),
            Fact("left", words("revoke.fact.left"), left, list(pending.left)),
        ),
        targets=("revoke", *(f"service:{name}" for name in pending.services), *(("queue",) if pending.queues else ())),
        reversible=False,
        undo=words("revoke.undo_rest"),
    )


def _has_evidence(ctx: Context, number: int) -> bool:
    return any((ctx.settings.vcc_home / "evidence" / str(number)).glob("*/SHA256SUMS"))


def _warnings(ctx: Context, sight: Sight, *, has_evidence: bool) -> list[str]:
    words = ctx.words
    said = [words("revoke.warning.log")] if sight.services and not has_evidence else []
    said += [words("revoke.warning.differs", file=sight.file)] if sight.differs else []
    said += [words("revoke.warning.isolated", names=", ".join(sight.services))] if _isolated(ctx, sight) else []
    if sight.kind == "redis-password" or (sight.account and sight.account == ctx.ops.logs_in_as()):
        said.append(words("revoke.warning.own", setting="REDIS_URL" if sight.kind == "redis-password" else "MONGODB_URI"))
    if sight.user is not None and sight.user.admin:
        said.append(words("revoke.warning.admin"))
    return said


def _isolated(ctx: Context, sight: Sight) -> bool:
    isolations = _revoking(ctx).isolations
    return any(isolations.kept(name) is not None for name in sight.services)


@group.risky(
    "revoke",
    plan_revoke,
    timeout=_WAIT,
    examples=(
        "incident revoke sessions",
        "incident revoke tokens",
        "incident revoke user mina@vcc.example",
        "incident revoke tokens --back",
    ),
)
async def revoke(ctx: Context, plan: Plan) -> Reply:
    """Take away what the plan names."""
    await ctx.promise(RECOVER)  # killed in the middle of it, the bot brings the service up again at its next start
    revoking = _revoking(ctx)
    mode, copy = plan.value("mode")
    if mode == "rest":
        pending = revoking.journal.read(plan.value("kind"))
        if pending is None:
            raise Conflict("revoke.nothing_left")
        return ended(ctx, await revoking.run(pending))
    return ended(ctx, await revoking.run(_drafted(ctx, revoking, plan, copy)))


def _drafted(ctx: Context, revoking: Revoking, plan: Plan, copy: str) -> Revocation:
    """The plan with new secrets, or with those of a kept file. Hexadecimal: other signs break the addresses they stand in."""
    facts: dict[str, Any] = {fact.key: fact.value for fact in plan.facts}
    names = facts.get("file", ["", []])[1]
    values = {name: secrets.token_hex(_SECRET_BYTES) for name in names}
    if copy:
        kept = EnvFile(revoking.journal.copies / copy, copy, (revoking.journal.copies / copy).read_bytes())
        values = {name: kept.value(name) for name in names}
        if not all(values.values()):
            raise Conflict("revoke.no_copy", what=what(ctx, facts["kind"]))
    unfinished = revoking.journal.read(facts["kind"])
    stamp = datetime.fromtimestamp(ctx.clock(), UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    who, account = facts["account"]
    return Revocation(
        kind=facts["kind"],
        at=ctx.clock(),
        by=ctx.person.name,
        incident=facts["incident"],
        reference=ctx.invocation.reference,
        who=who,
        account=account,
        values=values,
        services=tuple(dict.fromkeys(name for name, _ in facts.get("services", []))),
        queues=tuple(facts.get("queues", [])),
        copy=f"{stamp}-{facts['kind']}.env",
        before=(*unfinished.values.values(), *unfinished.before) if unfinished is not None else (),
    )
