"""``backup prune``: old backups go by keep rules, here and in the second place. Exactly those that were approved go, and never the
newest that is proven."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from bot.backup.pins import pinned
from bot.backup.prune import Choice, Removed, Rules, Why, choose, remove_all
from bot.backup.prune_remote import RemovedThere, choose_there, remove_there
from bot.backup.remote_copy import look
from bot.backup.shelf import Backup, Shelf
from bot.backup.work import Step, Threads
from bot.command import Between
from bot.context import Context
from bot.errors import Conflict, VccError
from bot.figures import NONE
from bot.model import Button, Fact, Plan, Reply, Tolerance, Tone
from bot.ops.remote_values import RemoteBackup, RemoteBackups
from bot.ops.snapshot_remove import Freed, freed_by_removing
from commands.backup.group import TARGET, group
from commands.backup.page import figures_of, hooks_for, line, shelf_of

_SHOWN = 12
_PATIENCE = 30.0
Last = Annotated[int, Between(1, 1_000)]
Keep = Annotated[int, Between(0, 1_000)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is and what of it would go. ``there`` is None when the second place is left alone."""

    choice: Choice
    freed: Freed
    there: RemoteBackups | VccError | None
    going_there: tuple[RemoteBackup, ...]

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.choice.going]

    @property
    def ids_there(self) -> list[str]:
        return [each.id for each in self.going_there]

    @property
    def left_there(self) -> int:
        """How many of those that go here stay over there."""
        if isinstance(self.there, RemoteBackups):
            return len(set(self.ids) & ({each.id for each in self.there.backups} - set(self.ids_there)))
        return sum(each.proof.remote_at is not None for each in self.choice.going)


async def plan_prune(
    ctx: Context, *, keep_last: Last = 7, daily: Keep = 14, weekly: Keep = 8, monthly: Keep = 12, no_remote: bool = False
) -> Plan:
    """Which would go, what that frees, and why the others stay."""
    words, rules = ctx.words, Rules(keep_last, daily, weekly, monthly)
    there = await look(ctx.ops, _PATIENCE) if ctx.settings.vcc_backup_s3_url and not no_remote else None
    seen = await asyncio.to_thread(_looked, shelf_of(ctx), rules, ctx.settings.vcc_tz, there)
    if not seen.ids and not seen.ids_there:
        raise Conflict("backup.nothing_to_prune", count=len(seen.choice.staying))
    left = seen.left_there
    return Plan(
        title=words("backup.prune_plan", count=len({*seen.ids, *seen.ids_there})),
        text=_text(ctx, seen),
        facts=(*_facts(ctx, seen), *_facts_there(ctx, seen), _rules(ctx, rules)),
        targets=(TARGET,),
        reversible=False,
        undo=words("backup.prune_undo_remote", count=left) if left else words("backup.prune_undo"),
        warnings=tuple(_warnings(ctx, seen)),
    )


def _text(ctx: Context, seen: _Seen) -> str:
    if not seen.ids:
        return ctx.words("backup.remote_prune_text", count=len(seen.ids_there))
    return ctx.words("backup.prune_text", count=len(seen.ids), size=figures_of(ctx).size(seen.freed.bytes))


def _looked(shelf: Shelf, rules: Rules, zone: str, there: RemoteBackups | VccError | None) -> _Seen:
    backups = shelf.backups()
    choice = choose(backups, rules, zone, pinned(shelf.directory))
    freed = freed_by_removing([each.path for each in choice.going])
    staying = {each.id for each, _ in choice.staying}
    going_there = choose_there(backups, there.backups, rules, zone, staying) if isinstance(there, RemoteBackups) else ()
    return _Seen(choice, freed, there, going_there)


def _facts(ctx: Context, seen: _Seen) -> Iterator[Fact]:
    words, figures, staying = ctx.words, figures_of(ctx), seen.choice.staying
    freed = words("backup.freed", size=figures.size(seen.freed.bytes), files=figures.count(seen.freed.files))
    kept = Counter(why for _, why in staying)
    reasons = " · ".join(words(f"backup.why.{why.value}", count=kept[why]) for why in Why if kept[why])
    yield Fact("going", words("backup.fact.going"), _shown(seen.ids), seen.ids)
    yield Fact("freed", words("backup.fact.freed"), freed, seen.freed.bytes, Tolerance.ANY)
    yield Fact("staying", words("backup.fact.staying"), reasons, len(staying), Tolerance.ANY)


def _facts_there(ctx: Context, seen: _Seen) -> Iterator[Fact]:
    """Null when it does not answer: then only what is here goes."""
    label = ctx.words("backup.fact.remote_going")
    if isinstance(seen.there, VccError):
        # The reason is no warning: in which way it does not answer may be another by the time this is approved.
        reason = ctx.words("backup.remote_unknown", reason=ctx.words(seen.there.key, **seen.there.values))
        yield Fact("remote_going", label, f"{ctx.words('backup.remote_left_alone')} · {reason}", None)
    elif seen.there is not None:
        most = ctx.words("backup.remote_at_most", size=figures_of(ctx).size(sum(each.bytes for each in seen.going_there)))
        yield Fact("remote_going", label, f"{_shown(seen.ids_there)} {most}" if seen.ids_there else NONE, seen.ids_there)


def _rules(ctx: Context, rules: Rules) -> Fact:
    return Fact("rules", ctx.words("backup.fact.rules"), ctx.words("backup.rules", **asdict(rules)), asdict(rules))


def _shown(ids: Sequence[str]) -> str:
    return (", ".join(ids[:_SHOWN]) + (f" … (+{len(ids) - _SHOWN})" if len(ids) > _SHOWN else "")) or NONE


def _warnings(ctx: Context, seen: _Seen) -> Iterator[str]:
    damaged: list[Backup] = [each for each in seen.choice.going if each.proof.fault]
    if damaged:
        yield ctx.words("backup.warning.prune_damaged", count=len(damaged))
    if isinstance(seen.there, VccError):
        yield f"{ctx.words('backup.fact.remote_going')}: {ctx.words('backup.remote_left_alone')}"


@group.risky(
    "prune",
    plan_prune,
    timeout=3_600,
    examples=("backup prune", "backup prune --keep-last 3 --daily 7 --weekly 4 --monthly 6", "backup prune --no-remote"),
)
async def prune(ctx: Context, plan: Plan) -> Reply:
    """Remove exactly what the plan lists: here first, so that what fails over there costs nothing here."""
    shelf, going, threads, hooks = shelf_of(ctx), list(plan.value("going")), Threads(), hooks_for(ctx)

    def say(done: int) -> None:
        hooks.say(Step("prune", done, len(going), "backups"))

    try:
        removed = await threads.run(remove_all, shelf, going, say, threads.stopping)
    finally:
        threads.close()
    going_there = next((fact.value for fact in plan.facts if fact.key == "remote_going"), None)
    return _told(ctx, plan, removed, None if going_there is None else await _there(ctx, list(going_there)))


async def _there(ctx: Context, going: Sequence[str]) -> RemovedThere:
    hooks = hooks_for(ctx)
    return await remove_there(ctx.ops.remote, going, lambda done: hooks.say(Step("prune_remote", done, len(going), "backups")))


def _told(ctx: Context, plan: Plan, removed: Removed, there: RemovedThere | None) -> Reply:
    words, figures = ctx.words, figures_of(ctx)
    names = [*removed.gone, *(there.gone if there else ())]
    said = [", ".join(removed.ids), *(_sentences_there(ctx, there) if there else ())]
    said += [words("backup.gone_before", names=", ".join(names))] if names else []
    said += [words("backup.needed_now", names=", ".join(removed.needed))] if removed.needed else []
    title = words("backup.pruned", count=len(removed.ids), size=figures.size(plan.value("freed")))
    return Reply(
        title=words("backup.remote_prune_title", count=len(there.ids)) if there and not plan.value("going") else title,
        text="\n".join(each for each in said if each),
        tone=Tone.WARN if names or removed.needed or (there and there.failure) else Tone.GOOD,
        buttons=(Button(words("backup.button.list"), line("list")),),
        data={
            "removed": list(removed.ids),
            "gone": list(removed.gone),
            "needed": list(removed.needed),
            "freed_bytes": plan.value("freed"),
            "remote": there and _raw(there),
        },
    )


def _sentences_there(ctx: Context, there: RemovedThere) -> Iterator[str]:
    words, figures = ctx.words, figures_of(ctx)
    if there.collected is not None and (there.ids or there.collected.objects):
        freed = {"objects": figures.count(there.collected.objects), "size": figures.size(there.collected.bytes)}
        yield words("backup.remote_pruned", count=len(there.ids), **freed)
    if there.failure is not None:
        reason = words(there.failure.key, **there.failure.values)
        yield "! " + words("backup.remote_prune_failed", count=len(there.ids), reason=reason)


def _raw(there: RemovedThere) -> dict[str, Any]:
    collected = there.collected
    return {
        "removed": list(there.ids),
        "gone": list(there.gone),
        "freed_bytes": collected and collected.bytes,
        "objects": collected and collected.objects,
        "reason": there.failure and there.failure.key,
    }
