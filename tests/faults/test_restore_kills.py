"""A restore killed at any step: at the next start the bot puts the old data back by itself, or ends what was decided to be kept."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from bot import config
from bot.app import App
from bot.backup import restore as restoring
from bot.backup import restore_undo
from bot.backup.restore_journal import RestoreJournal
from bot.backup.restore_sides import FilesSide
from bot.backup.shelf import Shelf
from bot.backup.work import Step
from bot.ops.snapshot_restore import unfinished
from bot.sandbox.deployment import Deployment
from tests.commands.backup.restore_parts import QUEUE, add_job, client_of, database_of, quiet, spoil, tree_of
from tests.commands.conftest import Bot
from tests.faults.programs import processes

# Before the backend works on the new data, and after: then people may have worked with it since.
BACK, ONWARD = ("load", "hold", "uploads", "files", "reconcile", "start"), ("healthy", "tidy")


async def _restore(environment: Mapping[str, str]) -> None:
    app = App(config.read(environment, dotenv=None))
    await app.open()
    await Bot(app).approved("backup restore")


def _dies_before(owner: type, name: str, fatal: bool) -> None:
    work = getattr(owner, name)

    async def instead(*arguments: object) -> None:
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        await work(*arguments)

    setattr(owner, name, instead)


def victim(environment: Mapping[str, str], fatal: str) -> None:
    """The process: it dies when it comes to the step."""

    def deadly(owner: type, name: str) -> None:
        say = getattr(owner, name)

        def told(self: object, step: Step) -> None:
            if step.name == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            say(self, step)

        setattr(owner, name, told)

    deadly(restoring.Restoration, "_say")
    deadly(restoring.Restoration, "_saying")
    _dies_before(FilesSide, "swap", fatal == "files")
    _dies_before(restore_undo.Leaving, "_tidied", fatal == "tidy")
    asyncio.run(_restore(environment))


async def _killed(environment: Mapping[str, str], fatal: str) -> None:
    process = processes.Process(target=victim, args=(environment, fatal))
    process.start()
    await asyncio.to_thread(process.join, 60)
    assert process.exitcode == -signal.SIGKILL, fatal
    process.close()


async def _next_start(environment: Mapping[str, str]) -> list[str]:
    """Open the bot, let it keep its promises; the lines it typed by itself."""
    app = App(config.read(environment, dotenv=None))
    await app.open()
    try:
        await app.tending.keep_promises()
        rows = await app.audit.tail(50)
        assert (await app.ops.containers.service("backend")).running
    finally:
        await app.close()
    assert RestoreJournal(app.settings.vcc_home).read() is None
    return [str(row["line"]) for row in rows if row["line"] == "backup recover"]


def _nothing_left(environment: Mapping[str, str]) -> None:
    assert unfinished(Path(environment["VCC_UPLOADS_DIR"])) == {}
    with client_of(environment) as live:
        assert not [name for name in live.list_collection_names() if name.startswith("vccbot.")]


async def test_killed_at_any_step_the_next_start_leads_it_out(sandbox: Deployment, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "backups")
    shelf.directory.mkdir()
    environment = {**sandbox.env, "VCC_HOME": str(tmp_path / "home"), "VCC_BACKUP_DIR": str(shelf.directory)}
    uploads = Path(environment["VCC_UPLOADS_DIR"])
    async with quiet(environment) as queues:
        app = App(config.read(environment, dotenv=None))
        await app.open()
        made = await Bot(app)("backup create --wait 5s")
        await app.close()
        wanted = database_of(environment), tree_of(uploads)
        job = add_job(environment, spoil(environment))
        before = database_of(environment), tree_of(uploads)
        for step in (*BACK, *ONWARD):
            if step in ONWARD:  # whatever stays of the one before must differ from what is restored
                job = add_job(environment, spoil(environment))
            await _killed(environment, step)
            assert await _next_start(environment), step
            expected = before if step in BACK else wanted
            assert (database_of(environment), tree_of(uploads)) == expected, step
            (where,) = await queues.jobs.where(QUEUE, [job])
            assert where.known == (step in BACK), step
            _nothing_left(environment)
            for each in shelf.backups():  # the newest is restored: that is to be the same one again
                if each.id != made.data["id"]:
                    await asyncio.to_thread(shutil.rmtree, each.path)
