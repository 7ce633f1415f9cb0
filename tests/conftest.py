"""What every test can ask for by name, and which tests begin first.

The fixtures live in the modules listed here.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

# How long one example takes is the machine's business.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

pytest_plugins = ["tests.real_parts", "tests.docker_parts", "tests.sandbox_fixture", "tests.s3_parts"]

_DOCKER = frozenset({"docker_host", "ground", "shared_ground"})
_FIRST = {"docker": 0, "sandbox": 1}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a deployment takes longest, so it begins first, and the workers end together."""
    items.sort(key=lambda item: _FIRST.get(_group(item), len(_FIRST)))


def _group(item: pytest.Item) -> str:
    asked = set(getattr(item, "fixturenames", ()))
    if asked & _DOCKER:
        return "docker"
    return "sandbox" if "sandbox" in asked else ""


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """What a test printed goes from a worker to the terminal as UTF-8: half a character, which some of them are about, is escaped."""
    return _writable((yield))


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _writable(each) for key, each in value.items()}
    return type(value)(_writable(each) for each in value) if isinstance(value, list | tuple) else value
