"""What the rows about logs are taken on: a container of a real engine with a generated log; without an engine the file alone."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

from bot.ops.container_values import Service
from bot.ops.containers import Containers
from bot.ops.logs import Logs
from tests.benchmarks import harness, log_data

ENGINE = "VCC_TEST_DOCKER_HOST"
IMAGE = "vcc-base:test"
GROWTH = (16, 4, 1)  # the largest last


@dataclass
class LogGround:
    """One container's log. ``engine`` is the address of the real engine, empty without one."""

    engine: str
    data_dir: Path
    path: Path
    service: Service
    containers: Containers

    @property
    def sizes(self) -> list[int]:
        """1×, 4× and 16× the work."""
        return [log_data.size_from_environment() // share for share in GROWTH]

    def fill(self, size: int) -> int:
        """Write the log anew; how many lines."""
        return log_data.write(self.path, size)

    def logs(self, *, by_file: bool) -> Logs:
        """Ours."""
        return Logs(self.containers, self.data_dir if by_file else None)

    def guide(self, word: str) -> str:
        """The guide's pipeline as a person would type it."""
        said = f"docker -H {self.engine} logs {self.service.container_id} 2>&1" if self.engine else f"cat {shlex.quote(str(self.path))}"
        return f"{said} | grep -i {word} | wc -l"

    def guide_name(self, word: str) -> str:
        """For the row."""
        return f"docker logs | grep -i {word}" if self.engine else f"no engine: cat file | grep -i {word}"

    def guide_window(self, begin: float) -> str:
        """One second, as a person would ask for it."""
        if not self.engine:
            moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begin))
            return f"grep {moment} {shlex.quote(str(self.path))} | wc -l"
        return f"docker -H {self.engine} logs --since {begin:.9f} --until {begin + 1:.9f} {self.service.container_id} 2>&1 | wc -l"

    @property
    def window_name(self) -> str:
        """For the row."""
        return "docker logs --since --until" if self.engine else "no engine: grep the second"


def piped(line: str) -> float:
    """How long a pipeline of our own making takes."""
    begun = time.perf_counter()
    subprocess.run(["bash", "-c", line], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def client_seconds() -> float:
    """Processor time of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@asynccontextmanager
async def log_ground(folder: Path) -> AsyncIterator[LogGround]:
    """A ground for one row; what it made is gone with the block."""
    engine = os.environ.get(ENGINE, "")
    containers = Containers(engine, "bench", deadline=30)
    try:
        if not engine:
            path = folder / "containers" / "bench" / "bench-json.log"
            path.parent.mkdir(parents=True)
            yield LogGround("", folder, path, _pretended(), containers)
            return
        with _container(engine) as (identity, data_dir):
            service = await containers.container(identity)
            ground = LogGround(engine, data_dir, Path(service.log_path), service, containers)
            yield ground
    finally:
        containers.close()


@contextmanager
def _container(engine: str) -> Iterator[tuple[str, Path]]:
    """One that has ended, so that its log may be written by us; and the engine's data root."""
    client = docker.DockerClient(base_url=engine, timeout=60)
    try:
        container = client.containers.run(IMAGE, ["true"], detach=True)
        try:
            container.wait(timeout=30)
            yield str(container.id), Path(client.info()["DockerRootDir"])
        finally:
            container.remove(force=True)
    finally:
        client.close()


def _pretended() -> Service:
    return Service(
        "bench", "bench", "bench", "", "", "exited", "", 0, 0, False, None, None, 0, 1, "bench", log_driver="json-file"
    )  # fmt: skip


def compare(row: Callable[[LogGround, int], Awaitable[None]], goal: str = "") -> None:
    """Print a row at each size of log, and the memory it took."""

    async def rows(folder: Path) -> None:
        before = harness.peak_megabytes()
        async with log_ground(folder) as ground:
            for size in ground.sizes:
                await row(ground, size)
        print(f"  peak memory {harness.peak_megabytes():,.0f} MB, {harness.peak_megabytes() - before:,.0f} of them for this row{goal}")

    harness.in_folder(rows)
