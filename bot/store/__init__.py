"""All that is written to disk as rows, and the only SQL; sqlite-utils underneath."""

from __future__ import annotations

import importlib
import sys


def _load_sqlite_utils() -> None:
    """Load it before anybody else does, and light: where the painter's numpy is installed it would take 11 MB of it into the bot."""
    hidden = [name for name in ("numpy", "pandas") if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # to Python this means: not there
    try:
        importlib.import_module("sqlite_utils")
    finally:
        for name in hidden:
            del sys.modules[name]


_load_sqlite_utils()
