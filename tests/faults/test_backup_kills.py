"""A backup killed at any step, or on a full disk, leaves no half backup and no queue closed without a promise; the next one works."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot import config
from bot.backup.create import Created, Creation, Order
from bot.backup.prune import remove_all
from bot.backup.queue_part import Stillness
from bot.backup.shelf import Shelf
from bot.backup.verify import verify
from bot.backup.work import Hooks, Step
from bot.errors import OutsideError
from bot.ops import snapshot_remove
from bot.ops.bull import BullQueues
from bot.ops.bundle import Ops
from bot.sandbox.deployment import Deployment
from tests.bot.backup.parts import NOW, fill_uploads, make
from tests.faults.programs import processes

STEPS = ("configuration", "hold", "database", "queue", "uploads", "check_database", "check_uploads", "settle")
HELD = frozenset({"database", "queue"})
FULL = 28


async def _nothing_is_worked_on(self: Stillness, names: Sequence[str], wait: float) -> bool:
    """Waiting for jobs is tried elsewhere."""
    return True


async def _made(environment: Mapping[str, str], hooks: Hooks, order: Order) -> Created:
    settings = config.read(environment, dotenv=None)
    ops = Ops(settings)
    try:
        return await Creation(ops, settings, hooks).run(order)
    finally:
        await ops.close()


def victim(environment: Mapping[str, str], fatal: str, promise: Path) -> None:
    """The process: it dies when it comes to the step."""
    Stillness._drained = _nothing_is_worked_on  # type: ignore[method-assign]

    def say(step: Step) -> None:
        if step.name == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    async def holding(*queues: str) -> None:
        await asyncio.to_thread(promise.write_text, "\n".join(queues))

    asyncio.run(_made(environment, Hooks(say, holding=holding), Order()))


def full(environment: Mapping[str, str], most: int, order: Order) -> None:
    """The process: no file of it may be longer than ``most``, which the system tells as a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        asyncio.run(_made(environment, Hooks(), order))
    except OutsideError as failure:
        os._exit(FULL if failure.key == "dump.no_space" else 1)


async def _ended(target: object, *arguments: object) -> int | None:
    process = processes.Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    await asyncio.to_thread(process.join, 30)
    code = process.exitcode
    process.close()
    return code


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf."""
    (tmp_path / "backups").mkdir()
    return Shelf(tmp_path / "backups")


async def test_killed_at_any_step_nothing_half_stands_and_the_next_one_is_good(sandbox: Deployment, shelf: Shelf, tmp_path: Path) -> None:
    environment = {**sandbox.env, "VCC_BACKUP_DIR": str(shelf.directory)}
    queues = BullQueues(environment["REDIS_URL"])
    promise = tmp_path / "promise"
    try:
        for step in STEPS:
            promise.write_text("")
            assert await _ended(victim, environment, step, promise) == -signal.SIGKILL, step
            held = [each.name for each in await queues.queues() if each.is_paused]
            assert bool(held) == (step in HELD), step
            assert set(held) <= set(promise.read_text().splitlines()), step
            assert shelf.backups() == (), step
            for name in held:
                await queues.resume(name)
        made = await _made(environment, Hooks(), Order(pause=False))
        assert [entry.name for entry in shelf.directory.iterdir()] == [made.backup.id]
        assert (await verify(shelf, "", Hooks())).faults == 0
    finally:
        await queues.close()


@pytest.mark.parametrize(
    ("most", "order"),
    [(200, Order(database=False)), (50_000, Order(database=False)), (500_000, Order(pause=False, uploads=False))],
    ids=["the first file", "the index of the uploads", "the dump"],
)
async def test_a_full_disk_leaves_nothing_and_the_one_before_stays_good(
    sandbox: Deployment, shelf: Shelf, tmp_path: Path, most: int, order: Order
) -> None:
    before = make(shelf, fill_uploads(tmp_path / "uploads"), NOW)
    environment = {**sandbox.env, "VCC_BACKUP_DIR": str(shelf.directory)}
    assert await _ended(full, environment, most, order) == FULL
    assert [entry.name for entry in shelf.directory.iterdir()] == [before]
    assert (await verify(shelf, "", Hooks())).faults == 0


def pruner(directory: Path, going: Sequence[str], fatal: int) -> None:
    """The process: it dies at the numbered removal of a directory, renamed or half deleted."""
    passed = 0
    delete = snapshot_remove._delete

    def fatal_delete(parent: int, name: str) -> None:
        nonlocal passed
        passed += 1
        if passed == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        delete(parent, name)

    snapshot_remove._delete = fatal_delete
    remove_all(Shelf(directory), going, lambda _: None, lambda: False)


async def test_killed_while_it_removes_each_backup_is_whole_or_gone(shelf: Shelf, tmp_path: Path) -> None:
    uploads = fill_uploads(tmp_path / "uploads")
    ids = [make(shelf, uploads, NOW + number * 100) for number in range(4)]
    for fatal in (1, 2):
        standing = [each.id for each in shelf.backups()]
        assert await _ended(pruner, shelf.directory, ids[:2], fatal) == -signal.SIGKILL
        for each in shelf.backups():
            assert (await verify(shelf, each.id, Hooks())).faults == 0
        assert len(standing) - len(shelf.backups()) == 1
    remove_all(shelf, ids[:2], lambda _: None, lambda: False)
    assert [entry.name for entry in sorted(shelf.directory.iterdir())] == ids[2:]
