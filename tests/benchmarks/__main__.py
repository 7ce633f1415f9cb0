"""Runs every row of figures, or those named: ``python -m tests.benchmarks dispatch``."""

from __future__ import annotations

import sys

from tests.benchmarks import database_dump, dispatch, error_lines, history, status_load, time_window, uploads_backup

ROWS = {
    "dispatch": dispatch.main,
    "database dump": database_dump.main,
    "error lines": error_lines.main,
    "time window": time_window.main,
    "status": status_load.main,
    "history": history.main,
    "uploads backup": uploads_backup.main,
}

for name in sys.argv[1:] or ROWS:
    ROWS[name]()
