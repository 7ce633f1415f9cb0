"""The two things a restore replaces, each with a way forward and a way back from wherever it stands: the database and the uploads.

Both are told from any other restore by their mark. Knows no order of steps, and nothing of the application.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from bot.backup.work import Step, Threads
from bot.errors import Conflict, OutsideError
from bot.ops.dump_names import Side, is_ours
from bot.ops.dump_source import Source
from bot.ops.dump_values import LoadResult, Moved
from bot.ops.load import Load
from bot.ops.load_swap import Swap
from bot.ops.mongo import Mongo
from bot.ops.snapshot_restore import PutBack, Restore
from bot.ops.tree_values import Snapshot, TreeMoved

Tell = Callable[[Step], None]
_UNTOUCHED = (None, "building", "built")


class DatabaseSide:
    """The database of ``mongo``, whose server is at ``uri``."""

    def __init__(self, mongo: Mongo, uri: str, mark: str, tell: Tell) -> None:
        self._side = side = Side(mongo.database, mark)
        self._mongo = mongo
        self._load, self._swap = Load(uri, side), Swap(uri, side)
        self._tell = tell

    async def close(self) -> None:
        """Close the connections."""
        await self._load.close()
        await self._swap.close()

    async def load(self, source: Source, only: Collection[str] | None) -> LoadResult:
        """Load beside the live collections, every document compared with the dump."""
        return await self._load.run(source, only=only, say=self._moved)

    def _moved(self, moved: Moved) -> None:
        self._tell(Step("load", moved.bytes, max(moved.bytes, moved.total_bytes), "bytes"))

    async def swap(self, loaded: LoadResult, *, whole: bool, saved: Mapping[str, int] | None) -> None:
        """Put it in the live ones' place, and see that there is just that now; then let documents expire again.

        Conflict when what was replaced holds documents that the safety backup, with ``saved`` so many, cannot have.
        """
        await self._swap.begin(loaded, others_too=whole)
        expected = {each.name: each.documents for each in loaded.collections if each.kind != "view"}
        counted = {each.name: each.count for each in await self._mongo.counts(exact=True)}
        if saved is not None:
            known = {self._side.outgoing(name): count for name, count in saved.items()}
            for name, count in sorted(counted.items()):
                if is_ours(name) and name.startswith(self._side.outgoing("")) and count > known.get(name, 0):
                    raise Conflict("restore.written_meanwhile", name=name.removeprefix(self._side.outgoing("")))
        standing = {name: count for name, count in counted.items() if not is_ours(name)}
        for name in sorted(expected if not whole else {*expected, *standing}):
            if expected.get(name, -1) != standing.get(name, -1):
                found = standing.get(name, 0)
                raise OutsideError("load.mismatch", system="mongodb", name=name, expected=expected.get(name, 0), found=found)
        await self._swap.arm()

    async def moved(self) -> bool:
        """Whether a live collection was touched, and not put back yet."""
        return await self._swap.state() is not None

    async def undo(self) -> None:
        """The old collections in their place, and nothing of the new ones left."""
        state = await self._swap.state()
        if state is not None:
            await (self._swap.finish() if state.phase == "undoing" else self._swap.put_back())
        await self._load.drop()

    async def settle(self) -> None:
        """Remove the old collections."""
        if await self._swap.state() is not None:
            await self._swap.settle()


class FilesSide:
    """The uploads at ``live``."""

    def __init__(self, live: Path, mark: str, threads: Threads, tell: Tell) -> None:
        self._live, self._mark = live, mark
        self._threads = threads
        self._tell = tell

    async def build(self, snapshot: Snapshot) -> PutBack:
        """Copy the backup's files beside the live ones, every byte compared with its hash."""

        def work() -> PutBack:
            with self._restore() as restore:
                return restore.build(snapshot, say=self._moved, stopping=self._threads.stopping)

        return await self._threads.run(work)

    def _moved(self, moved: TreeMoved) -> None:
        self._tell(Step("build", moved.files, max(moved.files, moved.total_files), "files"))

    def _restore(self) -> Restore:
        return Restore(self._live, self._mark)

    async def swap(self) -> None:
        """Put them in the live ones' place."""
        await self._threads.run(self._do, Restore.finish)

    def _do(self, *steps: Callable[[Restore], None]) -> None:
        with self._restore() as restore:
            for step in steps:
                step(restore)

    async def moved(self) -> bool:
        """Whether a live file was touched, and not put back yet."""
        return await self._threads.run(self._phase_is_after_building)

    def _phase_is_after_building(self) -> bool:
        with self._restore() as restore:
            return restore.state() not in (*_UNTOUCHED, "undone", "settling")

    async def undo(self) -> None:
        """The old files in their place, and nothing of the new ones left."""

        def away(restore: Restore) -> None:
            if restore.state() != "settling":
                restore.undo()
            restore.settle()

        await self._threads.run(self._do, away)

    async def settle(self) -> None:
        """Remove the old files."""
        await self._threads.run(self._do, Restore.finish, Restore.settle)
