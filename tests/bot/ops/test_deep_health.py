"""The deep look: each part judged by something real, each cause told once, always in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web

from bot import config
from bot.ops.bundle import Ops
from bot.ops.certs import Certificate, CertProblem
from bot.ops.deep_health import DEADLINE, DeepHealth, Found, Verdict, judged, measure
from tests.bot.ops.fake_engine import FakeEngine, container
from tests.bot.ops.silent import silent_port, silent_socket
from tests.bot.ops.test_health import site
from tests.certificates import Authority, serving
from tests.parts import free_port

IN_TIME = 3.0


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[list[Ops]]:
    """Closes what a test opened."""
    opened: list[Ops] = []
    yield opened
    for ops in opened:
        await ops.close()


async def looked(made: list[Ops], tmp_path: Path, deadline: float = DEADLINE, /, **environment: str) -> Mapping[str, Found]:
    """What a look with these settings shows, by kind; within its time."""
    made.append(Ops(config.read({"VCC_HOME": str(tmp_path), "DOCKER_HOST": "unix:///nowhere/docker.sock", **environment}, None)))
    for left in (2, 1, 0):  # what is late once only may be the machine's fault
        began = time.monotonic()
        seen = await measure(made[-1], time.time(), deadline)
        if (took := time.monotonic() - began) < IN_TIME or not left:
            break
    assert took < IN_TIME
    assert all(0 < check.took_ms < IN_TIME * 1000 for check in seen.checks)
    return {check.kind: check.found for check in seen.checks}


def answers(told: object, status: int = 200, page: str = "<html>") -> web.Response:
    return web.Response(text=page, content_type="text/html", status=status) if told is None else web.json_response(told, status=status)


@pytest.mark.parametrize(
    ("told", "status", "verdict", "state"),
    [
        ({"message": "Route not found"}, 404, Verdict.OK, "ok"),
        ({"message": "Too many requests"}, 429, Verdict.OK, "ok"),
        ({"status": "OK"}, 200, Verdict.OK, "ok"),
        (None, 502, Verdict.BAD, "bad"),
        ({"message": "bad gateway"}, 502, Verdict.BAD, "bad"),
        ({"message": "gateway timeout"}, 504, Verdict.BAD, "bad"),
        (None, 504, Verdict.BAD, "bad"),
        (None, 404, Verdict.WARN, "not_proxied"),
        (None, 200, Verdict.WARN, "not_proxied"),
    ],
)
async def test_the_way_through_nginx_is_judged_by_who_answers(
    made: list[Ops], tmp_path: Path, told: object, status: int, verdict: Verdict, state: str
) -> None:
    async def nginx(request: web.Request) -> web.StreamResponse:
        return answers(told, status) if request.path == "/api/health" else answers(None)

    async with site(nginx) as address:
        found = await looked(made, tmp_path, VCC_HEALTH_URLS=f"frontend={address}/")
    assert (found["proxy"].verdict, found["proxy"].state, found["proxy"].values["status"]) == (verdict, state, status)
    assert found["page"].verdict is Verdict.OK


async def test_a_page_that_comes_while_the_way_behind_it_hangs_tells_of_a_dead_backend(made: list[Ops], tmp_path: Path) -> None:
    async def nginx(request: web.Request) -> web.StreamResponse:
        if request.path == "/api/health":
            await asyncio.sleep(30)
        return answers(None)

    async with site(nginx) as address:
        found = await looked(made, tmp_path, 0.8, VCC_HEALTH_URLS=f"frontend={address}/")
    assert (found["page"].verdict, found["proxy"].verdict, found["proxy"].state) == (Verdict.OK, Verdict.BAD, "silent")


async def test_a_frontend_that_is_gone_is_bad_once_and_what_is_behind_it_unknown(made: list[Ops], tmp_path: Path) -> None:
    found = await looked(made, tmp_path, VCC_HEALTH_URLS=f"frontend=http://127.0.0.1:{free_port()}/")
    assert (found["page"].verdict, found["page"].state) == (Verdict.BAD, "down")
    assert (found["proxy"].verdict, found["proxy"].state) == (Verdict.UNKNOWN, "unknown")


async def test_a_page_instead_of_the_backends_health_is_not_health(made: list[Ops], tmp_path: Path) -> None:
    async def spa(request: web.Request) -> web.StreamResponse:
        return answers(None)

    async with site(spa) as address:
        found = await looked(made, tmp_path, VCC_HEALTH_URLS=f"backend={address}/health,shop={address}/shop")
    assert (found["backend"].verdict, found["backend"].values["reason"]) == (Verdict.BAD, "not_health")
    assert found["address"].verdict is Verdict.OK


async def test_what_is_not_set_is_unknown_and_named(made: list[Ops], tmp_path: Path) -> None:
    found = await looked(made, tmp_path)
    unset = {kind: found[kind].values["setting"] for kind in found if found[kind].state == "unset"}
    health = dict.fromkeys(("backend", "page", "proxy"), "VCC_HEALTH_URLS")
    assert unset == {**health, "mongodb": "MONGODB_URI", "redis": "REDIS_URL", "queues": "REDIS_URL"}
    assert {found[kind].verdict for kind in unset} == {Verdict.UNKNOWN}
    assert found["containers"].verdict is Verdict.BAD
    assert "mcp" not in found
    assert "certificate" not in found


async def test_everything_hanging_is_still_told_in_time(made: list[Ops], tmp_path: Path, socket_directory: Path) -> None:
    async with silent_socket(socket_directory / "d.sock"), silent_port() as port:
        found = await looked(
            made,
            tmp_path,
            DOCKER_HOST=f"unix://{socket_directory}/d.sock",
            MONGODB_URI=f"mongodb://u:p@127.0.0.1:{port}/vcc",
            REDIS_URL=f"redis://:p@127.0.0.1:{port}",
            VCC_HEALTH_URLS=f"backend=http://127.0.0.1:{port}/health,frontend=http://127.0.0.1:{port}/,mcp-server=http://127.0.0.1:{port}/health",
            VCC_CERTS=f"127.0.0.1:{port}",
        )
    assert {kind for kind in found if found[kind].verdict is Verdict.UNKNOWN} == {"queues", "proxy"}
    assert {found[kind].verdict for kind in found.keys() - {"queues", "proxy"}} == {Verdict.BAD}
    assert set(found) == {"containers", "backend", "page", "proxy", "mongodb", "redis", "queues", "certificate", "mcp"}


async def test_an_mcp_server_is_found_by_its_label_and_asked_at_its_own_address(
    made: list[Ops], tmp_path: Path, engine: FakeEngine
) -> None:
    async def mcp(request: web.Request) -> web.StreamResponse:
        return answers({"status": "ok"} if request.path == "/health" else None)

    async with site(mcp) as address:
        entry = container("mcp-server")
        entry["NetworkSettings"] = {
            "Ports": {f"{address.rpartition(':')[2]}/tcp": None},
            "Networks": {"vcc_net": {"IPAddress": "127.0.0.1"}},
        }
        engine.add(container("backend"), entry)
        settings = {"DOCKER_HOST": engine.host, "VCC_COMPOSE_PROJECT": "vcc"}
        found = await looked(made, tmp_path, **settings)
        assert (found["mcp"].verdict, found["mcp"].state) == (Verdict.OK, "ok")
        assert (found["containers"].verdict, found["containers"].values) == (Verdict.OK, {"running": 2, "total": 2})
        elsewhere = await looked(made, tmp_path, **settings, VCC_HEALTH_URLS=f"mcp-server={address}/other/health")
        assert elsewhere["mcp"].verdict is Verdict.BAD
        entry["NetworkSettings"]["Networks"] = {"host": {"IPAddress": ""}}
        assert (await looked(made, tmp_path, **settings))["mcp"].state == "unset"
    entry["State"].update(Running=False, Status="exited")
    stopped = await looked(made, tmp_path, **settings)
    assert "mcp" not in stopped
    assert stopped["containers"].problems[0].part == "mcp-server"


async def test_a_certificate_is_one_of_the_checks(made: list[Ops], tmp_path: Path) -> None:
    expired = Authority("CA").issue("vcc.example", names=("127.0.0.1",), days=(-9, -1))
    async with serving(expired, tmp_path) as port:
        found = await looked(made, tmp_path, VCC_CERTS=f"127.0.0.1:{port}")
    assert (found["certificate"].verdict, found["certificate"].state) == (Verdict.BAD, "expired")


async def test_only_what_is_asked_for_is_looked_at(made: list[Ops], tmp_path: Path) -> None:
    made.append(Ops(config.read({"VCC_HOME": str(tmp_path)}, None)))
    seen = await measure(made[0], 0.0, only=("mongodb", "redis"))
    assert [check.kind for check in seen.checks] == ["mongodb", "redis"]


def certificate(days: float, *problems: CertProblem) -> Certificate:
    return Certificate("it", "file", "vcc", "CA", ("vcc",), 0.0, days * 86_400, days, (), problems)


@pytest.mark.parametrize(
    ("days", "problems", "verdict", "state"),
    [
        (30.1, (), Verdict.OK, "ok"),
        (30.0, (), Verdict.WARN, "ends_soon"),
        (7.1, (), Verdict.WARN, "ends_soon"),
        (7.0, (), Verdict.BAD, "ends_soon"),
        (-1.0, (CertProblem.EXPIRED,), Verdict.BAD, "expired"),
        (90.0, (CertProblem.NOT_YET_VALID,), Verdict.BAD, "not_yet_valid"),
        (90.0, (CertProblem.WRONG_NAME, CertProblem.UNTRUSTED), Verdict.BAD, "wrong_name"),
        (90.0, (CertProblem.CHAIN_EXPIRED,), Verdict.BAD, "chain_expired"),
        (90.0, (CertProblem.SELF_SIGNED,), Verdict.WARN, "self_signed"),
        (5.0, (CertProblem.UNTRUSTED,), Verdict.BAD, "ends_soon"),
    ],
)
def test_a_certificate_is_judged_by_its_worst_fault_and_its_days(
    days: float, problems: tuple[CertProblem, ...], verdict: Verdict, state: str
) -> None:
    found = judged(certificate(days, *problems))
    assert (found.verdict, found.state) == (verdict, state)


def test_nothing_looked_at_is_no_good_verdict() -> None:
    assert DeepHealth(()).verdict is Verdict.UNKNOWN
