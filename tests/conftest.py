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

# Whole deployments that many tests share, in the order in which they begin. All tests of one run on one worker: each is brought up once.
_SHARED = ("stack", "ground", "quick")
_ENGINE = "docker_host"
_LAST = 5


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a deployment takes longest, so it begins first, and the workers end together."""
    for item in items:
        if shared := _shared(item):
            item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=_turn)


def _shared(item: pytest.Item) -> str:
    """The deployment that the test shares with others, if it is one of those."""
    asked = set(getattr(item, "fixturenames", ()))
    if "shared_ground" in asked:
        return "stack" if item.callspec.params["shared_ground"] == "docker" else "ground"  # type: ignore[attr-defined]
    return next((each for each in _SHARED if each in asked), "")


def _turn(item: pytest.Item) -> int:
    shared, asked = _shared(item), getattr(item, "fixturenames", ())
    if shared:
        return _SHARED.index(shared)
    if _ENGINE in asked or "faults" in item.path.parts:  # one of the faults may take a minute by itself
        return 3
    return 4 if "sandbox" in asked else _LAST


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
