"""A fetch killed at any step leaves a backup of that name whole or not at all, never loses the one before, and works the next time."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from bot import config
from bot.backup import room
from bot.backup.fetch import Fetching
from bot.backup.remote_copy import send
from bot.backup.shelf import Shelf
from bot.backup.verify import DAMAGED, verify
from bot.backup.work import Hooks, Step, Threads
from bot.ops.bundle import Ops
from tests.bot.backup.parts import NOW, fill_uploads, make
from tests.bot.ops.remote_parts import Bucket
from tests.faults.programs import processes

# At these steps, and at each name that is given while a damaged one is replaced.
STEPS = ("fetch", "verify", "aside", "in its place", "gone")


async def _fetched(environment: dict[str, str], hooks: Hooks) -> None:
    settings = config.read(environment, dotenv=None)
    ops = Ops(settings)
    try:
        offer = await Fetching(ops, settings).offer("")
        await Fetching(ops, settings, hooks).run(offer.there, replacing=offer.here is not None)
    finally:
        await ops.close()


def victim(environment: dict[str, str], fatal: str) -> None:
    """The process: it dies when it comes to the step."""
    renamed = [0]
    rename = Path.rename

    def die_at(step: str) -> None:
        if step == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def fatal_rename(path: Path, target: Path) -> Path:
        put = rename(path, target)
        renamed[0] += Path(target).parent == Path(environment["VCC_BACKUP_DIR"])
        die_at({1: "aside", 2: "in its place", 3: "gone"}.get(renamed[0], ""))
        return put

    Path.rename = fatal_rename  # type: ignore[method-assign,assignment]
    asyncio.run(_fetched(environment, Hooks(lambda step: die_at(_reached(step)))))


def _reached(step: Step) -> str:
    """Half-way: something was carried already."""
    return step.name if step.name != "fetch" or step.done else ""


async def _killed(environment: dict[str, str], fatal: str) -> int | None:
    process = processes.Process(target=victim, args=(environment, fatal))
    process.start()
    await asyncio.to_thread(process.join, 30)
    code = process.exitcode
    process.close()
    return code


@pytest.fixture
def environment(tmp_path: Path, s3_endpoint: str, s3_client: Any) -> dict[str, str]:
    """Settings with a shelf and a bucket."""
    (tmp_path / "backups").mkdir()
    return {
        "VCC_HOME": str(tmp_path / "home"),
        "VCC_BACKUP_DIR": str(tmp_path / "backups"),
        "VCC_BACKUP_S3_URL": f"s3://{Bucket(s3_client, f'kills-{os.getpid()}').name}/vcc",
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-key",
        "AWS_REGION": "us-east-1",
    }


async def test_killed_at_any_step_one_of_the_two_stands_and_the_next_fetch_is_good(environment: dict[str, str], tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "backups")
    identity = make(shelf, fill_uploads(tmp_path / "uploads", 2))
    await _sent(environment, shelf)
    for step in STEPS:
        shelf.prove(identity, fault=DAMAGED, fault_at=NOW)
        assert await _killed(environment, step) == -signal.SIGKILL, step
        await asyncio.to_thread(room.ready, shelf)
        (backup,) = shelf.backups()
        assert (backup.id, bool(backup.proof.fault)) == (identity, step not in ("in its place", "gone")), step
        assert (await verify(shelf, identity, Hooks())).faults == 0, step
        assert {entry.name for entry in shelf.directory.iterdir()} == {identity, ".remote"}, step
    shutil.rmtree(shelf.directory / identity)
    await _fetched(environment, Hooks())
    assert (await verify(shelf, identity, Hooks())).faults == 0


async def _sent(environment: dict[str, str], shelf: Shelf) -> None:
    settings, threads = config.read(environment, dotenv=None), Threads()
    ops, backup = Ops(settings), shelf.get()
    assert backup.manifest is not None
    assert (await send(ops.remote, backup, backup.manifest, Hooks(), threads)).there
    threads.close()
    await ops.close()
