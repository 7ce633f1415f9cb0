"""The checklists in force and the runs of them: read from the team's file or ours, kept for 400 days. Measures nothing.

Reminders are said where the report stands; what they say is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlite_utils import Database

from bot.checklists import Checklists, Run, Signature
from bot.model import Place, Reply
from bot.notices import Notices
from bot.store import checklist_rows, notice_rows
from bot.store.engine import Store
from bot.team_files import TeamFile
from bot.words import Words

FILE = "checklists.toml"
_MOST_RUNS = 1_000


class ChecklistBook:
    """What ``checklist`` commands work on. ``clock`` says what is old."""

    def __init__(self, store: Store, file: TeamFile[Checklists], words: Words, notices: Notices, clock: Callable[[], float]) -> None:
        self._store = store
        self._notices = notices
        self._file = file
        self._words = words
        self._clock = clock

    async def lists(self) -> Checklists:
        """The lists in force now, by name."""
        return await asyncio.to_thread(self._file.read)

    async def fault(self) -> str:
        """Why the team's own file is not in force, as a sentence; empty when it is, or when there is none."""
        fault = await asyncio.to_thread(lambda: self._file.fault)
        return "" if fault is None else fault.sentence(self._words)

    async def keep(self, run: Run) -> Run:
        """Write a run down, and let go of what is too old; the same with its number."""
        before = self._clock() - checklist_rows.KEPT
        return replace(run, id=await self._store.write(lambda db: checklist_rows.keep(db, run, before)))

    async def run(self, number: int) -> Run | None:
        """A run as it stands now."""
        return await self._store.read(lambda db: checklist_rows.get(db, number))

    async def newest(self, name: str = "", item: str = "", before: int = 0) -> Run | None:
        """The newest run: of this list, with this item, older than run ``before`` — each as far as it is given."""
        return await self._store.read(lambda db: checklist_rows.newest(db, name, item, before))

    async def since(self, at: float, name: str = "") -> Sequence[Run]:
        """Runs not older than ``at``, the newest first."""
        return await self._store.read(lambda db: checklist_rows.since(db, at, name, _MOST_RUNS))

    async def sign(self, number: int, item: str, signature: Signature) -> Run:
        """Put a person's word under an item; the run as it stands then. Conflict when the same was said before."""
        return await self._store.write(lambda db: checklist_rows.sign(db, number, item, signature))

    async def remind_elsewhere(self, run: Run, stage: str, here: Place, said: Reply) -> None:
        """Say this of a run in every other place that shows its report; once for each stage, however often it is asked."""

        def work(db: Database) -> None:
            places = [place for place in notice_rows.places_of_answer(db, run.reference) if place != here]
            self._notices.show(db, f"checklist:{run.id}:{stage}", places, said)

        await self._store.write(work)
