"""How the answer to a run of a schedule differs from that to a line somebody typed. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.errors import VccError
from bot.figures import Figures
from bot.model import Outcome, Reply, Tone
from bot.store.schedule_rows import Run
from bot.words import Words


class ScheduleTelling:
    """Says which schedule it was, whose, how late, and that it was refused: to everybody there, as nobody typed it."""

    def __init__(self, words: Words, zone: str) -> None:
        self._words = words
        self._figures = Figures(words.language, zone)

    def cannot(self, name: str, fault: VccError) -> Reply:
        """What is told when one that is due cannot run."""
        words = self._words
        text = "\n".join((words(fault.key, **fault.values), words("inspector.schedules.fix")))
        return Reply(words("scheduler.cannot", name=name), text, Outcome.REFUSED, Tone.BAD)

    def __call__(self, run: Run, reply: Reply) -> Reply:
        """The answer as it is to be shown."""
        words, by_itself = self._words, bool(run.due)
        refused = by_itself and reply.outcome is Outcome.REFUSED
        lines = [words("scheduler.refused", name=run.schedule, owner=run.owner)] if refused else []
        if run.late and not refused:
            lines.append(words("scheduler.late", due=self._figures.moment(run.due), late=self._figures.duration(run.late)))
        if run.skipped:
            lines.append(words("scheduler.skipped", count=run.skipped))
        footer = words("scheduler.footer" if by_itself else "scheduler.footer_by_hand", name=run.schedule, owner=run.owner)
        return replace(
            reply,
            text="\n".join(part for part in (*lines, reply.text) if part),
            footer=" · ".join(part for part in (footer, reply.footer) if part),
            private=reply.private and not refused,
        )
