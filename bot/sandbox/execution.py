"""One command run with a container's environment: ``docker exec``. Really runs; knows nothing of HTTP or framing."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.container import Container
from bot.sandbox.process import docker_exit_code, pump, signal_group, spawn

Sink = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for when the exec was made."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    stdin: bool = False
    tty: bool = False


class Execution:
    """Made first, started once, asked for its exit code afterwards."""

    def __init__(self, container: Container, wish: Wish) -> None:
        self.id = secrets.token_hex(32)
        self.container = container
        self.wish = wish
        self.exit_code: int | None = None
        self.started = False
        self._process: asyncio.subprocess.Process | None = None
        self._early_input = bytearray()
        self._early_end = False

    @property
    def running(self) -> bool:
        return self.started and self.exit_code is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process and self.running else 0

    async def run(self, sink: Sink) -> None:
        """Run to its end, handing output to ``sink`` with the stream's name."""
        self.started = True
        service = self.container.service
        environment = {**service.environment, **self.wish.environment}
        argv = tuple(self._inside(word) for word in self.wish.argv)
        program = shutil.which(argv[0], path=environment["PATH"])
        if program is None:
            self._refuse(sink, argv[0])
            return
        directory = Path(self._inside(self.wish.directory)) if self.wish.directory else service.working_directory
        self._process = await spawn((program, *argv[1:]), environment, directory, stdin=self.wish.stdin)
        self.feed(bytes(self._early_input))
        if self._early_end:
            self.end_input()
        await asyncio.gather(
            pump(self._process.stdout, lambda data: sink("stdout", data)),
            pump(self._process.stderr, lambda data: sink("stderr", data)),
        )
        self.exit_code = docker_exit_code(await self._process.wait())

    def feed(self, data: bytes) -> None:
        """Input for the command; what comes before it runs is kept for it."""
        if self._process is None:
            self._early_input += data
        elif self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(data)

    def end_input(self) -> None:
        if self._process is None:
            self._early_end = True
        elif self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.close()

    def kill(self) -> None:
        if self.pid:
            signal_group(self.pid, signal.SIGKILL)

    def _inside(self, word: str) -> str:
        # These processes see the machine's files, not a container's: a path below a mount is told in the machine's terms.
        for mount in self.container.service.mounts:
            if word == mount.destination or word.startswith(mount.destination + os.sep):
                return str(mount.source) + word[len(mount.destination) :]
        return word

    def _refuse(self, sink: Sink, program: str) -> None:
        problem = "no such file or directory" if os.sep in program else "executable file not found in $PATH"
        where = "exec" if os.sep not in program else "stat"
        message = f'OCI runtime exec failed: exec failed: unable to start container process: {where}: "{program}": {problem}: unknown\r\n'
        sink("stdout", message.encode())
        self.exit_code = 127
