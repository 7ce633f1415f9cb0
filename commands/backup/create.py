"""``backup create``: the database, the uploads, the configuration and the queues as one backup, proven before it counts."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Annotated, Any

from bot.backup.create import FIVE_MINUTES, Created, Creation, Order
from bot.backup.prune import is_good
from bot.backup.shelf import Backup
from bot.backup.work import EndedBy, Hooks, Step
from bot.command import Between, Duration
from bot.context import Context
from bot.errors import OutsideError, Usage, VccError
from bot.line import join
from bot.model import Button, Outcome, Reply, Risk, Tone
from commands.backup.group import group, held
from commands.backup.page import button, ended, figures_of, hooks_for, line, parts_fields, raw, shelf_of

_LOG = logging.getLogger("vcc.backup")
_LONGEST = 6 * 3_600
Wait = Annotated[Duration, Between(1, 1_800)]


@group.command(
    "create",
    Risk.CHANGE,
    timeout=_LONGEST,
    examples=("backup", "backup create", "backup create --no-uploads", "backup create --wait 10m"),
    locks=held,
    cancellable=True,
)
async def create(
    ctx: Context, *, no_uploads: bool = False, no_database: bool = False, no_pause: bool = False, wait: Wait = Duration(FIVE_MINUTES)
) -> Reply:
    """Make one backup and prove it."""
    if no_uploads and no_database:
        raise Usage("backup.nothing_left")
    order = Order("asked", ctx.person.name, ctx.invocation.reference, not no_database, not no_uploads, pause=not no_pause, wait=float(wait))
    last = list[Step]()
    try:
        return _told(ctx, await Creation(ctx.ops, ctx.settings, _hooks(ctx, last), ctx.clock).run(order))
    except EndedBy as end:
        return ended(ctx, end.key, end)
    except OutsideError as failure:
        _LOG.warning("%s: no backup: %s %s", ctx.invocation.reference, failure, failure.detail)
        return await _failed(ctx, failure, last[-1].name if last else "sweep")


def _hooks(ctx: Context, last: list[Step]) -> Hooks:
    async def holding(*queues: str) -> None:
        await ctx.promise(*(join(("queue", "resume", name)) for name in queues))

    hooks = hooks_for(ctx, holding)

    def say(step: Step) -> None:
        last[:] = [step]
        hooks.say(step)

    return Hooks(say, hooks.asked_to_end, hooks.holding)


def _told(ctx: Context, created: Created) -> Reply:
    words, figures, manifest = ctx.words, figures_of(ctx), created.manifest
    fields = [*parts_fields(ctx, manifest), *_held(ctx, created), *_remote(ctx, created)]
    troubled = bool(created.still_closed or created.copied.failure)
    buttons = [button(ctx, "show", manifest.id), button(ctx, "verify", manifest.id)]
    if created.still_closed:
        buttons.insert(0, Button(words("backup.button.resume"), "queue resume", "primary"))
    return Reply(
        title=words("backup.created", id=manifest.id, took=figures.duration(manifest.finished_at - manifest.started_at)),
        text="\n".join(_sentences(ctx, created)),
        tone=Tone.WARN if troubled or manifest.warnings else Tone.GOOD,
        fields=tuple(fields),
        buttons=tuple(buttons),
        data=_raw(created),
    )


def _sentences(ctx: Context, created: Created) -> list[str]:
    """What must be known, the most urgent first."""
    words, said = ctx.words, list[str]()
    if created.still_closed:
        said.append(words("backup.still_closed", names=", ".join(created.still_closed)))
    failure, pushed = created.copied.failure, created.copied.pushed
    if failure is not None:
        said.append(words("backup.not_sent", reason=words(failure.key, **failure.values)))
    if pushed is not None and pushed.stopped_by:
        said.append(words("backup.sending_ended", person=pushed.stopped_by))
    said += created.manifest.warnings
    compared = created.compared
    if compared is not None and compared.broken:
        said.append(words("backup.broken_documents", count=figures_of(ctx).count(compared.broken)))
    return [words("backup.good_sentence"), *(f"! {each}" for each in said)]


def _held(ctx: Context, created: Created) -> list[tuple[str, str]]:
    if not created.held_s:
        return []
    return [(ctx.words("backup.field.held"), figures_of(ctx).duration(created.held_s))]


def _remote(ctx: Context, created: Created) -> list[tuple[str, str]]:
    pushed = created.copied.pushed
    if pushed is None or not created.copied.there:
        return []
    return [(ctx.words("backup.field.remote"), ctx.words("backup.sent", size=figures_of(ctx).size(pushed.sent_bytes)))]


def _raw(created: Created) -> dict[str, Any]:
    return {
        **raw(created.backup),
        "took_s": created.manifest.finished_at - created.manifest.started_at,
        "held_s": created.held_s,
        "still_paused": list(created.still_closed),
        "compared": created.compared and asdict(created.compared),
        "remote": created.copied.pushed and asdict(created.copied.pushed),
    }


async def _failed(ctx: Context, failure: VccError, step: str) -> Reply:
    """Which step, why, that nothing of it is left, and which backup still counts."""
    words = ctx.words
    good = await _newest_good(ctx)
    left = words("backup.last_good", id=good.id) if good else words("backup.none_good")
    return Reply(
        title=words("backup.failed", step=words(f"backup.step.{step}")),
        text="\n".join((words(failure.key, **failure.values), words("backup.nothing_stays"), left)),
        outcome=Outcome.FAILED,
        tone=Tone.BAD,
        buttons=(Button(words("backup.button.list"), line("list")),),
        data={"step": step, "reason": failure.key, "last_good": good.id if good else None},
    )


async def _newest_good(ctx: Context) -> Backup | None:
    try:
        backups = await ctx.ops.shelf_threads.run(shelf_of(ctx).backups)
    except VccError:
        return None
    return next((each for each in backups if is_good(each)), None)
