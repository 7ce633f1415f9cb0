"""The same log out of the engine's own file and through its API, on the sandbox and on a real one: line for line the same."""

from __future__ import annotations

import time
from pathlib import Path

from bot.ops.bundle import Ops
from bot.ops.container_logs import LogWindow
from tests.grounds.ground import SERVICES, Ground
from tests.live.log_reading import both


async def test_every_service_reads_the_same_from_its_file_and_through_the_api(ground: Ground, ops: Ops) -> None:
    ground.plant()
    data, until = Path(ground.environment["VCC_DOCKER_DATA_DIR"]), time.time()
    for name in SERVICES:
        service = await ops.containers.service(name)
        for window in (LogWindow(until=until), LogWindow(since=until - 30, until=until)):
            by_file, by_api = await both(ops.containers, service, data, window)
            assert by_file == by_api
        assert by_file or name != "backend"


async def test_the_files_are_read_when_the_settings_show_where_they_are(ground: Ground, ops: Ops) -> None:
    assert await ops.logs.source(await ops.containers.service("backend")) == "file"
