"""What the commands on backups show alike: one backup's marks, fields and raw figures, and how work on one is told. Asks nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from bot.backup.manifest import Manifest
from bot.backup.prune import is_good
from bot.backup.room import directory_of
from bot.backup.shelf import Backup, Shelf
from bot.backup.work import EndedBy, Hooks, Step
from bot.context import Context
from bot.figures import NONE, Figures
from bot.line import join
from bot.model import Button, Outcome, Progress, Reply, Tone
from bot.ops.log_text import LogText

MIB = 1 << 20
# Names of files that an answer shows.
MOST_NAMES = 10


def figures_of(ctx: Context) -> Figures:
    """Figures for the reader."""
    return Figures(ctx.words.language, ctx.settings.vcc_tz)


def shelf_of(ctx: Context) -> Shelf:
    """The shelf of the settings; OutsideError when there is none."""
    return Shelf(directory_of(ctx.settings))


def line(command: str, *words: str) -> str:
    """A line of this group, to be typed by a button."""
    return join(("backup", command, *words))


def hooks_for(ctx: Context, holding: Callable[..., Awaitable[None]] | None = None) -> Hooks:
    """Steps become progress in one message; somebody who wants it to end is heard."""

    def say(step: Step) -> None:
        done, total, unit = step.done, step.total, step.unit
        if unit == "bytes":
            done, total, unit = round(done / MIB, 1), round(total / MIB, 1), "MiB"
        elif unit:
            unit = ctx.words(f"backup.unit.{unit}")
        ctx.say(Progress(ctx.words(f"backup.step.{step.name}"), done, total, unit))

    async def nothing(*queues: str) -> None:
        return None

    return Hooks(say, ctx.cancelled, holding or nothing)


def state(backup: Backup) -> str:
    """The one word of it: ``unreadable``, ``damaged``, ``restorable``, ``good`` or ``unproven``."""
    if backup.manifest is None:
        return "unreadable"
    if backup.proof.fault:
        return "damaged"
    if not is_good(backup):
        return "unproven"
    return "restorable" if backup.proof.restorable_at is not None else "good"


def tone_of(backup: Backup) -> Tone:
    """Its colour."""
    return {"restorable": Tone.GOOD, "good": Tone.GOOD, "unproven": Tone.WARN}.get(state(backup), Tone.BAD)


def consistency(ctx: Context, manifest: Manifest) -> str:
    """Of how many moments the database is."""
    return NONE if manifest.database is None else ctx.words(f"backup.consistency.{manifest.database.consistency}")


def parts_fields(ctx: Context, manifest: Manifest) -> list[tuple[str, str]]:
    """One field for each part it has."""
    words, figures, fields = ctx.words, figures_of(ctx), list[tuple[str, str]]()
    database, uploads, configuration = manifest.database, manifest.uploads, manifest.configuration
    if database is not None:
        told = words("backup.documents", count=figures.count(database.documents), size=figures.size(database.bytes))
        fields.append((words("backup.field.database"), f"{told} · {consistency(ctx, manifest)}"))
    if uploads is not None:
        fields.append(
            (
                words("backup.field.uploads"),
                words(
                    "backup.files",
                    count=figures.count(uploads.files),
                    size=figures.size(uploads.bytes),
                    new=figures.count(uploads.new_files),
                    new_size=figures.size(uploads.new_bytes),
                ),
            )
        )
    if configuration is not None and configuration.files:
        key = "backup.configuration_sealed" if configuration.sealed else "backup.configuration"
        fields.append((words("backup.field.configuration"), words(key, count=len(configuration.files))))
    if manifest.queues:
        jobs = sum(each.waiting + each.active + each.delayed + each.failed for each in manifest.queues)
        fields.append((words("backup.field.queues"), words("backup.jobs", count=figures.count(jobs))))
    return fields


def shown_names(ctx: Context, names: Sequence[str], count: int) -> str:
    """The first of the names, made fit to show, and how many there are besides."""
    text = LogText(ctx.settings.secrets)
    shown = [text.line(name, 200) for name in names[:MOST_NAMES]]
    more = [ctx.words("backup.more_names", count=figures_of(ctx).count(count - len(shown)))] if count > len(shown) else []
    return "\n".join((*shown, *more))


def raw(backup: Backup) -> dict[str, Any]:
    """One backup for programs; the list of its files stays in its manifest."""
    manifest = backup.manifest
    told = {} if manifest is None else {key: value for key, value in asdict(manifest).items() if key != "files"}
    return {
        **told,
        "id": backup.id,
        "state": state(backup),
        "good": is_good(backup),
        "bytes": manifest.bytes if manifest else None,
        "proof": asdict(backup.proof),
    }


def button(ctx: Context, command: str, identity: str, style: str = "default") -> Button:
    """Types a command about this backup."""
    return Button(ctx.words(f"backup.button.{command}"), line(command, identity), style)


def ended(ctx: Context, key: str, end: EndedBy) -> Reply:
    """Somebody wanted it to end, and it did: nobody refused anything."""
    return Reply(
        title=ctx.words("backup.ended", line=ctx.invocation.line[:100]),
        text=ctx.words(key, person=end.person),
        outcome=Outcome.FAILED,
        tone=Tone.WARN,
        data={"reason": key, "ended_by": end.person},
    )
