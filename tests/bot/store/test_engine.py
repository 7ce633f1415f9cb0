"""The state file: written or refused as a whole, never half; a newer one is left alone."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.errors import CannotStart, RecordUnwritable
from bot.store.engine import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open store with a table of words."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    await store.write(lambda db: db.execute("CREATE TABLE words (word TEXT UNIQUE)"))
    yield store
    store.close()


def put(word: str, then: Exception | None = None) -> Callable[[Database], str]:
    """Work that writes a word, and then perhaps fails."""

    def work(db: Database) -> str:
        db.execute("INSERT INTO words VALUES (?)", (word,))
        if then is not None:
            raise then
        return word

    return work


async def words(store: Store) -> set[str]:
    """What is on the disk."""
    return await store.read(lambda db: {row[0] for row in db.execute("SELECT word FROM words")})


async def test_a_write_returns_its_value_and_is_there_to_read(store: Store) -> None:
    assert await store.write(put("a")) == "a"
    assert await words(store) == {"a"}


async def test_work_that_fails_is_undone_alone(store: Store) -> None:
    jobs = [put("a"), put("b", ZeroDivisionError()), put("c"), put("a")]
    results = await asyncio.gather(*(store.write(job) for job in jobs), return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["str", "ZeroDivisionError", "str", "IntegrityError"]
    assert await words(store) == {"a", "c"}


async def test_a_thousand_writers_at_once_all_get_their_turn(store: Store) -> None:
    await asyncio.gather(*(store.write(put(str(number))) for number in range(1000)))
    assert len(await words(store)) == 1000


async def test_a_full_disk_is_told_and_nothing_is_half_written(store: Store) -> None:
    pages = await store.read(lambda db: int(db.execute("PRAGMA page_count").fetchone()[0]))
    await store.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 1}").fetchone())
    with pytest.raises(RecordUnwritable):
        await store.write(put("x" * 50_000))
    assert await words(store) == set()
    await store.write(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchone())
    await store.write(put("small"))
    assert await words(store) == {"small"}


async def test_a_closed_store_is_unwritable(tmp_path: Path) -> None:
    store = Store(tmp_path / "vcc.db")
    store.open()
    store.close()
    with pytest.raises(RecordUnwritable):
        await store.write(lambda db: None)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordUnwritable):
        Store(tmp_path / "file" / "vcc.db").open()


def test_a_file_that_is_no_state_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "vcc.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(RecordUnwritable):
        Store(tmp_path / "vcc.db").open()


def test_a_state_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "vcc.db"
    store = Store(path)
    store.open()
    store.close()
    newer = Database(path)
    newer.table("_sqlite_migrations").insert({"migration_set": "vcc", "name": "a_later_house", "applied_at": "2030-01-01"}, alter=True)
    newer.close()
    before = path.read_bytes()
    with pytest.raises(CannotStart) as refusal:
        Store(path).open()
    assert refusal.value.values["names"] == "a_later_house"
    assert path.read_bytes() == before


def test_the_state_file_is_for_its_owner_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "vcc.db")
    store.open()
    store.close()
    assert (tmp_path / "vcc.db").stat().st_mode & 0o077 == 0


_PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.errors import RecordUnwritable
from bot.store.engine import Store

async def main():
    store = Store(Path(sys.argv[1]))
    store.open()
    try:
        await store.write(lambda db: db.execute("CREATE TABLE big AS SELECT zeroblob(3000000) AS it"))
    except RecordUnwritable:
        print("unwritable", (await store.read(lambda db: db.execute("SELECT COUNT(*) FROM audit").fetchone()))[0])

asyncio.run(main())
"""


def test_a_real_limit_of_the_operating_system_is_told_as_well(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + _PROGRAM, str(tmp_path / "vcc.db")],
        preexec_fn=limit, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "unwritable 0", done.stderr
