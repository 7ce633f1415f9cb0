"""``backup verify``: every byte of a backup against its hashes, its documents and files against its manifest."""

from __future__ import annotations

from dataclasses import asdict

from bot.backup.verify import Verified
from bot.backup.verify import verify as verified
from bot.backup.work import EndedBy
from bot.context import Context
from bot.model import Button, Outcome, Reply, Risk, Tone
from commands.backup.group import group
from commands.backup.page import button, ended, figures_of, hooks_for, line, shelf_of, shown_names


@group.command(
    "verify",
    Risk.READ,
    timeout=6 * 3_600,
    examples=("backup verify", "backup verify 2026-01-22T10-00-00Z"),
    cancellable=True,
)
async def verify(ctx: Context, id: str | None = None) -> Reply:
    """Read all of one backup, and write down what was found."""
    try:
        found = await verified(shelf_of(ctx), id or "", hooks_for(ctx), ctx.clock)
    except EndedBy as end:
        return ended(ctx, "backup.verify_ended_by", end)
    return _sound(ctx, found) if not found.faults else _damaged(ctx, found)


def _sound(ctx: Context, found: Verified) -> Reply:
    words, figures = ctx.words, figures_of(ctx)
    compared, said = found.compared, list[str]()
    if compared is not None and compared.broken:
        said.append(words("backup.broken_documents", count=figures.count(compared.broken)))
    if compared is not None and compared.unowned:
        said.append(words("backup.unowned_files", count=figures.count(compared.unowned)))
    read = words("backup.read", files=figures.count(found.files), size=figures.size(found.bytes), took=figures.duration(found.took_s))
    return Reply(
        title=words("backup.verified", id=found.id),
        text="\n".join((read, *said)),
        tone=Tone.GOOD,
        buttons=(button(ctx, "show", found.id),),
        data=asdict(found),
    )


def _damaged(ctx: Context, found: Verified) -> Reply:
    words, figures = ctx.words, figures_of(ctx)
    names = [f"{words(f'backup.fault.{fault.kind}')}: {fault.name}" for fault in found.first]
    return Reply(
        title=words("backup.verify_failed", id=found.id, count=figures.count(found.faults)),
        text="\n".join((shown_names(ctx, names, found.faults), words("backup.use_another"))),
        outcome=Outcome.FAILED,
        tone=Tone.BAD,
        buttons=(Button(words("backup.button.list"), line("list")), Button(words("backup.button.create"), line("create"), "primary")),
        data=asdict(found),
    )
