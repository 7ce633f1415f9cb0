"""The real Bull, through Node: to make queues and to ask Bull what was done to them.

Knows the commands of ``live/node/bull_cli.js``; nothing of Redis keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NODE_DIRECTORY = Path(__file__).parent / "live" / "node"
PROGRAM = NODE_DIRECTORY / "bull_cli.js"
QUEUE = "image generation"


class BullError(AssertionError):
    """Bull, or Node, refused."""


class Bull:
    """One Redis, seen by Bull. ``queue`` is the queue meant unless a call names another."""

    def __init__(self, node: Path, redis_url: str, queue: str = QUEUE) -> None:
        self.node = node
        self.queue = queue
        self._environment = {**os.environ, "REDIS_URL": redis_url}

    def run(self, command: str, *, seconds: float = 120.0, **options: Any) -> Any:
        """Run one command with its options and give back what it printed."""
        finished = subprocess.run(
            [str(self.node), str(PROGRAM), command, "-"],
            input=json.dumps({"queue": self.queue, **options}),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if finished.returncode:
            raise BullError(f"bull {command}: {finished.stderr.strip()}")
        return json.loads(finished.stdout)

    async def call(self, command: str, *, seconds: float = 120.0, **options: Any) -> Any:
        """The same, without holding up the event loop."""
        return await asyncio.to_thread(self.run, command, seconds=seconds, **options)

    def add(self, *data: dict[str, Any], copies: int = 1, **opts: Any) -> list[str]:
        """Add one job for each ``data``, ``copies`` times over, with Bull's job options; their ids."""
        jobs = [{"data": one, "opts": opts} for one in data]
        ids: list[str] = self.run("add", jobs=jobs, copies=copies)
        return ids

    def counts(self) -> dict[str, Any]:
        """Bull's getJobCounts, and ``isPaused``."""
        figures: dict[str, Any] = self.run("counts")
        return figures

    def state(self, job: str) -> str | None:
        """Bull's getState; None when there is no such job."""
        state: str | None = self.run("states", ids=[job])[job]
        return state

    @contextlib.contextmanager
    def worker(self, **options: Any) -> Iterator[subprocess.Popen[str]]:
        """A consumer beside the test (``ms``, ``fail``, ``concurrency``), ready when the block begins, ended with it."""
        process = subprocess.Popen(
            [str(self.node), str(PROGRAM), "consume", json.dumps({"queue": self.queue, **options})],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            if not process.stdout.readline():  # it says one line when ready, and none if it died
                raise BullError("the worker did not start")
            yield process
        finally:
            process.terminate()
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
