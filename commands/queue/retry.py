"""``queue retry``: failed jobs back in line as Bull itself does it: one, or all that failed for a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.context import Context
from bot.errors import Conflict, Usage
from bot.figures import Figures
from bot.model import Button, Progress, Reply, Risk, Tone
from bot.ops.bull_jobs import REASONS_AT_MOST
from bot.ops.bull_reasons import matching
from bot.ops.bull_retry import Retried
from bot.ops.bull_values import QueueStatus
from commands.queue.group import group, held
from commands.queue.naming import holder_of, line, names_of, resume_line

ALL = "all"
_AT_ONCE = 50
_REFUSED = {Retried.LOCKED: "queue.retry_locked", Retried.NOT_FAILED: "queue.retry_not_failed", Retried.BROKEN: "queue.retry_broken"}


@group.command(
    "retry",
    Risk.CHANGE,
    timeout=60,
    examples=("queue retry 128", 'queue retry all --reason "status code 500"', 'queue retry all --queue "image generation"'),
    locks=held,
)
async def retry(ctx: Context, target: str, *, queue: str | None = None, reason: str | None = None) -> Reply:
    """Put one failed job back in line, or all (with this in their reason)."""
    if target.lower() == ALL:
        return await _all(ctx, queue, reason)
    if reason is not None:
        raise Usage("queue.reason_for_all")
    return await _one(ctx, target, queue)


async def _one(ctx: Context, job: str, queue: str | None) -> Reply:
    name, where = await holder_of(ctx, job, queue)
    came = (await ctx.ops.bull.retry(name, [job]))[job]
    state = ctx.words(f"queue.state.{where.state or where.place}")
    if came is Retried.MISSING:
        raise Conflict("queue.retry_missing", job=job)
    if came is not Retried.DONE:
        raise Conflict(_REFUSED[came], job=job, state=state)
    after = await ctx.ops.bull.queue(name)
    return Reply(
        title=ctx.words("queue.retried_one", job=job, name=name),
        text=_text(ctx, [], after),
        tone=_tone(after),
        buttons=_buttons(ctx, after, None),
        data={"queue": name, "retried": [job], "left": 0, "paused": after.is_paused},
    )


async def _all(ctx: Context, queue: str | None, reason: str | None) -> Reply:
    """Those that have failed by now, the newest first; what fails again meanwhile is not retried again."""
    name = await _failed_queue(ctx, queue)
    total, failed = await ctx.ops.bull.jobs.failed_reasons(name, REASONS_AT_MOST)
    ids = [job for job, _ in failed] if reason is None else matching(failed, reason)
    if not ids:
        raise Conflict("queue.nothing_matches" if reason else "queue.nothing_failed", name=name, reason=reason or "")
    came = await _retried(ctx, name, ids)
    after = await ctx.ops.bull.queue(name)
    done = [job for job in ids if came[job] is Retried.DONE]
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    unread = max(0, total - REASONS_AT_MOST)
    return Reply(
        title=ctx.words("queue.retried", count=figures.count(len(done)), name=name),
        text=_text(ctx, _left(ctx, figures, came, unread), after),
        tone=Tone.WARN if len(done) < len(ids) or unread else _tone(after),
        buttons=_buttons(ctx, after, reason if unread else None, more=bool(unread)),
        data={
            "queue": name,
            "retried": done,
            "refused": {job: each.name.lower() for job, each in came.items() if each is not Retried.DONE},
            "left": unread,
            "paused": after.is_paused,
        },
    )


async def _failed_queue(ctx: Context, queue: str | None) -> str:
    """The queue meant; of several the only one with failed jobs."""
    names = await names_of(ctx, queue)
    if len(names) == 1:
        return names[0]
    filled = [each.name for each in await ctx.ops.bull.queues() if each.failed]
    if len(filled) > 1:
        raise Usage("queue.which_queue", names=" · ".join(filled))
    return filled[0] if filled else names[0]


async def _retried(ctx: Context, name: str, ids: Sequence[str]) -> dict[str, Retried]:
    came: dict[str, Retried] = {}
    for at in range(0, len(ids), _AT_ONCE):
        came |= await ctx.ops.bull.retry(name, ids[at : at + _AT_ONCE])
        ctx.say(Progress(ctx.words("queue.retrying"), len(came), len(ids), ctx.words("queue.unit")))
    return came


def _left(ctx: Context, figures: Figures, came: dict[str, Retried], unread: int) -> list[str]:
    """What was not retried, and why."""
    counted = Counter(came.values())
    told = {"locked": Retried.LOCKED, "gone": Retried.NOT_FAILED, "missing": Retried.MISSING, "broken": Retried.BROKEN}
    left = [ctx.words(f"queue.left.{name}", count=figures.count(counted[kind])) for name, kind in told.items() if counted[kind]]
    return left + ([ctx.words("queue.left.unread", count=figures.count(unread))] if unread else [])


def _text(ctx: Context, left: Sequence[str], after: QueueStatus) -> str:
    paused = [ctx.words("queue.retried_paused")] if after.is_paused else []
    return "\n".join((*left, *paused, ctx.words("queue.retried_once"), ctx.words("queue.document_follows")))


def _tone(after: QueueStatus) -> Tone:
    return Tone.WARN if after.is_paused else Tone.GOOD


def _buttons(ctx: Context, after: QueueStatus, reason: str | None, *, more: bool = False) -> tuple[Button, ...]:
    buttons = [Button(ctx.words("queue.resume_button"), resume_line(after.name), "primary")] if after.is_paused else []
    if more:
        options = {"reason": reason} if reason else {}
        buttons.append(Button(ctx.words("queue.retry_more"), line("retry", [ALL], queue=after.name, **options)))
    return tuple(buttons)
