"""``check connections``: from inside the backend and from the bot, side by side; each trouble in its own words, no secret in any."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.connectors import plain
from bot.model import Outcome, Reply, Tone
from bot.sandbox.deployment import Deployment
from bot.sandbox.layout import Layout
from tests.bot.ops.fake_engine import FakeEngine, container, fake_engine, frame
from tests.bot.ops.test_inside import answer, target
from tests.commands.conftest import Bot, MakeBot, stop
from tests.parts import absent, free_port, on_path

OtherNode = Callable[[str], None]
SECRET = "hunter22-secret"


def everything(reply: Reply) -> str:
    return json.dumps(plain.as_json(reply), ensure_ascii=False) + plain.text(reply)


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    """An engine whose backend says what a test makes it say."""
    with tempfile.TemporaryDirectory(prefix="vcc") as directory:
        async with fake_engine(Path(directory)) as running:
            running.add(container("backend", project="vcc-manager"))
            yield running


@pytest.fixture
def other_node(sandbox: Deployment) -> Iterator[OtherNode]:
    """``other_node("exit 1")`` gives the sandbox's backend, and nothing else, a ``node`` of that script."""
    path = Layout(sandbox.home).tools("backend") / "node"

    def put(script: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    yield put
    path.unlink(missing_ok=True)


async def test_both_views_of_a_whole_deployment_are_good(bot_on_sandbox: Bot, sandbox_secrets: tuple[str, ...]) -> None:
    if on_path("node") is None:
        absent("no node: install Node.js")
    reply = await bot_on_sandbox("check connections", "vera")
    assert (reply.outcome, reply.tone, reply.title) == (Outcome.DONE, Tone.GOOD, "backend에서 연결 정상: mongodb, redis"), reply.text
    assert [row[:2] for row in reply.tables[0].rows] == [
        ("backend 안", "mongodb"),
        ("backend 안", "redis"),
        ("봇", "mongodb"),
        ("봇", "redis"),
    ]
    assert [(each["name"], each["trouble"]) for each in reply.data["inside"]["targets"]] == [("mongodb", ""), ("redis", "")]
    assert reply.data["inside"]["targets"][1]["auth_ok"] is True
    assert not [secret for secret in sandbox_secrets if secret in everything(reply)]


async def test_a_stopped_database_is_called_stopped_and_how_to_start_it(bot_on_sandbox: Bot) -> None:
    if on_path("node") is None:
        absent("no node: install Node.js")
    await stop(bot_on_sandbox, "mongodb")
    reply = await bot_on_sandbox("check connections")
    assert (reply.tone, reply.title) == (Tone.BAD, "backend에서 연결 안 됨: mongodb")
    assert "mongodb 서비스가 꺼져 있음 → /vcc service start mongodb" in reply.text
    assert [each["verdict"] for each in reply.data["bot"]] == ["bad", "ok"]


async def test_a_container_without_node_still_gets_the_bots_own_view(bot_on_sandbox: Bot, other_node: OtherNode) -> None:
    other_node('echo "sh: node: not found" >&2; exit 127')
    reply = await bot_on_sandbox("check connections")
    assert (reply.tone, reply.data["inside"]["obstacle"]) == (Tone.WARN, "no_node")
    assert "node가 없습니다" in reply.text
    assert [row[0] for row in reply.tables[0].rows] == ["봇", "봇"]
    assert [each["verdict"] for each in reply.data["bot"]] == ["ok", "ok"]


async def test_an_answer_that_makes_no_sense_is_told_with_its_reference_and_not_shown(bot_on_sandbox: Bot, other_node: OtherNode) -> None:
    other_node(f'echo "$REDIS_URL {SECRET}"')
    reply = await bot_on_sandbox("check connections")
    assert reply.data["inside"]["obstacle"] == "nonsense"
    assert reply.reference
    assert reply.reference in reply.footer
    assert SECRET not in everything(reply)
    assert "redis://" not in everything(reply)


async def test_a_proxy_that_forbids_exec_is_told_with_what_to_allow(make_bot: MakeBot, whole_sandbox: None, engine: FakeEngine) -> None:
    engine.failure = lambda request: web.Response(status=403, text="Forbidden") if request.method == "POST" else None
    bot = await make_bot(DOCKER_HOST=engine.host)
    reply = await bot("check connections")
    assert (reply.tone, reply.data["inside"]["obstacle"]) == (Tone.WARN, "not_allowed")
    assert "POST /containers/…/exec" in reply.text
    assert [each["verdict"] for each in reply.data["bot"]] == ["ok", "ok"]


async def test_a_stopped_backend_is_told(make_bot: MakeBot, whole_sandbox: None, engine: FakeEngine) -> None:
    engine.add(container("backend", project="vcc-manager", running=False))
    reply = await (await make_bot(DOCKER_HOST=engine.host))("check connections")
    assert (reply.tone, reply.data["inside"]["obstacle"]) == (Tone.BAD, "stopped")
    assert "vcc-manager-backend-1 컨테이너가 실행 중이 아닙니다 (exited)" in reply.text


async def test_a_backend_that_restarts_for_want_of_redis_points_at_redis(
    make_bot: MakeBot, whole_sandbox: None, engine: FakeEngine
) -> None:
    restarting = container("backend", project="vcc-manager", running=False)
    restarting["State"]["Status"] = "restarting"
    engine.add(restarting, container("redis", project="vcc-manager", running=False))
    bot = await make_bot(DOCKER_HOST=engine.host, REDIS_URL=f"redis://:{SECRET}@127.0.0.1:{free_port()}")
    reply = await bot("check connections")
    assert "재시작을 반복하고 있습니다" in reply.text
    assert "봇 · redis: redis 서비스가 꺼져 있음 → /vcc service start redis" in reply.text


async def test_without_docker_the_bots_own_view_is_left(make_bot: MakeBot, whole_sandbox: None) -> None:
    reply = await (await make_bot(DOCKER_HOST="unix:///nowhere/docker.sock"))("check connections")
    assert (reply.outcome, reply.data["inside"]["obstacle"]) == (Outcome.DONE, "no_docker")
    assert [each["verdict"] for each in reply.data["bot"]] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"problem": "dns", "host": "mongo-old"}, "mongo-old 이름을 찾지 못함 → MONGODB_URI의 호스트 이름이"),
        ({"problem": "refused", "port": 27017}, "mongodb:27017 연결 거부"),
        ({"problem": "auth", "auth": False}, "로그인 거부 (비밀번호나 권한이 틀림) → MONGODB_URI의"),
        ({"problem": "address", "host": "", "port": 0}, "주소 형식이 잘못됨 → backend 환경 변수 MONGODB_URI를"),
        ({"problem": "timed_out", "port": 27017}, "mongodb:27017 응답 없음"),
        ({"problem": "unset", "host": ""}, "컨테이너에 주소 설정이 없음"),
    ],
)
async def test_each_trouble_has_its_own_words_and_a_server_only_the_bot_reaches_is_said_to_be_up(
    make_bot: MakeBot, whole_sandbox: None, engine: FakeEngine, changed: dict[str, Any], said: str
) -> None:
    engine.output = [frame(1, answer(target("mongodb", **changed), target("redis")))]
    reply = await (await make_bot(DOCKER_HOST=engine.host))("check connections")
    assert (reply.tone, reply.title) == (Tone.BAD, "backend에서 연결 안 됨: mongodb")
    (line,) = reply.text.splitlines()
    assert said in line
    assert line.endswith("봇에서는 연결되니 서버는 살아 있습니다.")
