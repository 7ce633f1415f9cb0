"""The Docker adapter, on the sandbox's engine and on a real one: what it says is what Docker's own client says."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import time
from datetime import datetime

import psutil
import pytest

from bot.errors import NotFound
from bot.ops.bundle import Ops
from bot.ops.container_logs import LogWindow
from bot.ops.container_values import LogLine
from tests.grounds.ground import SERVICES, Ground

NOBODY = "0" * 64


async def lines(ops: Ops, container_id: str, window: LogWindow) -> list[LogLine]:
    return [line async for line in await ops.containers.logs(container_id, window)]


async def until_logged(ops: Ops, container_id: str, word: str) -> None:
    """The engine writes a line a moment after the service said it."""
    for _ in range(200):
        if any(word in line.text for line in await lines(ops, container_id, LogWindow(tail=20))):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never logged: {word}")


async def test_the_four_services_are_found_as_they_are(ground: Ground, ops: Ops) -> None:
    found = {service.name: service for service in await ops.containers.services()}
    assert tuple(found) == SERVICES
    for name, service in found.items():
        assert (service.container_id, service.pid) == (ground.container_id(name), ground.pid(name))
        assert psutil.pid_exists(service.pid)
        assert (service.state, service.project, service.number, service.exit_code) == ("running", ground.project, 1, None)
        assert service.restarts == ground.container(name).attrs["RestartCount"]
        assert service.started_at is not None
        assert service.started_at == pytest.approx(datetime.fromisoformat(ground.started_at(name)).timestamp(), abs=0.001)
        assert service.started_at < time.time()
        assert [port.host_port for port in service.ports if port.host_port]
        assert service.networks
    assert {name: service.health for name, service in found.items() if service.health} == {"backend": "healthy"}


async def test_the_uploads_volume_is_where_the_backends_mount_says(ground: Ground, ops: Ops) -> None:
    backend = await ops.containers.service("backend")
    (mount,) = (mount for mount in backend.mounts if mount.destination == "/app/uploads")
    assert (mount.kind, mount.name, mount.source) == ("volume", f"{ground.project}_uploads_data", ground.environment["VCC_UPLOADS_DIR"])


async def test_a_busy_service_takes_cpu_and_each_takes_memory(ground: Ground, ops: Ops) -> None:
    enough = threading.Event()

    def load() -> None:
        while not enough.is_set():
            ground.get("backend", "/health")

    callers = [threading.Thread(target=load) for _ in range(3)]
    for caller in callers:
        caller.start()
    try:
        usages = {usage.service: usage for usage in await ops.containers.stats()}
    finally:
        enough.set()
        for caller in callers:
            caller.join()
    assert sorted(usages) == sorted(SERVICES)
    assert (usages["backend"].cpu_percent or 0) > 1
    for usage in usages.values():
        assert usage.cpu_percent is not None
        assert 0 <= usage.cpu_percent < 100 * (os.cpu_count() or 1) + 50
        assert usage.memory_bytes > 500_000
        assert usage.memory_limit_bytes > usage.memory_bytes
        assert usage.processes >= 1


async def test_the_log_is_line_for_line_what_dockers_own_client_reads(ground: Ground, ops: Ops) -> None:
    ground.plant()
    until = time.time()
    for service in SERVICES:
        identity = ground.container_id(service)
        ours = await lines(ops, identity, LogWindow(until=until))
        theirs = ground.log(service, until=until, stdout=True, stderr=False).splitlines()
        assert [line.text for line in ours if line.stream == "stdout"] == theirs
        theirs = ground.log(service, until=until, stdout=False, stderr=True).splitlines()
        assert [line.text for line in ours if line.stream == "stderr"] == theirs
        assert {line.service for line in ours} == {service}
        assert len(ours) > 3


async def test_since_until_and_tail_cut_exactly(ground: Ground, ops: Ops) -> None:
    identity, mark = ground.container_id("backend"), secrets.token_hex(6)
    for number in range(5):
        ground.get("backend", f"/{mark}/{number}")
    await until_logged(ops, identity, f"{mark}/4")
    marked = [line for line in await lines(ops, identity, LogWindow()) if mark in line.text]
    assert [line.text.split(mark)[1][:2] for line in marked] == ["/0", "/1", "/2", "/3", "/4"]
    assert [line.at for line in marked] == sorted(line.at for line in marked)
    # A float holds these times to a quarter of a microsecond; Docker's own stamps are finer.
    window = LogWindow(since=marked[1].at - 1e-5, until=marked[3].at + 1e-5)
    within = [line for line in await lines(ops, identity, window) if mark in line.text]
    assert within == marked[1:4]
    tail = await lines(ops, identity, LogWindow(tail=2, until=marked[4].at + 1e-5))
    assert len(tail) == 2
    assert tail[-1] == marked[4]
    assert await lines(ops, identity, LogWindow(since=time.time() + 60)) == []


async def test_a_followed_log_gives_the_line_that_comes_and_closes_at_once(ground: Ground, ops: Ops) -> None:
    mark = secrets.token_hex(6)
    stream = await ops.containers.logs(ground.container_id("backend"), LogWindow(since=time.time(), follow=True))

    async def seen() -> LogLine:
        return await anext(line async for line in stream if mark in line.text)

    waiting = asyncio.create_task(seen())
    await asyncio.sleep(0)
    before = time.time()
    await asyncio.to_thread(ground.get, "backend", f"/{mark}")
    line = await asyncio.wait_for(waiting, 60)
    assert before - 1 < line.at < time.time() + 1
    async with asyncio.timeout(20):
        await stream.aclose()


async def test_a_log_longer_than_allowed_is_cut_and_says_so(ground: Ground, ops: Ops) -> None:
    stream = await ops.containers.logs(ground.container_id("backend"), LogWindow(max_bytes=10))
    assert [line async for line in stream]
    assert stream.clipped


async def test_a_restart_gives_a_new_process_and_a_new_start(ground: Ground, ops: Ops) -> None:
    before = await ops.containers.service("frontend")
    await ops.containers.restart(before.container_id, timeout=5)
    after = await ops.containers.wait_healthy(before.container_id, 30, poll=0.1, stable=1.0)
    assert after.container_id == before.container_id
    assert after.pid not in (0, before.pid)
    assert after.started_at is not None
    assert before.started_at is not None
    assert after.started_at > before.started_at
    assert after.restarts == before.restarts  # asked for, so no crash


async def test_a_stopped_service_is_told_as_stopped_and_starts_again(ground: Ground, ops: Ops) -> None:
    identity = ground.container_id("frontend")
    await ops.containers.stop(identity, timeout=5)
    stopped = await ops.containers.service("frontend")
    assert (stopped.state, stopped.pid, stopped.running) == ("exited", 0, False)
    assert stopped.exit_code == ground.container("frontend").attrs["State"]["ExitCode"]
    assert stopped.finished_at is not None
    assert stopped.finished_at == pytest.approx(time.time(), abs=30)
    assert [usage.service for usage in await ops.containers.stats("frontend")] == []
    await ops.containers.stop(identity, timeout=5)  # twice does no harm
    await ops.containers.start(identity)
    await ops.containers.start(identity)
    assert (await ops.containers.wait_healthy(identity, 30, poll=0.1, stable=0.5)).running


async def test_a_command_inside_gives_both_streams_and_its_exit_code(ground: Ground, ops: Ops) -> None:
    identity = ground.container_id("backend")
    script = r"printf 'one\000\377\n'; echo two >&2; printf three; exit 3"
    result = await ops.containers.exec(identity, ["sh", "-c", script], 15)
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"one\x00\xff\nthree", b"two\n")
    assert not result.clipped
    assert (await ops.containers.exec(identity, ["true"], 15)).exit_code == 0
    words = ["$(id)", "a b", "; false", "*"]
    shown = await ops.containers.exec(identity, ["printf", r"%s\n", *words], 15)
    assert shown.stdout.decode().splitlines() == words


async def test_much_output_is_cut_and_says_so(ground: Ground, ops: Ops) -> None:
    result = await ops.containers.exec(ground.container_id("backend"), ["head", "-c", "300000", "/dev/zero"], 15, max_bytes=1000)
    assert (len(result.stdout), result.clipped, result.exit_code) == (1000, True, 0)


async def test_a_program_that_is_not_there_is_no_success(ground: Ground, ops: Ops) -> None:
    result = await ops.containers.exec(ground.container_id("backend"), ["no-such-program"], 15)
    assert result.exit_code in (126, 127)


async def test_a_container_nobody_knows_is_not_found_whatever_is_asked(ground: Ground, ops: Ops) -> None:
    containers = ops.containers
    for asked in (
        containers.container(NOBODY),
        containers.restart(NOBODY),
        containers.stop(NOBODY),
        containers.start(NOBODY),
        containers.exec(NOBODY, ["true"], 5),
        containers.logs(NOBODY, LogWindow()),
        containers.service("nginx"),
    ):
        with pytest.raises(NotFound):
            await asked


async def test_the_engines_disk_names_the_deployments_volumes(ground: Ground, ops: Ops) -> None:
    disk = await ops.containers.disk_usage()
    volumes = {volume.name: volume for volume in disk.volumes}
    uploads = volumes[f"{ground.project}_uploads_data"]
    assert uploads.users == 1
    assert uploads.size_bytes is not None
    assert {f"{ground.project}_mongodb_data", f"{ground.project}_redis_data"} <= set(volumes)
    assert disk.volumes_bytes > 1_000_000  # mongod's files at least
    assert disk.containers >= 4
    assert disk.images >= 4
    assert disk.layers_bytes > 0
