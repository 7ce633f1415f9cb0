"""What the tests of the ops commands share: one sandbox for all of them, and a bot on it that is asked as at the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import config
from bot.app import App
from bot.connectors import console
from bot.model import Account, Reply
from bot.ops.bull import BullQueues
from bot.ops.containers import Containers
from bot.sandbox.deployment import Deployment
from bot.sandbox.secrets import seeded_secrets
from bot.testing.waiting import PATIENCE
from tests.approving import approved_by

WELL_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Bot:
    """The real app; ``await bot("line", who="olga")`` types a line as a person of the sandbox."""

    app: App

    async def __call__(self, line: str, who: str = "olga") -> Reply:
        return await console.ask(self.app.dispatch, self.app.words, line, Account("local", who))

    async def approved(self, line: str, asker: str = "olga", approver: str = "ada") -> Reply:
        """Ask for something risky and let somebody else approve it; the outcome."""
        return await approved_by(self, line, asker, approver, not_own=False)


MakeBot = Callable[..., Awaitable[Bot]]


@pytest.fixture
async def make_bot(sandbox: Deployment, tmp_path: Path) -> AsyncIterator[MakeBot]:
    """Makes bots on the sandbox, each with a state of its own; settings given by name replace the sandbox's."""
    opened: list[App] = []

    async def make(**changed: str) -> Bot:
        environment = {**sandbox.env, "VCC_HOME": str(tmp_path / f"home{len(opened)}"), **changed}
        app = App(config.read(environment, dotenv=None))
        opened.append(app)
        await app.open()
        return Bot(app)

    yield make
    for app in opened:
        await app.close()


@pytest.fixture
async def bot_on_sandbox(make_bot: MakeBot, whole_sandbox: None) -> Bot:
    """A bot on the sandbox in working order, which is in working order again afterwards."""
    return await make_bot()


@pytest.fixture
async def whole_sandbox(sandbox: Deployment) -> AsyncIterator[None]:
    """Everything runs before the test and after it, whatever the test stopped."""
    await mend(sandbox.env)
    yield
    await mend(sandbox.env)


async def mend(environment: Mapping[str, str]) -> None:
    """Start what is stopped, and wait until it is well."""
    containers = Containers(environment["DOCKER_HOST"], environment["VCC_COMPOSE_PROJECT"], deadline=10)
    try:
        for service in sorted(await containers.services(), key=lambda each: each.name in ("backend", "frontend")):
            if not service.running:
                await containers.start(service.container_id)
            elif service.restarts:  # else it is remembered, and told, that it kept dying
                await containers.restart(service.container_id)
        for service in await containers.services():
            await containers.wait_healthy(service.container_id, WELL_WITHIN, stable=0.5)
    finally:
        containers.close()
    await _nothing_stalled(environment["REDIS_URL"])


async def _nothing_stalled(url: str) -> None:
    """Wait until the worker has found again what a dead one held."""
    queues = BullQueues(url)

    async def found() -> bool:
        return not any(queue.stalled for queue in await queues.queues())

    await until(found, "no job is stalled")
    await queues.close()


async def stop(bot: Bot, name: str) -> None:
    """Stop a service behind the bot's back."""
    service = await bot.app.ops.containers.service(name)
    await bot.app.ops.containers.stop(service.container_id, timeout=5)


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE) -> None:
    """Wait for a condition; says ``what`` never came true."""
    ends = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < ends, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.1)


@pytest.fixture
def sandbox_secrets(sandbox: Deployment) -> tuple[str, ...]:
    """Everything in the sandbox that may never leave it."""
    return tuple(seeded_secrets(sandbox.home))
