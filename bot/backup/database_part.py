"""The database's part of a backup: the dump, and the proof that it is what the server held while it was made.

How far the two may differ is what the server itself says was written meanwhile: not a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.backup.manifest import CollectionPart, Consistency, DatabasePart, FileEntry
from bot.backup.work import Hooks, Step, Threads
from bot.errors import OutsideError
from bot.ops.bson_walk import walk_bson
from bot.ops.dump import Dump
from bot.ops.dump_faults import Damaged
from bot.ops.dump_files import make_directory
from bot.ops.dump_names import BSON, METADATA, is_ours
from bot.ops.dump_values import DumpedCollection, DumpResult, Moved
from bot.ops.mongo import Mongo
from bot.ops.mongo_moves import Moves

FOLDER = "database"


@dataclass(frozen=True, slots=True)
class Dumped:
    """What was written, its files by their paths in the backup, and what the server held before and after."""

    result: DumpResult
    files: tuple[FileEntry, ...]
    before: Look
    after: Look

    def part(self, *, still: bool) -> DatabasePart:
        """As the manifest tells it; ``still`` when the queues were held and empty of work."""
        result = self.result
        consistency: Consistency = "snapshot" if result.consistency == "snapshot" else "paused_queue" if still else "none"
        collections = tuple(
            CollectionPart(each.name, each.kind, each.documents, each.bytes, each.indexes, each.file) for each in result.collections
        )
        return DatabasePart(
            result.database, result.server_version, consistency, collections, self.before.newest, result.took_s, result.left_out
        )


@dataclass(frozen=True, slots=True)
class Look:
    """The server at one moment: documents counted one by one, what was ever written, the newest document's time."""

    counts: Mapping[str, int]
    moves: Moves | None
    newest: float | None


class DatabaseCopy:
    """Copies one database. ``uri`` is its server's address."""

    def __init__(self, mongo: Mongo, uri: str, hooks: Hooks, threads: Threads) -> None:
        self._mongo = mongo
        self._uri = uri
        self._hooks = hooks
        self._threads = threads

    async def dump(self, making: Path) -> Dumped:
        """Write ``<making>/database/<name>/…``."""
        target = making / FOLDER
        await self._threads.run(make_directory, target)
        dump = Dump(self._uri, database=self._mongo.database)
        try:
            before = await self._look(first=True)
            result = await dump.run(target, say=self._tell)
            after = await self._look(first=False)
        finally:
            await dump.close()
        files = await self._threads.run(_files, making, result)
        return Dumped(result, files, before, after)

    def _tell(self, moved: Moved) -> None:
        self._hooks.say(Step("database", moved.bytes, max(moved.bytes, moved.total_bytes), "bytes"))

    async def _look(self, *, first: bool) -> Look:
        """What was written is asked outermost, so that it covers the counting too."""
        moves = await self._mongo.movement.so_far() if first else None
        counts = {each.name: each.count for each in await self._mongo.counts(exact=True) if not is_ours(each.name)}
        newest = await self._mongo.movement.newest(counts) if first else None
        if not first:
            moves = await self._mongo.movement.so_far()
        return Look(counts, moves, newest)

    async def prove(self, making: Path, dumped: Dumped) -> tuple[str, ...]:
        """Compare the dump with what the server held, and walk its files as they stand on the disk. OutsideError names what is wrong.

        The names of collections that could not be compared, as nobody knows what was written to them meanwhile.
        """
        unsure = compare(dumped)
        stored = [each for each in dumped.result.collections if each.kind != "view"]
        done = 0
        for each in stored:
            self._hooks.say(Step("check_database", done, dumped.result.bytes, "bytes"))
            await self._threads.run(_walked, making / FOLDER / dumped.result.database, each)
            done += each.bytes
        return unsure


def compare(dumped: Dumped) -> tuple[str, ...]:
    """Each collection's documents against the counts before and after; see ``DatabaseCopy.prove``."""
    before, after = dumped.before, dumped.after
    written = before.moves.until(after.moves) if before.moves and after.moves else None
    unsure = []
    for each in dumped.result.collections:
        if each.kind == "view" or each.name in dumped.result.left_out:
            continue
        least, most = sorted((before.counts.get(each.name, 0), after.counts.get(each.name, 0)))
        if least <= each.documents <= most:
            continue
        if written is None:
            unsure.append(each.name)
        elif not least - written[1] <= each.documents <= most + written[0]:
            raise OutsideError("backup.miscounted", system="backup", name=each.name, dumped=each.documents, live=most)
    missing = set(after.counts) & set(before.counts) - {each.name for each in dumped.result.collections} - set(dumped.result.left_out)
    if missing:
        raise OutsideError("backup.not_dumped", system="backup", names=", ".join(sorted(missing)))
    return tuple(unsure)


def _walked(folder: Path, collection: DumpedCollection) -> None:
    path = folder / (collection.file + BSON)
    found = walk_bson(path)
    if (found.documents, found.bytes) != (collection.documents, collection.bytes):
        raise Damaged(path.name, min(found.bytes, collection.bytes), "not as much as was written")


def _files(making: Path, result: DumpResult) -> tuple[FileEntry, ...]:
    """Every file of the dump, with the hashes taken while it was written."""
    found: list[FileEntry] = []
    for each in result.collections:
        hashes: Sequence[tuple[str, str]] = ((each.file + METADATA, each.sha256_metadata), (each.file + BSON, each.sha256_bson))
        for name, sha256 in hashes:
            if sha256:
                path = f"{FOLDER}/{result.database}/{name}"
                found.append(FileEntry(path, (making / path).stat().st_size, sha256))
    return tuple(found)


def documents_of(folder: Path, part: DatabasePart, names: Sequence[str]) -> dict[str, Path]:
    """The files of these collections in the backup at ``folder``, as far as it has them."""
    files = {each.name: folder / FOLDER / part.name / (each.file + BSON) for each in part.collections if each.kind != "view"}
    return {name: files[name] for name in names if name in files}
