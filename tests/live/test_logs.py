"""A log of several files on a real engine, hard in every way a log is: the same out of its files and through the API."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from docker.models.containers import Container
from docker.types import LogConfig

from bot.ops.container_logs import LogWindow
from bot.ops.containers import Containers
from tests.live.log_reading import both, errors
from tests.live.stack_project import Stack
from tests.parts import wait_until

# Prints what logs are hard by: long lines, two streams, lines without end, bytes that are no text, errors with traces.
TALKER = r"""
import signal, sys
for number in range(6000):
    out = sys.stderr if number % 7 == 0 else sys.stdout
    odd = {0: 'Error: number %d\n    at here (a.js:1:1)\n', 1: 'x' * 40000 + ' %d\n', 2: '고양이 "<%d>" \\n \u2028 \t\n'}
    out.write(odd.get(number % 500, 'usual %d\n') % number)
    if number % 50 == 0:
        out.flush()
        sys.stdout.buffer.write(b'\xff\xfe no text\r\n')
sys.stdout.flush()
sys.stderr.write('no end of a line')
sys.stderr.flush()
signal.pause()
"""


def wait_until_said(container: Container) -> None:
    """One stream may be written long before the other, and be rotated away: what is waited for are the last words of each."""
    wait_until(lambda: b"usual 5998\n" in container.logs(), "the engine has written the last line", seconds=60)
    container.kill()
    container.wait(timeout=60)
    wait_until(lambda: b"no end of a line" in container.logs(), "the engine has written what has no end", seconds=60)


@pytest.fixture
def talker(stack: Stack) -> Iterator[Container]:
    """A container of its own that has said all that, into a log of three files."""
    container = stack.client.containers.run(
        "vcc-base:test",
        ["python3", "-c", TALKER],
        detach=True,
        labels={"com.docker.compose.project": f"talker{secrets.token_hex(4)}", "com.docker.compose.service": "backend"},
        log_config=LogConfig(type="json-file", config={"max-size": "200k", "max-file": "3"}),
        environment={"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": ""},
    )
    try:
        wait_until_said(container)
        yield container
    finally:
        container.remove(force=True)


@pytest.fixture
async def containers(stack: Stack) -> AsyncIterator[Containers]:
    """The adapter on the real engine."""
    adapter = Containers(stack.docker_host, stack.project)
    yield adapter
    adapter.close()


async def test_a_hard_log_in_several_files_is_the_same_either_way(stack: Stack, containers: Containers, talker: Container) -> None:
    service, data = await containers.container(str(talker.id)), stack.docker_data_dir
    assert len(list(Path(service.log_path).parent.glob("*-json.log*"))) == 3
    everything, by_api = await both(containers, service, data, LogWindow())
    assert everything == by_api
    assert len(everything) > 1_000
    middle = everything[len(everything) // 2].at
    for window in (LogWindow(since=middle), LogWindow(until=middle), LogWindow(since=middle, until=middle + 0.01), LogWindow(tail=777)):
        by_file, by_api = await both(containers, service, data, window)
        assert by_file == by_api


async def test_its_errors_are_the_same_either_way_and_new_only_once(stack: Stack, containers: Containers, talker: Container) -> None:
    service = await containers.container(str(talker.id))
    by_file, position = await errors(containers, service, stack.docker_data_dir)
    by_api, other = await errors(containers, service, None)
    assert by_file == by_api
    assert sum(group.count for group in by_file) >= 3
    for first in (position, other):
        for source in (stack.docker_data_dir, None):
            again, _ = await errors(containers, service, source, first)
            assert again == ()
    before = time.time()
    talker.start()
    wait_until(lambda: b"usual 5998\n" in talker.logs(since=before), "it has said all that once more", seconds=60)
    new = sum(group.count for group in (await errors(containers, service, stack.docker_data_dir, position))[0])
    everything, _ = await both(containers, service, stack.docker_data_dir, LogWindow(since=before))
    assert new == sum(line.text.startswith("Error: number") for line in everything) > 0
