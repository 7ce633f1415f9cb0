"""The fixture ``ground``: every test that asks for it runs on the sandbox, and again on a real Docker engine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import docker
import pytest

from bot import config
from bot.app import App
from bot.connectors import console
from bot.errors import NotFound
from bot.lifetime import opened
from bot.model import Account, Reply
from bot.ops.bundle import Ops
from bot.sandbox.binaries import find_binaries
from bot.sandbox.deployment import start_detached, stop
from bot.sandbox.secrets import seeded_secrets
from tests.grounds.ground import TYPED_PASSWORD, Ground, http
from tests.grounds.jobs import Jobs
from tests.live.stack_project import Stack
from tests.parts import absent
from tests.real_parts import BullMaker
from tests.sandbox_fixture import NOBODY_ASKS

Ask = Callable[..., Awaitable[Reply]]
# A job takes a second here as it does in the other ground's.
TUNING = {"VCC_SANDBOX_JOB_SECONDS": "1", "VCC_SANDBOX_TRICKLE_SECONDS": "2", "VCC_SANDBOX_STALLED_SECONDS": "3", **NOBODY_ASKS}


@contextlib.contextmanager
def on_sandbox(home: Path) -> Iterator[Ground]:
    """A sandbox of this suite's own: its services are stopped and restarted."""
    try:
        find_binaries(home / "bin")
    except NotFound as missing:
        absent(f"no sandbox here: {missing.detail}")
    deployment = start_detached(home, tuning=TUNING)
    try:
        environment = dict(deployment.env)
        with contextlib.closing(docker.DockerClient(base_url=environment["DOCKER_HOST"], timeout=60)) as client:
            health = dict(part.split("=", 1) for part in environment["VCC_HEALTH_URLS"].split(","))
            addresses = {"backend": health["backend"].removesuffix("/health"), "frontend": health["frontend"].removesuffix("/")}
            yield Ground("sandbox", environment, addresses, (*seeded_secrets(home), TYPED_PASSWORD), client)
    finally:
        stop(home)


def on_docker(stack: Stack) -> Ground:
    """The shared deployment on the real engine."""
    secrets = [value for name, value in stack.environment.items() if name.endswith(("PASSWORD", "SECRET"))]
    addresses = {"backend": stack.backend_url, "frontend": stack.frontend_url}
    http("POST", f"{stack.backend_url}/api/jobs", {"ms": 1})  # before its first job, Redis holds no trace of a queue
    return Ground("docker", stack.settings(), addresses, (*secrets, TYPED_PASSWORD), stack.client)


@pytest.fixture(scope="session", params=["sandbox", pytest.param("docker", marks=pytest.mark.live)])
def shared_ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One deployment of each kind for the whole run."""
    if request.param == "docker":
        yield on_docker(request.getfixturevalue("stack"))
    else:
        with on_sandbox(tmp_path_factory.mktemp("ground")) as ground:
            yield ground


@pytest.fixture
def ground(shared_ground: Ground) -> Iterator[Ground]:
    """The deployment, well before the test and mended after it."""
    shared_ground.mend()
    yield shared_ground
    shared_ground.mend()


@pytest.fixture
def jobs(ground: Ground, bull_node: BullMaker) -> Iterator[Jobs]:
    """The deployment's job queue, by the real Bull; running before the test and after it."""
    queue = Jobs(ground, bull_node(ground.redis_url))
    queue.bull.run("resume")
    yield queue
    ground.mend()
    queue.bull.run("resume")


@pytest.fixture
def still(jobs: Jobs) -> Jobs:
    """The queue paused and nothing active: figures stand still, and a crash leaves no job half done behind."""
    jobs.bull.run("pause")
    jobs.wait_idle()
    return jobs


@pytest.fixture
async def ops(ground: Ground, tmp_path: Path) -> AsyncIterator[Ops]:
    """The bot's adapters, pointed at the deployment."""
    adapters = Ops(config.read(ground.settings(tmp_path), dotenv=None))
    yield adapters
    await adapters.close()


@pytest.fixture
async def app(ground: Ground, tmp_path: Path) -> AsyncIterator[App]:
    """The whole bot, pointed at the deployment."""
    async with opened(config.read(ground.settings(tmp_path), dotenv=None), quiet=True) as running:
        yield running


@pytest.fixture
def ask(app: App) -> Ask:
    """``await ask("status", "olga")``: one line by one person through the corridor."""

    async def one(line: str, person: str = "olga") -> Reply:
        return await console.ask(app.dispatch, app.words, line, Account("local", person))

    return one
