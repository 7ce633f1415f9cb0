"""Puts loaded collections in the place of the live ones, and back: by renaming inside one database, which copies nothing.

Each collection changes at once; the old ones are kept until ``settle``. Killed anywhere, the journal and the names of the
collections tell where it stood, and ``finish`` or ``put_back`` goes on from there. Whoever writes to the database must be stopped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pymongo.write_concern import WriteConcern

from bot.errors import Conflict, OutsideError
from bot.ops.bounded import within
from bot.ops.dump_client import DEADLINE, connect, exact
from bot.ops.dump_metadata import listed
from bot.ops.dump_names import JOURNAL, SYSTEM, Side, is_swappable, mark_of
from bot.ops.dump_values import Definition, LoadResult
from bot.ops.load_indexes import create_command, expiries, expiry_command
from bot.ops.load_journal import Journal, Phase, journal_of
from bot.ops.mongo_errors import MONGODB

# On disk, and on most members of a replica set, before the next step.
_DURABLE = {"w": "majority", "j": True}
_UNDOABLE: frozenset[Phase] = frozenset({"swapping", "swapped", "undoing"})


@dataclass(frozen=True, slots=True)
class SwapState:
    """A swap that was begun and not settled: ``moved`` of ``collections`` stand in their new place."""

    mark: str
    phase: Phase
    collections: int
    moved: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What restores left: marks of swaps that were not settled, of loads beside the live data, and of databases of their own."""

    swaps: tuple[str, ...]
    loads: tuple[str, ...]
    scratch: tuple[str, ...]


async def unfinished(uri: str, database: str) -> Unfinished:
    """Look for what restores of ``database`` left behind; a swap's mark is among the loads no more."""
    client = connect(uri)
    try:
        async with within(MONGODB, DEADLINE):
            swaps = {str(found["_id"]) async for found in client[database][JOURNAL].find({}, {"_id": 1})}
            loads = {mark for name in await client[database].list_collection_names() if (mark := mark_of(name))}
            begin = Side(database, "", scratch=True).database
            scratch = {name.removeprefix(begin) for name in await client.list_database_names() if name.startswith(begin)}
    finally:
        await client.close()
    return Unfinished(tuple(sorted(swaps)), tuple(sorted(loads - swaps)), tuple(sorted(scratch)))


class Swap:
    """Swaps in the database of ``side`` at ``uri``. ValueError when ``uri`` is none."""

    def __init__(self, uri: str, side: Side) -> None:
        if side.scratch:
            raise ValueError("a database of its own is not swapped in")
        self._client = connect(uri)
        self._side = side
        self._database = exact(self._client, side.database)
        self._journal = self._database.get_collection(JOURNAL, write_concern=WriteConcern(w="majority", j=True))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def state(self) -> SwapState | None:
        """The swap with this side as it stands; None when there is none, or it is settled or put back."""
        journal = await self._read()
        if journal is None:
            return None
        names = await self._names()
        moved = sum(self._side.incoming(name) not in names for name in journal.bring)
        moved += sum(self._side.outgoing(name) in names for name in journal.away)
        return SwapState(journal.mark, journal.phase, len(journal.bring) + len(journal.away), moved)

    async def begin(self, result: LoadResult, *, others_too: bool = True) -> None:
        """Swap in what was loaded. ``others_too`` takes live collections away that the dump has not, so that the two are equal.

        Nothing expires yet, so that it can be proven first: see ``arm``.
        """
        live = await self._live()
        bring = {each.name: each for each in result.definitions}
        gone = [each for each in live.values() if others_too or each.name in bring]
        for each in gone:
            if each.kind == "timeseries":
                raise OutsideError("dump.timeseries", system=SYSTEM, name=each.name)
        stored = [each.name for each in bring.values() if each.kind != "view"]
        if not {self._side.incoming(name) for name in stored} <= await self._names():
            raise Conflict("load.not_loaded", database=self._side.database)
        journal = Journal(
            mark=self._side.mark,
            phase="swapping",
            away=tuple(each.name for each in gone if each.kind != "view"),
            bring=tuple(stored),
            views_away=tuple(each for each in gone if each.kind == "view"),
            views_bring=tuple(each for each in bring.values() if each.kind == "view"),
            expire=expiries(bring.values()),
        )
        async with within(MONGODB, DEADLINE):
            if await self._journal.find_one({}) is not None:
                raise Conflict("load.unfinished", database=self._side.database)
            await self._journal.insert_one(journal.document())
        await self.finish()

    async def finish(self) -> None:
        """Go on with what was begun, from wherever it stands: swap, settle, or put back. Does nothing when there is nothing."""
        journal = await self._read()
        if journal is None:
            return
        if journal.phase == "undoing":
            await self._undo(journal)
        elif journal.phase == "settling":
            await self._settle(journal)
        elif journal.phase == "swapping":
            await self._drop_views(journal.views_away, journal.views_bring)
            for name in sorted({*journal.away, *journal.bring}):
                await self._take(name, journal)
            await self._make_views(journal.views_bring)
            await self._enter("swapped")

    async def arm(self) -> None:
        """Let documents expire as they did where the dump was made; before anybody else opens the database again."""
        journal = await self._at_phase({"swapped"})
        for each in journal.expire:
            await self._command(expiry_command(each, each.collection))

    async def put_back(self) -> None:
        """The old collections in their place again, the loaded ones beside them. Conflict once settling has begun."""
        await self._at_phase(_UNDOABLE)
        await self._enter("undoing")
        await self.finish()

    async def settle(self) -> None:
        """Keep the swap for good: the old collections are removed."""
        await self._at_phase({"swapped", "settling"})
        await self.arm_if_swapped()
        await self._enter("settling")
        await self.finish()

    async def arm_if_swapped(self) -> None:
        """``arm``, where it is not too late for it."""
        journal = await self._read()
        if journal is not None and journal.phase == "swapped":
            await self.arm()

    async def _take(self, name: str, journal: Journal) -> None:
        """One collection: the live one away, the loaded one in."""
        names = await self._names()
        incoming, outgoing = self._side.incoming(name), self._side.outgoing(name)
        comes = name in journal.bring and incoming in names
        if name in journal.away and outgoing not in names and name in names:
            await self._rename(name, outgoing)
        elif name in names and (comes or name not in journal.bring):
            await self._drop_stranger(name)
        if comes:
            await self._rename(incoming, name)

    async def _undo(self, journal: Journal) -> None:
        await self._drop_views(journal.views_bring, journal.views_away)
        for name in sorted({*journal.away, *journal.bring}):
            names = await self._names()
            incoming, outgoing = self._side.incoming(name), self._side.outgoing(name)
            if name in journal.bring and incoming not in names and name in names:
                await self._rename(name, incoming)
            elif name in names and outgoing in names:
                await self._drop_stranger(name)
            if outgoing in names:
                await self._rename(outgoing, name)
        await self._make_views(journal.views_away)
        await self._forget(journal)

    async def _settle(self, journal: Journal) -> None:
        names = await self._names()
        for name in journal.away:
            if self._side.outgoing(name) in names:
                await self._command({"drop": self._side.outgoing(name)})
        await self._forget(journal)

    async def _drop_stranger(self, name: str) -> None:
        """A collection that somebody made meanwhile, where another belongs: in the way unless it is empty."""
        async with within(MONGODB, DEADLINE):
            inside = await self._database[name].find_one({}, {"_id": 1})
        if inside is not None:
            raise Conflict("load.in_the_way", name=name)
        await self._command({"drop": name})

    async def _drop_views(self, views: Iterable[Definition], others: Iterable[Definition]) -> None:
        live = await self._live()
        for each in (*views, *others):
            if each.name in live and live[each.name].kind == "view":
                await self._command({"drop": each.name})

    async def _make_views(self, views: Iterable[Definition]) -> None:
        names = await self._names()
        for each in views:
            if each.name not in names:
                await self._command(create_command(each, each.name))

    async def _live(self) -> dict[str, Definition]:
        """Everything in the database that is the application's."""
        async with within(MONGODB, DEADLINE):
            entries = await (await self._database.list_collections()).to_list()
        return {str(entry["name"]): listed(entry) for entry in entries if is_swappable(str(entry["name"]))}

    async def _names(self) -> set[str]:
        async with within(MONGODB, DEADLINE):
            return set(await self._database.list_collection_names())

    async def _rename(self, name: str, to: str) -> None:
        base = self._side.database
        async with within(MONGODB, DEADLINE):
            await self._client.admin.command({"renameCollection": f"{base}.{name}", "to": f"{base}.{to}", "writeConcern": _DURABLE})

    async def _command(self, command: dict[str, object]) -> None:
        async with within(MONGODB, DEADLINE):
            await self._database.command({**command, "writeConcern": _DURABLE})

    async def _read(self) -> Journal | None:
        async with within(MONGODB, DEADLINE):
            found = await self._journal.find_one({"_id": self._side.mark})
        return None if found is None else journal_of(found)

    async def _at_phase(self, phases: Collection[Phase]) -> Journal:
        journal = await self._read()
        if journal is None or journal.phase not in phases:
            raise Conflict("load.too_late", phase=journal.phase if journal else "-")
        return journal

    async def _enter(self, phase: Phase) -> None:
        async with within(MONGODB, DEADLINE):
            await self._journal.update_one({"_id": self._side.mark}, {"$set": {"phase": phase}})

    async def _forget(self, journal: Journal) -> None:
        """The journal goes last; its collection with it when it was the only one."""
        async with within(MONGODB, DEADLINE):
            await self._journal.delete_one({"_id": journal.mark})
            if await self._journal.find_one({}) is None:
                await self._database.command({"drop": JOURNAL, "writeConcern": _DURABLE})
