"""Looking from inside a container, against an engine over a real socket: what is believed, and what each refusal means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from bot.errors import OutsideError
from bot.ops.containers import Containers
from bot.ops.inside import How, Obstacle, Trouble, answer_from, look_inside
from tests.bot.ops.fake_engine import FakeEngine, container, frame

SECRET = "hunter22-secret"


def target(name: str, **changed: Any) -> dict[str, Any]:
    """One part of a good answer."""
    times = {"resolve_ms": 1.5, "connect_ms": 2, "took_ms": 3.25}
    known = {"host": name, "port": 1, "addresses": ["172.18.0.2"], "how": "handshake", "auth": None, "read": None, "problem": ""}
    return {"name": name, **times, **known, **changed}


def answer(*targets: Any) -> bytes:
    """The program's line."""
    return json.dumps({"vcc_check": 1, "node": "18.0.0", "targets": list(targets)}).encode() + b"\n"


GOOD = answer(target("mongodb"), target("redis", auth=True, read=True, how="ioredis"))


async def test_the_program_runs_as_plain_words_in_the_backend_and_its_answer_is_read(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"), container("redis", running=False))
    engine.output = [frame(1, GOOD)]
    seen = await look_inside(containers)
    assert (seen.obstacle, seen.container, seen.stopped) == (None, "vcc-backend-1", frozenset({"redis"}))
    assert [(each.name, each.how, each.trouble) for each in seen.reached] == [
        ("mongodb", How.HANDSHAKE, Trouble.NONE),
        ("redis", How.IOREDIS, Trouble.NONE),
    ]
    command = engine.bodies[0]["Cmd"]
    assert (command[:2], len(command)) == (["node", "-e"], 3)
    assert "POST containers/vcc-backend-1-id/exec" in engine.asked


async def test_an_mcp_server_is_looked_for_where_the_deployment_has_one(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"), container("mcp-server"))
    engine.output = [frame(1, answer(target("mongodb"), target("redis"), target("mcp-server", how="http", problem="refused")))]
    seen = await look_inside(containers)
    assert engine.bodies[0]["Cmd"][3:] == ["http://mcp-server:3000/health"]
    assert seen.reached[2].trouble is Trouble.REFUSED


async def test_of_several_backends_one_that_runs_is_asked(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend", running=False), container("backend", number=2))
    engine.output = [frame(1, GOOD)]
    assert (await look_inside(containers)).container == "vcc-backend-2"


@pytest.mark.parametrize("code", [126, 127])
async def test_an_image_without_node_is_told(engine: FakeEngine, containers: Containers, code: int) -> None:
    engine.add(container("backend"))
    said = (
        'OCI runtime exec failed: exec failed: unable to start container process: exec: "node": executable file not found in $PATH: unknown'
    )
    engine.output, engine.exit_code = [frame(1, said.encode() + b"\r\n")], code
    assert (await look_inside(containers)).obstacle is Obstacle.NO_NODE


def refusing(status: int, message: str, path: str = "exec") -> Any:
    """An engine that refuses one kind of request."""

    def refuse(request: web.Request) -> web.Response | None:
        return web.json_response({"message": message}, status=status) if path in request.path else None

    return refuse


@pytest.mark.parametrize(
    ("status", "message", "obstacle"),
    [
        (403, "Forbidden", Obstacle.NOT_ALLOWED),
        (405, "Method Not Allowed", Obstacle.NOT_ALLOWED),
        (400, 'exec: "node": executable file not found in $PATH', Obstacle.NO_NODE),
        (404, "No such container: vcc-backend-1-id", Obstacle.STOPPED),
        (500, f"boom {SECRET}", Obstacle.NONSENSE),
    ],
)
@pytest.mark.parametrize("path", ["/containers/vcc-backend-1-id/exec", "/exec/run1/start"])
async def test_a_refused_exec_is_told_by_its_cause(
    engine: FakeEngine, containers: Containers, status: int, message: str, obstacle: Obstacle, path: str
) -> None:
    engine.add(container("backend"))
    engine.failure = refusing(status, message, path)
    assert (await look_inside(containers)).obstacle is obstacle


async def test_a_container_that_stops_meanwhile_is_stopped(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))

    def stops(request: web.Request) -> web.Response | None:
        if not request.path.endswith("/exec"):
            return None
        engine.containers["vcc-backend-1-id"]["State"].update(Running=False, Status="exited")
        return web.json_response({"message": "container is not running"}, status=409)

    engine.failure = stops
    assert (await look_inside(containers)).obstacle is Obstacle.STOPPED


async def test_without_a_backend_without_docker_and_with_a_stopped_one_nothing_is_run(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("redis"))
    assert (await look_inside(containers)).obstacle is Obstacle.NO_BACKEND
    engine.add(container("backend", running=False))
    seen = await look_inside(containers)
    assert (seen.obstacle, seen.state) == (Obstacle.STOPPED, "exited")
    engine.failure = refusing(500, "no", "containers")
    assert (await look_inside(containers)).obstacle is Obstacle.NO_DOCKER
    assert not any("exec" in call for call in engine.asked)


async def test_a_container_that_does_not_answer_is_given_up(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.output, engine.output_gap = [frame(1, GOOD)[:20]] * 50, 0.2
    assert (await look_inside(containers, 0.3)).obstacle is Obstacle.TIMED_OUT


async def test_what_else_it_says_is_not_shown_but_how_it_ended_is_logged(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.output, engine.exit_code = [frame(1, f"{SECRET}\n{SECRET}".encode()), frame(2, b"oops")], 1
    seen = await look_inside(containers)
    assert seen.obstacle is Obstacle.NONSENSE
    assert isinstance(seen.error, OutsideError)
    assert "exit 1" in seen.error.detail
    assert SECRET not in seen.error.detail + str(seen.error)


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b"null",
        b"[" * 5000,
        GOOD + b"more",
        b"noise\n" + GOOD,
        GOOD[:-20],
        answer(),
        answer(target("mongodb")),
        answer(target("redis"), target("mongodb")),
        answer(target("mongodb"), target("redis"), target("extra")),
        answer(target("mongodb"), "redis"),
        answer(target("mongodb", host=f"u:{SECRET}@db"), target("redis")),
        answer(target("mongodb", problem=SECRET), target("redis")),
        answer(target("mongodb", how=SECRET), target("redis")),
        answer(target("mongodb", addresses=[SECRET]), target("redis")),
        answer(target("mongodb", addresses=["::1"] * 9), target("redis")),
        answer(target("mongodb", port=True), target("redis")),
        answer(target("mongodb", port=70000), target("redis")),
        answer(target("mongodb", took_ms=None), target("redis")),
        answer(target("mongodb", took_ms=float("nan")), target("redis")),
        answer(target("mongodb", connect_ms="3"), target("redis")),
        answer(target("mongodb", auth="yes"), target("redis")),
        answer({**target("mongodb"), "name": None}, target("redis")),
    ],
)
def test_an_answer_that_is_not_as_agreed_is_not_believed_and_not_repeated(output: bytes) -> None:
    with pytest.raises(ValueError) as caught:
        answer_from(output)
    assert SECRET not in str(caught.value)
