"""What every test can ask for by name, and which tests begin first.

The fixtures live in the modules listed here.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# How long one example takes is the machine's business.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

pytest_plugins = ["tests.real_parts", "tests.docker_parts", "tests.sandbox_fixture", "tests.s3_parts"]

# Whole deployments that many tests share, in the order in which they begin; and where their tests are.
_SHARED = ("stack", "ground", "quick")
_LOOP_OF_KILLS = 1_200
_OF_THE_STACK = ("tests/live/test_stack.py", "tests/live/test_image.py", "tests/live/test_logs.py", "tests/live/test_page_proxy.py")
_OF_THE_QUICK = ("tests/bot/sandbox/test_backend.py", "tests/bot/sandbox/test_real_bull.py")


def _shared(nodeid: str) -> str:
    """The deployment that a test shares with others, if it is one of those."""
    if nodeid.startswith("tests/grounds/"):
        return "stack" if "[docker" in nodeid else "ground"
    if nodeid.startswith(_OF_THE_STACK):
        return "stack"
    return "quick" if nodeid.startswith(_OF_THE_QUICK) else ""


class Workers(LoadScopeScheduling):  # type: ignore[misc]
    """All tests of one shared deployment go to one worker, so that it is brought up once; every other test goes to whoever is free.

    By name, as xdist's own way of it, a mark, is not seen under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _shared(nodeid) or nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Workers:
    """Whatever ``--dist`` says."""
    return Workers(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a deployment takes longest, so it begins first, and the workers end together. A loop of kills starts a hundred
    programs, which on a busy machine takes its time.
    """
    items.sort(key=_turn)
    for item in items:
        if "faults" in item.path.parts:
            item.add_marker(pytest.mark.timeout(_LOOP_OF_KILLS))


def _turn(item: pytest.Item) -> int:
    asked = getattr(item, "fixturenames", ())
    if shared := _shared(item.nodeid):
        return _SHARED.index(shared)
    if "docker_host" in asked or "faults" in item.path.parts:  # one of the faults may take a minute by itself
        return 3
    return 4 if "sandbox" in asked else 5


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
