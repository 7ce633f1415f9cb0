"""``queue jobs``: the jobs of one state, page by page. Never what a job carries."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from bot.command import Between
from bot.context import Context
from bot.errors import Usage
from bot.figures import NONE, Figures
from bot.model import Button, Reply, Risk, Table, Tone
from bot.ops.bull_values import Fault, Job, JobPage
from bot.ops.log_text import LogText
from commands.queue.group import group
from commands.queue.naming import line, names_of

PAGE = 10
_NOTE = 120
_COLUMNS = ("job", "when", "attempts", "progress", "document", "note")
State = Literal["waiting", "active", "delayed", "failed", "completed", "paused", "stalled"]


@group.command("jobs", Risk.READ, timeout=15, examples=("queue jobs failed", 'queue jobs waiting --queue "image generation" --page 2'))
async def jobs(ctx: Context, state: State, *, queue: str | None = None, page: Annotated[int, Between(1, 1_000_000)] = 1) -> Reply:
    """What comes next first; of ended jobs the newest first."""
    name, found, page = await _chosen(ctx, state, queue, page)
    words = ctx.words
    figures = Figures(words.language, ctx.settings.vcc_tz)
    pages = max(1, -(-found.total // PAGE))
    told = words(f"queue.state.{state}")
    title = words("queue.jobs_title" if found.total else "queue.jobs_none", name=name, state=told, count=figures.count(found.total))
    rows = _Rows(ctx, figures, state)
    return Reply(
        title=title,
        text="\n".join(await _notes(ctx, figures, name, state, found)),
        tone=Tone.WARN if any(job.fault for job in found.jobs) or (state == "stalled" and found.total) else Tone.NEUTRAL,
        tables=(rows.table(found),) if found.jobs else (),
        buttons=_buttons(ctx, name, state, page, pages),
        footer=words("queue.page", page=figures.count(page), pages=figures.count(pages)) if pages > 1 else "",
        data={
            "queue": name,
            "state": state,
            "total": found.total,
            "page": page,
            "pages": pages,
            "jobs": [rows.raw(job) for job in found.jobs],
        },
    )


async def _chosen(ctx: Context, state: str, queue: str | None, page: int) -> tuple[str, JobPage, int]:
    """The queue, its page, and the number of that page. Of several queues the only one with such jobs; Usage when more have some."""
    names = await names_of(ctx, queue)
    reader = ctx.ops.bull.jobs
    found = {name: await reader.page(name, state, (page - 1) * PAGE, PAGE) for name in names}
    filled = [name for name, each in found.items() if each.total]
    if len(filled) > 1:
        raise Usage("queue.which_queue", names=" · ".join(filled))
    name = filled[0] if filled else names[0]
    if found[name].jobs or not found[name].total:
        return name, found[name], page if found[name].total else 1
    last = -(-found[name].total // PAGE)  # the page is behind the end, as jobs come and go while somebody turns pages
    return name, await reader.page(name, state, (last - 1) * PAGE, PAGE), last


async def _notes(ctx: Context, figures: Figures, name: str, state: str, found: JobPage) -> list[str]:
    if state == "stalled" and found.total:
        return [ctx.words("queue.stalled_hint")]
    if state != "waiting" or found.total or not (paused := (await ctx.ops.bull.queue(name)).paused):
        return []
    return [ctx.words("queue.waiting_is_paused", count=figures.count(paused), command="/vcc " + line("jobs", ["paused"], queue=name))]


def _buttons(ctx: Context, name: str, state: str, page: int, pages: int) -> tuple[Button, ...]:
    turned = (("previous", page - 1), ("next", page + 1))
    return tuple(
        Button(ctx.words(f"queue.{label}"), line("jobs", [state], queue=name, page=number))
        for label, number in turned
        if 1 <= number <= pages
    )


class _Rows:
    """Jobs as rows, and raw."""

    def __init__(self, ctx: Context, figures: Figures, state: str) -> None:
        self._ctx = ctx
        self._figures = figures
        self._state = state
        self._text = LogText(ctx.settings.secrets)

    def table(self, page: JobPage) -> Table:
        """One row for each job."""
        words = self._ctx.words
        heads = {name: words(f"queue.column.{name}") for name in _COLUMNS} | {"when": words(f"queue.when.{self._state}")}
        return Table(tuple(heads[name] for name in _COLUMNS), tuple(self._row(job) for job in page.jobs))

    def _row(self, job: Job) -> tuple[str, ...]:
        if job.fault in (Fault.MISSING, Fault.NOT_A_HASH):
            return (job.id, NONE, NONE, NONE, NONE, self._note(job))
        progress = NONE if job.progress is None else self._figures.percent(job.progress)
        attempts = f"{job.attempts_made}/{job.attempts}"
        return (job.id, when(self._ctx, self._figures, self._state, job), attempts, progress, job.data_job_id or NONE, self._note(job))

    def _note(self, job: Job) -> str:
        """What is wrong with the job itself, and why it failed."""
        fault = self._ctx.words(f"queue.fault.{job.fault.value}") if job.fault else ""
        return " · ".join(part for part in (fault, self._text.line(job.failed_reason, _NOTE)) if part) or NONE

    def raw(self, job: Job) -> dict[str, Any]:
        """For ``--json``."""
        return {**asdict(job), "fault": job.fault.value, "failed_reason": self._text.line(job.failed_reason)}


def when(ctx: Context, figures: Figures, state: str, job: Job) -> str:
    """The moment that matters for a job of this state, from now."""
    now = ctx.clock()
    if state == "delayed" and job.due_at is not None:
        return ctx.words("queue.soon" if job.due_at <= now else "queue.in", time=figures.duration(max(0.0, job.due_at - now)))
    moments = {"active": job.started_at, "stalled": job.started_at, "failed": job.finished_at, "completed": job.finished_at}
    return figures.since(moments.get(state, job.made_at), now)
