"""The program that runs inside the backend's container, run by a real Node against real servers: it always ends, and tells no secret."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bot.ops import inside
from bot.ops.inside import How, Reach, Trouble, answer_from
from tests.bot.ops.silent import silent_port
from tests.bull import NODE_DIRECTORY
from tests.parts import absent, free_port, on_path
from tests.servers import RealMongod, RealRedis

PROGRAM = Path(inside.__file__).with_name("inside.js").read_text(encoding="utf-8")
PASSWORD = "hunter22-secret"
# The resolver refuses a label this long by itself: no name server is asked.
NO_NAME = "x" * 64 + ".invalid"


async def run(directory: Path, environment: Mapping[str, str], *words: str) -> tuple[dict[str, Reach], bytes]:
    """What it found by name, and all it printed. Nothing of this process's environment comes along but the PATH."""
    node = on_path("node")
    if node is None:
        absent("no node: install Node.js")
    command = [str(node), "-e", PROGRAM, *words]
    alone = {"PATH": os.environ["PATH"], **environment}
    done = await asyncio.to_thread(subprocess.run, command, cwd=directory, env=alone, capture_output=True, timeout=20, check=False)
    return {each.name: each for each in answer_from(done.stdout)}, done.stdout + done.stderr


@pytest.fixture
def with_drivers() -> Path:
    """A directory as the backend's: with its drivers."""
    if not (NODE_DIRECTORY / "node_modules" / "mongoose").is_dir():
        absent("no mongoose: run npm ci in tests/live/node")
    return NODE_DIRECTORY


async def test_with_the_backends_own_drivers_login_and_read_are_proven(
    with_drivers: Path, real_redis: RealRedis, real_mongod: RealMongod
) -> None:
    found, printed = await run(with_drivers, {"MONGODB_URI": real_mongod.uri, "REDIS_URL": real_redis.url})
    assert [(each.trouble, each.how, each.authenticated, each.read) for each in found.values()] == [
        (Trouble.NONE, How.MONGOOSE, True, True),
        (Trouble.NONE, How.IOREDIS, True, True),
    ]
    assert (found["redis"].host, found["redis"].port, found["redis"].addresses) == ("127.0.0.1", real_redis.port, ("127.0.0.1",))
    assert found["mongodb"].connect_ms is not None
    assert real_redis.password.encode() not in printed
    assert real_mongod.password.encode() not in printed


async def test_without_any_driver_redis_is_logged_into_by_hand_and_mongodb_greeted(
    tmp_path: Path, real_redis: RealRedis, real_mongod: RealMongod
) -> None:
    found, _ = await run(tmp_path, {"MONGODB_URI": real_mongod.uri, "REDIS_URL": real_redis.url})
    assert [(each.trouble, each.how, each.authenticated, each.read) for each in found.values()] == [
        (Trouble.NONE, How.HANDSHAKE, None, None),
        (Trouble.NONE, How.HANDSHAKE, True, True),
    ]


async def test_a_wrong_password_is_told_from_all_else_with_drivers_and_without(
    with_drivers: Path, tmp_path: Path, real_redis: RealRedis, real_mongod: RealMongod
) -> None:
    wrong = {
        "MONGODB_URI": real_mongod.uri.replace(real_mongod.password, PASSWORD),
        "REDIS_URL": real_redis.url.replace(real_redis.password, PASSWORD),
    }
    driven, printed = await run(with_drivers, wrong)
    assert {each.trouble for each in driven.values()} == {Trouble.AUTH}
    assert {each.authenticated for each in driven.values()} == {False}
    by_hand, printed_too = await run(tmp_path, wrong)
    assert by_hand["redis"].trouble is Trouble.AUTH
    assert PASSWORD.encode() not in printed + printed_too


async def test_no_password_where_one_is_needed_is_the_same(tmp_path: Path, with_drivers: Path, real_redis: RealRedis) -> None:
    missing = {"MONGODB_URI": "", "REDIS_URL": f"redis://127.0.0.1:{real_redis.port}"}
    for directory in (tmp_path, with_drivers):
        found, _ = await run(directory, missing)
        assert (found["mongodb"].trouble, found["redis"].trouble) == (Trouble.UNSET, Trouble.AUTH)


async def test_nobody_there_and_no_such_name_are_told_apart(tmp_path: Path) -> None:
    environment = {"MONGODB_URI": f"mongodb://u:{PASSWORD}@{NO_NAME}/vcc", "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{free_port()}"}
    found, printed = await run(tmp_path, environment)
    assert (found["mongodb"].trouble, found["mongodb"].host) == (Trouble.DNS, NO_NAME)
    assert (found["redis"].trouble, found["redis"].connect_ms) == (Trouble.REFUSED, None)
    assert PASSWORD.encode() not in printed


async def test_servers_that_hang_do_not_keep_it_from_ending(with_drivers: Path, tmp_path: Path) -> None:
    async with silent_port() as port:
        hanging = {"MONGODB_URI": f"mongodb://u:p@127.0.0.1:{port}/vcc", "REDIS_URL": f"redis://:p@127.0.0.1:{port}"}
        began = time.monotonic()
        answers = await asyncio.gather(run(with_drivers, hanging), run(tmp_path, hanging, f"http://127.0.0.1:{port}/health"))
        assert time.monotonic() - began < inside.DEADLINE
    for found, _ in answers:
        assert {each.trouble for each in found.values()} == {Trouble.TIMED_OUT}


@pytest.mark.parametrize(
    ("mongodb", "redis"),
    [
        (f"mongodb://u:{PASSWORD}/x@db:27017/vcc", f"redis://:{PASSWORD}/x@redis:6379"),
        (f"mongodb://u:27/{PASSWORD}@db/vcc", f"redis://u:27/{PASSWORD}@redis"),
        (f"mongodb://u:{PASSWORD}@x@db/vcc", f"http://:{PASSWORD}@redis"),
        (f"mongodb://u:27?{PASSWORD}@db/vcc", f"redis://u:27#{PASSWORD}@redis"),
        (PASSWORD, PASSWORD),
        (f"mongodb://u:p@{PASSWORD}!/vcc", "redis://:%zz@redis"),
    ],
)
async def test_an_address_that_a_password_broke_is_called_so_and_no_part_of_it_shown(tmp_path: Path, mongodb: str, redis: str) -> None:
    found, printed = await run(tmp_path, {"MONGODB_URI": mongodb, "REDIS_URL": redis})
    assert {(each.trouble, each.host) for each in found.values()} == {(Trouble.ADDRESS, "")}
    assert PASSWORD.encode() not in printed


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """A loopback port that says the same to everybody."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(4096)
            writer.write(answer)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "redis", "mongodb", "mcp"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Trouble.PROTOCOL, Trouble.PROTOCOL, Trouble.NONE),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Trouble.PROTOCOL, Trouble.PROTOCOL, Trouble.UNHEALTHY),
        (b"-LOADING Redis is loading the dataset in memory\r\n" * 3, Trouble.LOADING, Trouble.PROTOCOL, Trouble.FAILED),
        (b"", Trouble.CLOSED, Trouble.CLOSED, Trouble.CLOSED),
    ],
)
async def test_another_program_a_busy_one_and_one_that_hangs_up(
    tmp_path: Path, answer: bytes, redis: Trouble, mongodb: Trouble, mcp: Trouble
) -> None:
    async with answering(answer) as port:
        environment = {"MONGODB_URI": f"mongodb://127.0.0.1:{port}/vcc", "REDIS_URL": f"redis://:p@127.0.0.1:{port}"}
        found, _ = await run(tmp_path, environment, f"http://127.0.0.1:{port}/health")
    assert [found[name].trouble for name in ("redis", "mongodb", "mcp-server")] == [redis, mongodb, mcp]
