"""Runs one program as a child that cannot outlive us, and hands its output on as it comes. Knows nothing of containers."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

CHUNK = 64 * 1024
PR_SET_PDEATHSIG = 1

# Loaded once here: between fork and exec nothing may be imported or allocated more than needed.
_libc = ctypes.CDLL(None)


def _die_with_parent(parent: int) -> Callable[[], None]:
    prctl = getattr(_libc, "prctl", None)  # Linux only; elsewhere the stand-ins watch their parent themselves

    def before_exec() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the line above took effect
            os._exit(1)

    return before_exec


async def spawn(
    argv: tuple[str, ...], environment: Mapping[str, str], directory: Path, *, stdin: bool = False
) -> asyncio.subprocess.Process:
    """Start ``argv`` in its own session, with both outputs as pipes. FileNotFoundError, PermissionError as the system has it."""
    return await asyncio.create_subprocess_exec(
        *argv,
        env=dict(environment),
        cwd=directory,
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_die_with_parent(os.getpid()),
    )


async def pump(reader: asyncio.StreamReader | None, take: Callable[[bytes], None]) -> None:
    """Hand over everything the child writes until it closes the pipe."""
    while reader is not None:
        data = await reader.read(CHUNK)
        if not data:
            return
        take(data)


def signal_group(pid: int, number: int) -> None:
    """Signal a child and whatever it started; nothing happens when it is gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def docker_exit_code(returncode: int) -> int:
    """A death by signal is 128 + its number, as Docker and the shell tell it."""
    return 128 - returncode if returncode < 0 else returncode
