"""Everything in this folder is live; its fixtures are in ``tests/docker_parts.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark it, without saying so in each file."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
