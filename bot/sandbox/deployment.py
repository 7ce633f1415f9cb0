"""Starts, finds and stops the sandbox's engine process, and writes the settings others need to use it. Light to import."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

import bot
from bot.errors import TimedOut, Unreachable
from bot.sandbox.binaries import find_binaries
from bot.sandbox.layout import PROJECT, Identity, Layout, private_write, read_identity

POLL = 0.05
# What neither a shell nor dotenv takes for more than itself in an assignment.
PLAIN = re.compile(r"[\w:/@.,=?+%-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running sandbox. ``env`` holds every setting a program needs to use it."""

    home: Path
    env: Mapping[str, str]
    engine_pid: int


def start_detached(home: Path, deadline: float = 60, tuning: Mapping[str, str] | None = None) -> Deployment:
    """Start the deployment in a session of its own and wait until all four services answer. One that runs already is returned.

    ``tuning`` sets the stand-ins' pace (``VCC_SANDBOX_...``, see engine_main.PASSED_ON); the environment may do so too.
    """
    layout = Layout(home.resolve())
    find_binaries(layout.root / "bin")  # said here, in the caller's terminal, rather than in a log of the engine
    layout.root.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(layout):
        found = running(layout.home)
        if found:
            return found
        record = _record(layout)
        engine = _engine(record) if record else None  # one may be starting whose starter was interrupted
        if engine is None:
            layout.engine_record.unlink(missing_ok=True)
            engine = _spawn(layout, {**os.environ, **(tuning or {})})
        _wait_until_ready(layout, engine, deadline)
        started = running(layout.home)
        if started is None:
            raise Unreachable("sandbox", _last_words(layout))
        private_write(layout.environment_file, _environment_text(started.env))
        return started


def running(home: Path) -> Deployment | None:
    """The deployment of this home when its engine lives and is ready, else None."""
    layout = Layout(home.resolve())
    record, identity = _record(layout), read_identity(layout)
    if record is None or identity is None or _engine(record) is None or not record.get("ready"):
        return None
    return Deployment(layout.home, environment(layout, identity), int(record["pid"]))


def stop(home: Path, deadline: float = 20) -> bool:
    """Stop the deployment and wait for its end; False when none runs. A process that is not ours is left alone."""
    layout = Layout(home.resolve())
    record = _record(layout)
    engine = _engine(record) if record else None
    if engine is None:
        return False
    engine.send_signal(signal.SIGTERM)
    try:
        engine.wait(deadline)
    except psutil.TimeoutExpired as problem:
        raise TimedOut("sandbox", deadline, f"engine {engine.pid} did not stop") from problem
    layout.engine_record.unlink(missing_ok=True)
    return True


def environment(layout: Layout, identity: Identity) -> dict[str, str]:
    """Every setting that points at this sandbox."""
    ports = identity.ports
    return {
        "VCC_HOME": str(layout.home),
        "VCC_COMPOSE_PROJECT": PROJECT,
        "VCC_PROJECT_DIR": str(layout.project),
        "VCC_UPLOADS_DIR": str(layout.uploads),
        "VCC_BACKUP_DIR": str(layout.backups),
        "VCC_DOCKER_DATA_DIR": str(layout.docker),
        "MONGODB_URI": identity.mongodb_uri,
        "REDIS_URL": identity.redis_url,
        "DOCKER_HOST": f"unix://{identity.socket}",
        "VCC_HEALTH_URLS": f"backend=http://127.0.0.1:{ports['backend']}/health,frontend=http://127.0.0.1:{ports['frontend']}/",
        "VCC_LANG": "ko",
        "VCC_TZ": "Asia/Seoul",
        "VCC_ADMINS": "local:ada,local:ben",
        "VCC_OPERATORS": "local:olga",
        "VCC_VIEWERS": "local:vera",
        "VCC_APPROVALS": "second-person",
    }


def _environment_text(settings: Mapping[str, str]) -> str:
    """KEY=VALUE lines for a shell and for dotenv alike; only a value that needs quotes has them."""
    return "".join(f"{name}={value if PLAIN.fullmatch(value) else shlex.quote(value)}\n" for name, value in settings.items())


@contextlib.contextmanager
def _one_at_a_time(layout: Layout) -> Iterator[None]:
    with (layout.root / "start.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _spawn(layout: Layout, environment: Mapping[str, str]) -> psutil.Process:
    """The engine outlives whoever starts it, so there is no Popen object to complain of a child left running."""
    source = str(Path(bot.__file__).parent.parent)
    argv = [sys.executable, "-m", "bot.sandbox.engine_main", "--home", str(layout.home)]
    with (layout.root / "engine.log").open("ab") as log, Path(os.devnull).open("rb") as nothing:
        pid = os.posix_spawn(
            sys.executable,
            argv,
            {**environment, "PYTHONPATH": os.pathsep.join(filter(None, (source, environment.get("PYTHONPATH"))))},
            file_actions=[(os.POSIX_SPAWN_DUP2, opened.fileno(), number) for number, opened in enumerate((nothing, log, log))],
            setsid=True,
        )
    return psutil.Process(pid)


def _wait_until_ready(layout: Layout, engine: psutil.Process, deadline: float) -> None:
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        record = _record(layout)
        if record and record.get("ready"):
            return
        with contextlib.suppress(psutil.TimeoutExpired):
            engine.wait(POLL)  # also takes note of its end, so that it does not stay a zombie
            raise Unreachable("sandbox", _last_words(layout))
    engine.terminate()
    with contextlib.suppress(psutil.TimeoutExpired):
        engine.wait(10)
    if engine.is_running():
        engine.kill()
    raise TimedOut("sandbox", deadline, _last_words(layout))


def _record(layout: Layout) -> dict[str, float] | None:
    try:
        raw: dict[str, float] = json.loads(layout.engine_record.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return raw


def _engine(record: Mapping[str, float]) -> psutil.Process | None:
    """The engine's process, if that number still is the process that wrote the record."""
    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - record["created"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same else None


def _last_words(layout: Layout) -> str:
    with contextlib.suppress(FileNotFoundError):
        return (layout.root / "engine.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    return ""
