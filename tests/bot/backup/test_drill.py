"""What a drill takes of a backup: a sample that sees every part, put back as a restore does it; documents by chance, within bounds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Generator
from dataclasses import replace
from pathlib import Path

import bson
import pytest

from bot.backup.drill_database import MOST_DOCUMENTS, DatabaseDrill, NotRestorable, Sampling
from bot.backup.drill_uploads import choose, open_pictures, put_back
from bot.backup.shelf import Shelf
from bot.backup.work import Hooks, Threads
from bot.errors import Unreachable
from bot.ops import dump_client
from bot.ops.dump_values import Definition
from bot.ops.load import Load
from bot.ops.load_documents import Batch
from bot.ops.snapshot import take
from bot.ops.snapshot_fill import Filler
from bot.ops.tree_values import Snapshot, TreeFault, never
from bot.sandbox.png import picture, png
from tests.bot.backup.parts import fill_uploads, make
from tests.servers import RealMongod


def snapshot_of(folder: Path, files: dict[str, bytes]) -> Snapshot:
    for name, content in files.items():
        path = folder / "live" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    take(folder / "live", folder / "taken")
    return Snapshot(folder / "taken")


def test_the_sample_sees_every_part_of_the_tree_and_the_largest_file(tmp_path: Path) -> None:
    files = {f"{part}/{number:03}": b"x" for part in ("a", "b/deep", "c") for number in range(100)}
    sample = choose(snapshot_of(tmp_path, {**files, "b/deep/zz": b"largest"}), most=10)
    names = [each.path for each in sample.files]
    assert len(names) == 11
    assert {name.split("/")[0] for name in names} == {"a", "b", "c"}
    assert "b/deep/zz" in names
    assert sample.lines.keys() - set(names) == {"a/", "b/", "b/deep/", "c/"}
    assert sample.bytes == 11 * 4096


def test_few_files_are_all_taken(tmp_path: Path) -> None:
    assert len(choose(snapshot_of(tmp_path, {"a": b"1", "b": b"2", "c": b"33"}), most=10).files) == 3
    (tmp_path / "none").mkdir()
    assert choose(snapshot_of(tmp_path / "none", {"d/x": b""}), most=10).bytes == 4096


async def test_the_sample_is_put_back_whatever_its_names_and_modes(tmp_path: Path) -> None:
    odd = "d/new\nline \udcff.png"
    (tmp_path / "live" / "d").mkdir(parents=True)
    (tmp_path / "live" / odd).write_bytes(png(picture(1), "x"))
    (tmp_path / "live" / "d").chmod(0o555)
    snapshot = snapshot_of(tmp_path, {"text": b"no picture"})
    sample = choose(snapshot)
    small = put_back(snapshot, sample, tmp_path / "scratch", never)
    assert (small.tree / odd).read_bytes() == png(picture(1), "x")
    assert (small.tree / "d").stat().st_mode & 0o777 == 0o700
    assert (small.tree / odd).stat().st_ino != (snapshot.tree / odd).stat().st_ino
    found = await open_pictures(small, sample, lambda done: None)
    assert (found.files, found.opened, found.broken) == (2, 1, ())


def test_a_file_that_is_not_what_the_index_says_is_named(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, {"d/a": b"1", "d/b": b"2"})
    sample = choose(snapshot)
    (snapshot.tree / "d" / "b").write_bytes(b"3")
    with pytest.raises((TreeFault, NotRestorable), match="d/b"):
        put_back(snapshot, sample, tmp_path / "scratch", never)


def test_what_stands_in_the_scratch_directory_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot, run = snapshot_of(tmp_path, {"d/a": b"1", "d/b": b"2"}), Filler.run

    def then_a_bit_flips(self: Filler, small: Snapshot, source: int, target: int) -> None:
        run(self, small, source, target)
        (small.tree / "d" / "b").write_bytes(b"3")

    monkeypatch.setattr(Filler, "run", then_a_bit_flips)
    with pytest.raises(NotRestorable, match="d/b"):
        put_back(snapshot, choose(snapshot), tmp_path / "scratch", never)


async def test_a_server_that_ends_half_way_leaves_what_the_next_drill_sweeps(
    real_mongod: RealMongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = Shelf(tmp_path / "shelf")
    make(backup, fill_uploads(tmp_path / "uploads"))
    manifest = backup.get().manifest
    assert manifest is not None
    assert manifest.database is not None
    threads, insert = Threads(), Load._insert

    async def then_it_ends(self: Load, batch: Batch) -> None:
        await insert(self, batch)
        await asyncio.to_thread(real_mongod.stop)

    with monkeypatch.context() as patched:
        patched.setattr(Load, "_insert", then_it_ends)
        patched.setattr(dump_client, "PATIENCE", 0.3)
        drill = DatabaseDrill(real_mongod.uri, "vcc-manager", Hooks(), threads)
        with pytest.raises(Unreachable):
            await drill.run(backup.get().path, manifest.database)
    await drill.close()
    await asyncio.to_thread(real_mongod.start)
    assert drill.scratch in await asyncio.to_thread(databases, real_mongod)
    second = DatabaseDrill(real_mongod.uri, "vcc-manager", Hooks(), threads)
    await second.sweep()
    assert drill.scratch not in await asyncio.to_thread(databases, real_mongod)
    assert (await second.run(backup.get().path, manifest.database)).documents == 5
    await second.drop()
    (images,) = manifest.database.collections
    for what, told in (
        ("kind", replace(images, kind="capped")),
        ("indexes", replace(images, indexes=2)),
        ("bytes", replace(images, bytes=1)),
    ):
        with pytest.raises(NotRestorable, match=f"miscounted.{what}"):
            await second.run(backup.get().path, replace(manifest.database, collections=(told,)))
        await second.drop()
    await second.close()
    threads.close()


def databases(server: RealMongod) -> set[str]:
    with server.client() as client:
        return {name for name in client.list_database_names() if "-vccbot-" in name}


class Handmade:
    """A source of one collection, in pieces of three documents."""

    database, definitions, total_bytes = "db", (Definition("things", "collection"),), 0

    def __init__(self, documents: list[bytes]) -> None:
        self.documents = documents

    def stream(self, wanted: Collection[str] | None = None) -> Generator[tuple[str, bytes, int], None, None]:
        for at in range(0, len(self.documents), 3):
            piece = self.documents[at : at + 3]
            yield "things", b"".join(piece), len(piece)


def test_documents_are_kept_aside_by_chance_while_all_go_by() -> None:
    documents = [bson.encode({"_id": number}) for number in range(1_000)]
    kept = []
    for seed in (1, 2):
        sampling = Sampling(Handmade(documents), {"things": 1_000}, random.Random(seed))
        assert b"".join(data for _, data, _ in sampling.stream()) == b"".join(documents)
        kept.append(sampling.kept["things"])
        assert len(set(kept[-1])) == MOST_DOCUMENTS
        assert set(kept[-1]) <= set(documents)
    assert kept[0] != kept[1]


def test_big_documents_do_not_fill_the_memory() -> None:
    documents = [bson.encode({"_id": number, "text": "x" * (1 << 20)}) for number in range(12)]
    sampling = Sampling(Handmade(documents), {"things": 12}, random.Random(1))
    assert len(list(sampling.stream())) == 4
    assert sum(map(len, sampling.kept["things"])) <= 4 << 20
