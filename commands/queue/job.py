"""``queue job``: one job in full. What it carries stays out but for names and sizes; an admin may see it, privately and recorded."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from bot.context import Context
from bot.errors import Conflict, Forbidden
from bot.figures import NONE, Figures
from bot.model import Attachment, Button, Reply, Risk, Role, Table, Tone
from bot.ops import job_data
from bot.ops.bull_values import Fault, JobDetail
from bot.ops.log_text import LogText
from commands.queue.group import group
from commands.queue.jobs import when
from commands.queue.naming import holder_of, line

_STACK_LINES = 12
_LINE = 300
_FITS = 2_600  # characters: what fits into one message on every platform


@group.command("job", Risk.READ, timeout=15, examples=("queue job 128", 'queue job 128 --queue "image generation" --data'))
async def job(ctx: Context, id: str, *, queue: str | None = None, data: bool = False) -> Reply:
    """Where it is, since when, how often it was tried, and why it failed."""
    if data and ctx.person.role < Role.ADMIN:
        has, helpers = ctx.person.role.name.lower(), ctx.services.gate.who(Role.ADMIN)
        raise Forbidden("permissions.too_low", command="queue job --data", needs=Role.ADMIN.name.lower(), has=has, helpers=helpers)
    name, _ = await holder_of(ctx, id, queue)
    found = await ctx.ops.bull.jobs.job(name, id)
    if found is None:  # it went while it was looked for
        raise Conflict("queue.no_job", job=id)
    page = _Page(ctx, found)
    shown = await page.carried() if data else ""
    return Reply(
        title=ctx.words("queue.job_title", job=id, name=name, state=ctx.words(f"queue.state.{found.job.state}")),
        text="\n".join(page.notes(data)),
        tone=Tone.WARN if found.job.fault or found.job.state in ("failed", "stuck") else Tone.NEUTRAL,
        fields=page.fields(),
        tables=page.parts(),
        code=shown if data and len(shown) <= _FITS else "" if data else page.stack(),
        files=await page.file(shown) if len(shown) > _FITS else (),
        buttons=page.buttons(),
        private=data,
        data={**page.raw(), **({"data": shown} if data else {})},
    )


class _Page:
    """One job, told."""

    def __init__(self, ctx: Context, found: JobDetail) -> None:
        self._ctx = ctx
        self._found = found
        self._figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._text = LogText(ctx.settings.secrets)
        self._parts = None if found.data_cut else job_data.parts(found.data)

    @property
    def _whole(self) -> bool:
        """Whether there is a hash to tell from."""
        return self._found.job.fault not in (Fault.MISSING, Fault.NOT_A_HASH)

    def notes(self, data: bool) -> list[str]:
        """What is wrong with the job itself, and what was done with what it carries."""
        words, found = self._ctx.words, self._found
        notes = [words(f"queue.fault_long.{found.job.fault.value}")] if found.job.fault else []
        if found.job.state == "stuck":
            notes.append(words("queue.stuck_hint"))
        if found.job.state == "active" and not found.locked:
            notes.append(words("queue.stalled_hint"))
        if data:
            notes.append(words("queue.data_shown"))
        if found.data_cut:
            notes.append(words("queue.data_cut", size=self._figures.size(len(found.data.encode("utf-8", "replace")))))
        return notes

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Times and counts, without those that say nothing."""
        if not self._whole:
            return ()
        job, moment, words = self._found.job, self._figures.moment, self._ctx.words
        progress = NONE if job.progress is None else self._figures.percent(job.progress)
        ran = job.finished_at - job.started_at if job.started_at and job.finished_at else None
        cells = {
            "document": job.data_job_id or NONE,
            "made": moment(job.made_at),
            "due": when(self._ctx, self._figures, "delayed", job) if job.due_at is not None else NONE,
            "started": moment(job.started_at),
            "finished": moment(job.finished_at),
            "ran": self._figures.duration(ran),
            "attempts": f"{job.attempts_made}/{job.attempts}",
            "progress": progress,
            "priority": str(self._found.priority or NONE),
            "lock": words("queue.locked") if self._found.locked else NONE,
            "log_lines": self._figures.count(self._found.log_lines) if self._found.log_lines else NONE,
            "reason": self._text.line(job.failed_reason, _LINE) or NONE,
        }
        return tuple((words(f"queue.field.{name}"), value) for name, value in cells.items() if value != NONE)

    def parts(self) -> tuple[Table, ...]:
        """Names and sizes of what it carries."""
        if not self._parts:
            return ()
        words = self._ctx.words
        rows = tuple((self._text.line(each.path), words(f"queue.kind.{each.kind}"), self._figures.size(each.size)) for each in self._parts)
        columns = tuple(words(f"queue.column.{name}") for name in ("part", "kind", "size"))
        return (Table(columns, rows, words("queue.parts_title", size=self._figures.size(self._found.job.data_bytes))),)

    def stack(self) -> str:
        """The newest stack trace."""
        lines = [self._text.line(each, _LINE) for each in self._found.stack.split("\n") if each.strip()]
        return "\n".join(lines[:_STACK_LINES])

    async def carried(self) -> str:
        """What it carries, every secret masked. Beside the loop, as it may be long."""
        return await asyncio.to_thread(job_data.shown, self._found.data, self._ctx.settings.secrets)

    async def file(self, shown: str) -> tuple[Attachment, ...]:
        """The same as a file."""
        return (await self._ctx.attach(f"job-{self._found.job.id}.json", shown.split("\n")),)

    def buttons(self) -> tuple[Button, ...]:
        """A failed job may be retried."""
        job = self._found.job
        if job.state != "failed" or not self._whole:
            return ()
        return (Button(self._ctx.words("queue.retry_button"), line("retry", [job.id], queue=job.queue), "primary"),)

    def raw(self) -> dict[str, Any]:
        """For ``--json``."""
        found = self._found
        return {
            **asdict(found.job),
            "fault": found.job.fault.value,
            "failed_reason": self._text.line(found.job.failed_reason),
            "locked": found.locked,
            "priority": found.priority,
            "log_lines": found.log_lines,
            "stack": self.stack(),
            "parts": [asdict(each) for each in self._parts or ()],
        }
