"""Makes a live directory equal to a snapshot: exactly, not merged, by building it beside and renaming its top entries.

The old entries are kept until ``settle``. Killed anywhere, the names tell where it stood, and ``finish`` or ``undo`` goes on.
The directory itself may be a mount point, so it stays. Whoever writes to it must be stopped. Blocks: run it in a thread.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Conflict, OutsideError
from bot.ops import snapshot_names as names
from bot.ops.bounded import describe
from bot.ops.dump_faults import SYSTEM
from bot.ops.snapshot_fill import Filler, foreign_mounts, room_needed
from bot.ops.snapshot_names import Phase, is_excluded, is_mark, mark_of, phase_of
from bot.ops.tree_copy import Ways, sync_file_system
from bot.ops.tree_index import checked
from bot.ops.tree_values import NoRoom, Say, Snapshot, Stopping, TreeFault, never, reading, silent
from bot.ops.tree_walk import names_of, open_below, open_root, status_of

VCC_OWNER = (1001, 1001)


@dataclass(frozen=True, slots=True)
class PutBack:
    """What stands in the live directory now. Not ``owner_kept``: only root may give files away, so they are ours."""

    files: int
    bytes: int
    owner_kept: bool


@contextlib.contextmanager
def _changing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutsideError("snapshot.live_unwritable", system=SYSTEM, detail=describe(error)) from error


def unfinished(live: Path) -> dict[str, Phase]:
    """What restores left in a live directory, by mark: also those that are done or undone and not settled."""
    with reading(live.name):
        there = [path.name for path in live.iterdir()]
    marks = sorted({mark_of(name) for name in there} - {""})
    return {mark: phase for mark in marks if (phase := phase_of(there, mark)) is not None}


class Restore:
    """One restore into ``live``, told from others by its ``mark``. ValueError when that cannot be part of a name."""

    def __init__(self, live: Path, mark: str) -> None:
        if not is_mark(mark):
            raise ValueError(mark)
        self._mark, self._name = mark, live.name
        with reading(live.name):
            self._live = open_root(live)

    def __enter__(self) -> Restore:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._live)

    def state(self) -> Phase | None:
        """Where it stands; None when nothing of it is left."""
        return phase_of(self._names(), self._mark)

    def others(self) -> bool:
        """Whether another restore is not settled yet."""
        return bool({mark_of(name) for name in self._names()} - {"", self._mark})

    def build(self, snapshot: Snapshot, owner: tuple[int, int] = VCC_OWNER, say: Say = silent, stopping: Stopping = never) -> PutBack:
        """Copy everything beside the live entries and bring it to disk. What an earlier try left of this is begun anew.

        Until ``finish`` nothing live is touched. Conflict while another restore is not settled."""
        if self.others() or self.state() not in (None, "building", "built"):
            raise Conflict("snapshot.unfinished")
        total = checked(snapshot.index).files
        ways = Ways(owner=owner)
        with _changing():
            self._discard_build()
            self._fits(snapshot)
            part = names.BUILDING.format(self._mark)
            os.mkdir(part, 0o700, dir_fd=self._live)
            filler = Filler(ways, total, say, stopping)
            with self._inside(part) as target, _tree(snapshot) as source:
                filler.run(snapshot, source, target)
                sync_file_system(target)
            self._rename(names.BUILDING, names.BUILT)
        return PutBack(filler.files, filler.bytes, not ways.owner_refused)

    def finish(self) -> None:
        """Go on with what was begun, in the direction it had. Conflict while it is not built: then ``put_back`` or ``undo``."""
        phase = self.state()
        if phase == "building":
            raise Conflict("snapshot.not_built")
        with _changing():
            if phase in ("built", "moving_out", "moving_in"):
                self._swap(phase)
            elif phase in ("undoing", "returning"):
                self._give_back(phase)
            elif phase == "settling":
                self._delete(names.DELETING)

    def undo(self) -> None:
        """The old entries in their place again, the new ones kept beside them until ``settle``. Conflict once settling has begun."""
        phase = self.state()
        if phase == "settling":
            raise Conflict("snapshot.too_late")
        with _changing():
            if phase in ("building", "built"):
                self._discard_build()
            elif phase == "moving_out":
                self._rename(names.LEAVING, names.RETURNING)
                self._give_back("returning")
            elif phase in ("moving_in", "done"):
                self._rename(names.BEFORE, names.UNDOING)
                self._give_back("undoing")
            elif phase in ("undoing", "returning"):
                self._give_back(phase)

    def settle(self) -> None:
        """Delete what was kept: the old entries when it is done, the new ones when it is undone."""
        phase = self.state()
        if phase not in ("done", "undone", "settling", None):
            raise Conflict("snapshot.unfinished")
        with _changing():
            if phase in ("done", "undone"):
                self._rename(names.BEFORE if phase == "done" else names.UNDONE, names.DELETING)
            self._delete(names.DELETING)

    def _swap(self, phase: Phase) -> None:
        if phase == "built":
            os.mkdir(names.LEAVING.format(self._mark), 0o700, dir_fd=self._live)
        if phase != "moving_in":
            self._move_live_into(names.LEAVING)
            self._rename(names.LEAVING, names.BEFORE)
        self._move_live_from(names.BUILT)
        os.rmdir(names.BUILT.format(self._mark), dir_fd=self._live)
        os.fsync(self._live)

    def _give_back(self, phase: Phase) -> None:
        built = names.BUILT.format(self._mark)
        if phase == "undoing":
            if status_of(self._live, built) is None:
                os.mkdir(built, 0o700, dir_fd=self._live)
            self._move_live_into(names.BUILT)
            self._rename(names.UNDOING, names.RETURNING)
        self._move_live_from(names.RETURNING)
        if status_of(self._live, built) is not None:
            self._rename(names.BUILT, names.UNDONE)
        os.rmdir(names.RETURNING.format(self._mark), dir_fd=self._live)
        os.fsync(self._live)

    def _move_live_into(self, form: str) -> None:
        with self._inside(form.format(self._mark)) as inside:
            self._move([name for name in self._names() if not is_excluded(name)], self._live, inside)

    def _move_live_from(self, form: str) -> None:
        with self._inside(form.format(self._mark)) as inside:
            self._move(names_of(inside), inside, self._live)

    def _move(self, what: list[str], source: int, target: int) -> None:
        for name in sorted(what):
            if status_of(target, name) is not None:
                raise TreeFault("snapshot.in_the_way", name)
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
        os.fsync(source)
        os.fsync(target)

    def _fits(self, snapshot: Snapshot) -> None:
        for name in foreign_mounts(self._live):
            if not is_excluded(name):
                raise TreeFault("snapshot.mounted_inside", name)
        space = os.fstatvfs(self._live)
        needed, free = room_needed(snapshot), space.f_bavail * space.f_frsize
        if needed > free:
            raise NoRoom(needed, free)

    def _discard_build(self) -> None:
        if self.state() == "built":
            self._rename(names.BUILT, names.BUILDING)
        self._delete(names.BUILDING)

    def _delete(self, form: str) -> None:
        name = form.format(self._mark)
        if status_of(self._live, name) is not None:
            shutil.rmtree(name, dir_fd=self._live)
            os.fsync(self._live)

    def _rename(self, form: str, to: str) -> None:
        """The step from one phase to the next."""
        os.rename(form.format(self._mark), to.format(self._mark), src_dir_fd=self._live, dst_dir_fd=self._live)
        os.fsync(self._live)

    def _names(self) -> list[str]:
        with reading(self._name):
            return names_of(self._live)

    @contextlib.contextmanager
    def _inside(self, name: str) -> Iterator[int]:
        opened = open_below(self._live, name)
        if opened is None:
            raise TreeFault("snapshot.in_the_way", name)
        try:
            yield opened
        finally:
            os.close(opened)


@contextlib.contextmanager
def _tree(snapshot: Snapshot) -> Iterator[int]:
    with reading(snapshot.tree.name):
        opened = open_root(snapshot.tree)
    try:
        yield opened
    finally:
        os.close(opened)
