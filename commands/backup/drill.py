"""``backup drill``: restores a backup beside the live data, compares it, and takes it away again; then it counts as restorable."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from bot.backup.drill import Drill, Drilled
from bot.backup.work import EndedBy, Hooks, Step
from bot.context import Context
from bot.errors import OutsideError
from bot.model import Button, Outcome, Reply, Risk, Tone
from bot.plain_text import harmless
from commands.backup.group import group, held
from commands.backup.page import button, ended, figures_of, hooks_for, line, shown_names

_LOG = logging.getLogger("vcc.backup")
_LONGEST = 6 * 3_600


@group.command(
    "drill",
    Risk.CHANGE,
    timeout=_LONGEST,
    examples=("backup drill", "backup drill 2026-01-22T10-00-00Z"),
    locks=held,
    cancellable=True,
)
async def drill(ctx: Context, id: str | None = None) -> Reply:
    """Restore one backup into scratch places, compare it, and write down what came of it."""
    last = list[Step]()
    try:
        found = await Drill(ctx.ops, ctx.settings, _hooks(ctx, last), ctx.clock).run(id or "")
    except EndedBy as end:
        return ended(ctx, "backup.drill.ended_by", end)
    except OutsideError as failure:
        if not last:  # nothing was begun: there is no such backup, or no reading it
            raise
        _LOG.warning("%s: no drill: %s %s", ctx.invocation.reference, failure, harmless(failure.detail, limit=300, newlines=False))
        return _unfinished(ctx, failure, last[-1].name)
    return _restorable(ctx, found) if found.is_restorable else _failed(ctx, found, last[-1].name)


def _hooks(ctx: Context, last: list[Step]) -> Hooks:
    hooks = hooks_for(ctx)

    def say(step: Step) -> None:
        last[:] = [step]
        hooks.say(step)

    return Hooks(say, hooks.asked_to_end, hooks.holding)


def _restorable(ctx: Context, found: Drilled) -> Reply:
    words, warnings = ctx.words, [f"! {each}" for each in (*_warnings(ctx, found), *_left(ctx, found))]
    return Reply(
        title=words("backup.drill.restorable", id=found.id, took=figures_of(ctx).duration(found.took_s)),
        text="\n".join((words("backup.drill.held_left" if found.left else "backup.drill.held"), *_remarks(ctx, found), *warnings)),
        tone=Tone.WARN if warnings else Tone.GOOD,
        fields=tuple(_fields(ctx, found)),
        buttons=(button(ctx, "show", found.id),),
        data=_raw(found),
    )


def _fields(ctx: Context, found: Drilled) -> list[tuple[str, str]]:
    words, figures, fields = ctx.words, figures_of(ctx), list[tuple[str, str]]()
    database, uploads = found.database, found.uploads
    if database is not None:
        loaded = words(
            "backup.drill.loaded",
            documents=figures.count(database.documents),
            collections=figures.count(database.collections),
            indexes=figures.count(database.indexes),
        )
        fields.append((words("backup.field.database"), loaded))
        compared = words("backup.drill.compared", documents=figures.count(database.documents), sample=figures.count(database.compared))
        fields.append((words("backup.drill.field.compared"), compared))
    hashed = words("backup.drill.hashed", files=figures.count(found.verified.files), size=figures.size(found.verified.bytes))
    fields.append((words("backup.drill.field.hashed"), hashed))
    if uploads is not None:
        opened = figures.count(uploads.opened or 0)
        fields.append((words("backup.field.uploads"), words("backup.drill.put_back", files=figures.count(uploads.files), images=opened)))
    return fields


def _warnings(ctx: Context, found: Drilled) -> list[str]:
    """What does not stand in the way of a restore, and should be known all the same."""
    words, figures, said = ctx.words, figures_of(ctx), list[str]()
    uploads = found.uploads
    if uploads is not None and uploads.opened is None:
        said.append(words("backup.drill.not_opened"))
    for key, names in (("broken_images", uploads.broken), ("large_images", uploads.large)) if uploads else ():
        if names:
            listed = shown_names(ctx, names, len(names))
            said.append(words(f"backup.drill.{key}", count=figures.count(len(names))) + f"\n{listed}")
    return said


def _remarks(ctx: Context, found: Drilled) -> list[str]:
    """What is so in the source too."""
    compared = found.verified.compared
    if compared is None or not compared.broken:
        return []
    return [ctx.words("backup.broken_documents", count=figures_of(ctx).count(compared.broken))]


def _left(ctx: Context, found: Drilled) -> list[str]:
    return [ctx.words("backup.drill.left", names=", ".join(found.left))] if found.left else []


def _failed(ctx: Context, found: Drilled, step: str) -> Reply:
    """Which step, which collection or file by name, and that the live data is as it was."""
    words, fault = ctx.words, found.fault
    names = [f"{words(f'backup.fault.{each.kind}')}: {each.name}" for each in found.verified.first]
    reason = shown_names(ctx, names, found.verified.faults) if fault is None else words(fault.key, **fault.values)
    left = [f"! {each}" for each in _left(ctx, found)]
    return Reply(
        title=words("backup.drill.failed", id=found.id, step=words(f"backup.step.{step}")),
        text="\n".join((reason, words("backup.drill.untouched"), words("backup.use_another"), *left)),
        outcome=Outcome.FAILED,
        tone=Tone.BAD,
        buttons=(Button(words("backup.button.list"), line("list")), Button(words("backup.button.create"), line("create"), "primary")),
        data={**_raw(found), "step": step},
    )


def _unfinished(ctx: Context, failure: OutsideError, step: str) -> Reply:
    """Something else is in the way: it says nothing of the backup."""
    words = ctx.words
    return Reply(
        title=words("backup.drill.unfinished", step=words(f"backup.step.{step}")),
        text="\n".join((words(failure.key, **failure.values), words("backup.drill.not_judged"))),
        outcome=Outcome.FAILED,
        tone=Tone.WARN,
        buttons=(Button(words("backup.button.list"), line("list")),),
        data={"step": step, "reason": failure.key},
    )


def _raw(found: Drilled) -> dict[str, Any]:
    return {
        "id": found.id,
        "restorable": found.is_restorable,
        "reason": found.fault.key if found.fault else None,
        "took_s": found.took_s,
        "verified": asdict(found.verified),
        "database": found.database and asdict(found.database),
        "uploads": found.uploads and asdict(found.uploads),
        "left": list(found.left),
    }
