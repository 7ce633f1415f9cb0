"""``backup restore``: a backup, or a dump of mongodump's, in the place of the live data: not merged, and undone if a step fails."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Annotated, Any

from bot.backup.restore import NotRestored, Restoration, Restored, RestoreOrder
from bot.backup.restore_source import ALL, find
from bot.backup.restore_undo import WayOut, archive_of
from bot.backup.work import EndedBy
from bot.command import Between, Duration
from bot.context import Context
from bot.errors import Conflict
from bot.line import join
from bot.model import Button, Outcome, Plan, Reply, Tone
from commands.backup.group import TARGET, group
from commands.backup.page import ended, figures_of, hooks_for, line, shelf_of
from commands.backup.restore_card import facts, refuse_unfit, refuse_without_room, see, warnings

_LOG = logging.getLogger("vcc.restore")
_LONGEST = 6 * 3_600
TARGETS = (TARGET, "service:backend", "queue")
RECOVER = join(("backup", "recover"))
# After a restore that could not be undone: when it is tried again by itself.
_AGAIN = 60.0
# Steps in which somebody may work on the new data already.
_WORKED_ON = frozenset({"start", "healthy"})
Wait = Annotated[Duration, Between(1, 1_800)]
FIVE_MINUTES = Duration(300)


async def plan_restore(
    ctx: Context,
    id: str = "",
    *,
    only: str = ALL,
    wait: Wait = FIVE_MINUTES,
    force: bool = False,
    without_safety: bool = False,
) -> Plan:
    """What would be replaced by what."""
    origin = await asyncio.to_thread(find, shelf_of(ctx), id, only)
    sight = await see(ctx, origin)
    await refuse_without_room(ctx, sight)
    if not without_safety:
        await refuse_unfit(ctx, sight)
    how = {"only": only, "wait": float(wait), "force": force, "safety": not without_safety, "live": sight.live}
    return Plan(
        title=ctx.words("restore.plan", id=origin.id),
        text=ctx.words("restore.plan_text"),
        facts=facts(ctx, sight, how),
        targets=TARGETS,
        reversible=not without_safety,
        undo=ctx.words("restore.undo_none" if without_safety else "restore.undo"),
        warnings=warnings(ctx, sight, how),
    )


@group.risky(
    "restore",
    plan_restore,
    timeout=_LONGEST,
    examples=(
        "backup restore",
        "backup restore --only database",
        "backup restore --only files",
        "backup restore --only imagegenerationjobs",
        "backup restore upload/vcc.archive.gz",
    ),
    cancellable=True,
)
async def restore(ctx: Context, plan: Plan) -> Reply:
    """Restore what the plan names."""
    how, source = plan.value("how"), plan.value("source")
    origin = await asyncio.to_thread(find, shelf_of(ctx), source["wanted"], how["only"])
    if origin.stamp != source["stamp"]:
        raise Conflict("restore.changed", id=origin.id)
    live = ctx.settings.vcc_uploads_dir if origin.snapshot is not None else None
    order = RestoreOrder(
        origin, live, how["wait"], how["force"], how["safety"], asked_by=ctx.person.name, reference=ctx.invocation.reference
    )

    async def promise() -> None:
        await ctx.promise(RECOVER)

    work = Restoration(ctx.ops, ctx.settings, hooks_for(ctx), promise)
    try:
        restored = await work.run(order, ctx.clock())
    except NotRestored as failure:
        _LOG.warning("%s: not restored at %s: %s", ctx.invocation.reference, failure.step, failure.cause)
        return _failed(ctx, failure)
    except EndedBy as end:
        way = work.way or WayOut(kept=False)
        told = ended(ctx, "restore.ended_by" if way.is_over else "restore.ended_not_over", end)
        return replace(told, text="\n".join((told.text, *way_said(ctx, way))), buttons=_buttons(ctx, way))
    finally:  # however it ended: by its time limit, too
        if work.way is not None and not work.way.is_over:
            await try_again(ctx)
    return _told(ctx, origin.id, restored)


async def try_again(ctx: Context) -> None:
    """What could not be put back is tried again by itself until it can be."""
    await ctx.promise_at(ctx.clock() + _AGAIN, RECOVER, RECOVER, {})


def _told(ctx: Context, identity: str, restored: Restored) -> Reply:
    words, figures, way = ctx.words, figures_of(ctx), restored.way
    said = [words("restore.proven" if restored.down_s is not None else "restore.proven_stopped")]
    if restored.jobs.taken:
        archive = str(archive_of(ctx.settings, restored.mark))
        said.append(words("restore.jobs_taken", count=restored.jobs.taken, path=archive))
    said += [words(f"restore.jobs_{name}", count=count) for name in ("unjudged", "locked") if (count := getattr(restored.jobs, name))]
    if restored.files is not None and not restored.files.owner_kept:
        said.append(words("restore.owner_not_kept", path=ctx.settings.vcc_uploads_dir))
    said += way_said(ctx, way)
    return Reply(
        title=words("restore.done", id=identity, took=figures.duration(restored.took_s)),
        text="\n".join(said),
        tone=Tone.GOOD if way.is_over and way.page_reaches else Tone.WARN,
        fields=_fields(ctx, restored),
        buttons=_buttons(ctx, way) or (Button(words("backup.button.list"), line("list")),),
        data=_raw(identity, restored),
    )


def _fields(ctx: Context, restored: Restored) -> tuple[tuple[str, str], ...]:
    words, figures, fields = ctx.words, figures_of(ctx), list[tuple[str, str]]()
    if restored.loaded is not None:
        documents, size = (sum(getattr(each, name) for each in restored.loaded.collections) for name in ("documents", "bytes"))
        fields.append((words("backup.field.database"), words("backup.documents", count=figures.count(documents), size=figures.size(size))))
    if restored.files is not None:
        told = words("restore.files", count=figures.count(restored.files.files), size=figures.size(restored.files.bytes))
        fields.append((words("backup.field.uploads"), told))
    if restored.down_s is not None:
        fields.append((words("restore.field.down"), figures.duration(restored.down_s)))
    if restored.safety:
        fields.append((words("restore.field.safety"), restored.safety))
    return tuple(fields)


def _raw(identity: str, restored: Restored) -> dict[str, Any]:
    loaded, files = restored.loaded, restored.files
    return {
        "id": identity,
        "safety": restored.safety,
        "took_s": restored.took_s,
        "down_s": restored.down_s,
        "collections": {each.name: each.documents for each in loaded.collections if each.kind != "view"} if loaded else None,
        "files": files and files.files,
        "jobs_taken": restored.jobs.taken,
        "over": restored.way.is_over,
    }


def way_said(ctx: Context, way: WayOut) -> list[str]:
    """What is still to be seen to, the most urgent first."""
    words, said = ctx.words, list[str]()
    if way.failure is not None:
        key = "restore.not_tidied" if way.kept else "restore.not_cleared" if way.settled else "restore.not_put_back"
        said.append(words(key, reason=words(way.failure.key, **way.failure.values)))
    if not way.settled:  # nobody may start by hand what waits for the data
        return [*said, *([words("restore.still_down")] if way.not_started or way.still_closed else [])]
    if way.not_started:
        said.append(words("restore.not_started", count=len(way.not_started)))
    if way.still_closed:
        said.append(words("backup.still_closed", names=", ".join(way.still_closed)))
    if not way.page_reaches:
        said.append(words("restore.page_down"))
    return said


def _buttons(ctx: Context, way: WayOut) -> tuple[Button, ...]:
    return () if way.is_over else (Button(ctx.words("restore.recover_button"), RECOVER, "primary"),)


def _failed(ctx: Context, failure: NotRestored) -> Reply:
    """Which step, why, and that the old data is in place; or that it is not, yet."""
    words, way, cause = ctx.words, failure.way, failure.cause
    back = way.settled and not way.kept
    said = [words(cause.key, **cause.values)]
    said += [words("restore.put_back")] if back else []
    said += [words("restore.put_back_worked")] if back and failure.step in _WORKED_ON else []
    said += way_said(ctx, way)
    step = f"backup.step.{failure.step}"
    return Reply(
        title=words("restore.failed", step=words(step)),
        text="\n".join(said),
        outcome=Outcome.FAILED,
        tone=Tone.BAD,
        buttons=_buttons(ctx, way) or (Button(words("backup.button.list"), line("list")),),
        data={"step": failure.step, "reason": cause.key, "put_back": back, "over": way.is_over},
    )
