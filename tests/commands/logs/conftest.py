"""What the tests of ``logs`` share: lines planted in the log of a real container, and everything an answer says."""

from __future__ import annotations

import gzip
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.model import Attachment, Reply
from bot.ops.containers import Containers
from bot.sandbox.deployment import Deployment
from bot.sandbox.json_log import encode
from tests.commands.conftest import Bot, MakeBot

Plant = Callable[..., Awaitable[None]]


@pytest.fixture
async def bot(make_bot: MakeBot) -> Bot:
    """A bot on the sandbox, whatever runs there just now: logs can be read all the same."""
    return await make_bot()


@pytest.fixture
async def plant(sandbox: Deployment) -> Plant:
    """``await plant("line", "line", service="backend")``: as if the service had written them just now."""
    containers = Containers(sandbox.env["DOCKER_HOST"], sandbox.env["VCC_COMPOSE_PROJECT"], deadline=10)
    paths = {service.name: Path(service.log_path) for service in await containers.services()}
    containers.close()

    async def write(*lines: str, service: str = "backend") -> None:
        at = time.time_ns()
        with paths[service].open("ab") as log:
            log.write(b"".join(encode(f"{line}\n", "stdout", at + number * 1000) for number, line in enumerate(lines)))

    return write


@pytest.fixture
def word() -> str:
    """A word that stands in no log yet."""
    return f"w{secrets.token_hex(5)}x"


def just_now() -> str:
    """The present, as one would type it: other tests have filled the minutes before."""
    return datetime.now(UTC).isoformat()


def text_of(file: Attachment) -> str:
    """What is in a file, packed or not."""
    return gzip.decompress(file.path.read_bytes()).decode() if file.name.endswith(".gz") else file.path.read_text(encoding="utf-8")


def said(reply: Reply) -> str:
    """Everything an answer holds, its files too."""
    return "\n".join((str(reply), *map(text_of, reply.files)))
