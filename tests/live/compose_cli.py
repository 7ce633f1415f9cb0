"""The one place that knows there are two Composes: the ``docker compose`` plug-in (v2) and ``docker-compose`` (v1)."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

from tests.parts import on_path

# Images are built by the engine's own builder: BuildKit's client part is not in Debian.
BUILDER = {"DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}


class ComposeError(AssertionError):
    """Compose said no."""


@functools.cache
def compose_program() -> tuple[str, ...] | None:
    """The words that begin a Compose command here, v2 before v1; None when there is neither."""
    docker = on_path("docker")
    if docker and subprocess.run([str(docker), "compose", "version"], capture_output=True, check=False).returncode == 0:
        return (str(docker), "compose")
    standalone = on_path("docker-compose")
    return (str(standalone),) if standalone else None


class Compose:
    """Compose for one project in one directory, on one engine."""

    def __init__(self, docker_host: str, project: str, directory: Path) -> None:
        program = compose_program()
        assert program is not None, "ask compose_program() first"
        self._command = [*program, "--project-name", project]
        self._directory = directory
        self._environment = {**os.environ, **BUILDER, "DOCKER_HOST": docker_host}

    def run(self, *words: str, seconds: float = 180.0) -> str:
        """Run one Compose command; its standard output."""
        finished = subprocess.run(
            [*self._command, *words],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if finished.returncode:
            raise ComposeError(f"{' '.join(words)}: {finished.stdout[-2000:]}{finished.stderr[-2000:]}")
        return finished.stdout
