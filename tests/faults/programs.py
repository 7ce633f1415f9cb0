"""The programs that tests kill: forks of one server that has imported everything already, so that each starts at once.

A test run has one such server, whoever asks first: what it imports is said here for all.
"""

from __future__ import annotations

import multiprocessing

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    [
        "bot.app",
        "bot.connectors.slack",
        *(f"tests.faults.{name}_victim" for name in ("alert", "incident", "oncall", "schedule", "timed")),
        "tests.faults.victim",
        *(f"tests.faults.test_{name}_kills" for name in ("backup", "error_index", "fetch", "restore", "snapshot")),
    ]
)
