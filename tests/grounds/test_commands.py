"""What a person types and what comes back, through the whole bot on both grounds; and what is left when something is down."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import config
from bot.connectors import console, plain
from bot.lifetime import opened
from bot.model import Account, Outcome, Reply
from tests.bot.ops.silent import silent_socket
from tests.grounds.conftest import Ask
from tests.grounds.ground import SERVICES, TYPED_PASSWORD, Ground
from tests.grounds.jobs import Jobs
from tests.parts import wait_until

QUEUE = "image generation"
ANY_GROUND = pytest.mark.parametrize("shared_ground", ["sandbox"], indirect=True)  # what is tried is not the ground's own engine
ALWAYS = 3.0  # seconds that `status` may take, whatever is down


def as_json(reply: Reply) -> dict[str, Any]:
    """What ``--json`` prints, read back."""
    printed: dict[str, Any] = json.loads(json.dumps(plain.as_json(reply)))
    return printed


def everything(reply: Reply) -> str:
    """All that a reply says anywhere, its files included."""
    files = "".join(file.path.read_text() for file in reply.files)
    return json.dumps(plain.as_json(reply), ensure_ascii=False) + plain.text(reply) + files


async def timed(ask: Ask, line: str) -> tuple[Reply, float]:
    """The answer, and the seconds it takes at best: what is late once only may be the machine's fault."""
    took = float("inf")
    for _ in range(3):
        began = time.monotonic()
        reply = await ask(line)
        took = min(took, time.monotonic() - began)
        if took < ALWAYS:
            break
    return reply, took


async def test_status_names_the_services_the_databases_the_queue_and_the_disk(ground: Ground, ask: Ask) -> None:
    reply, took = await timed(ask, "status")
    answer = as_json(reply)
    data = answer["data"]
    assert (answer["outcome"], took < ALWAYS) == ("done", True)
    assert [service["name"] for service in data["services"]] == list(SERVICES)
    assert {service["state"] for service in data["services"]} == {"running"}
    assert {service["name"]: service["pid"] for service in data["services"]} == {name: ground.pid(name) for name in SERVICES}
    assert (data["mongodb"]["up"], data["redis"]["up"]) == (True, True)
    assert [queue["name"] for queue in data["queues"]] == [QUEUE]
    assert data["disk"]
    assert {entry["name"]: entry["up"] for entry in data["health"]} == {"backend": True, "frontend": True}
    assert all(name in plain.text(reply) for name in SERVICES)


async def test_queue_status_has_bulls_own_figures(ask: Ask, still: Jobs) -> None:
    still.make(2)
    (queue,) = as_json(await ask("queue status"))["data"]
    real = still.counts()
    names = ("waiting", "active", "delayed", "completed", "failed", "paused")
    assert {name: queue[name] for name in names} == {name: real[name] for name in names}
    assert (queue["name"], queue["is_paused"]) == (QUEUE, True)


async def test_pause_and_resume_are_what_bull_sees(ask: Ask, jobs: Jobs) -> None:
    assert (await ask("queue pause")).outcome is Outcome.DONE
    assert jobs.counts()["isPaused"] is True
    assert (await ask("queue resume")).outcome is Outcome.DONE
    assert jobs.counts()["isPaused"] is False


async def test_a_viewer_may_look_and_not_touch(ask: Ask, jobs: Jobs) -> None:
    assert (await ask("status", "vera")).outcome is Outcome.DONE
    for line in ("queue pause", "restart backend", "service start backend"):
        assert (await ask(line, "vera")).outcome is Outcome.REFUSED
    assert (await ask("status", "mallory")).outcome is Outcome.REFUSED
    assert jobs.counts()["isPaused"] is False


async def test_logs_errors_finds_the_planted_faults_and_shows_none_of_the_secrets(ground: Ground, ask: Ask, jobs: Jobs) -> None:
    ground.plant()
    if ground.name == "docker":  # the sandbox's backend writes its faults when it starts
        jobs.wait_ended(jobs.failing())
        ground.get("backend", "/api/boom")
    wait_until(lambda: TYPED_PASSWORD in ground.log("backend"), "the password is in the log")
    wait_until(lambda: "Failed to submit workflow" in ground.log("backend"), "the fault is in the log")
    reply = await ask("logs errors backend --limit 50")
    said = everything(reply)
    assert reply.outcome is Outcome.DONE
    assert "Failed to submit workflow" in said
    assert " 500 " in said
    kinds = {group["kind"] for group in as_json(reply)["data"]["groups"]}
    assert {"http_5xx", "application"} <= kinds
    assert "hello error world" not in said
    assert [secret for secret in ground.secrets if secret in said] == []


@pytest.mark.parametrize("line", ["logs tail backend --lines 500", "logs tail frontend --lines 500", "logs tail", "status", "stats"])
async def test_nothing_that_is_read_aloud_holds_a_secret(ground: Ground, ask: Ask, line: str) -> None:
    ground.plant()
    said = everything(await ask(line))
    assert [secret for secret in ground.secrets if secret in said] == []


async def test_stats_of_one_service_are_its_own(ground: Ground, ask: Ask) -> None:
    reply = await ask("stats backend")
    assert reply.outcome is Outcome.DONE
    assert "backend" in plain.text(reply)
    assert "mongodb" not in plain.text(reply)


async def test_setup_check_finds_nothing_bad(ask: Ask) -> None:
    reply = await ask("check setup", "ada")
    assert reply.outcome is Outcome.DONE
    assert "✘" not in plain.text(reply)


@pytest.mark.parametrize(("down", "rest"), [("mongodb", ("redis", "backend")), ("redis", ("mongodb",)), ("backend", ("mongodb", "redis"))])
async def test_status_with_a_part_down_is_in_time_and_tells_the_rest(
    ground: Ground, ask: Ask, still: Jobs, down: str, rest: tuple[str, ...]
) -> None:
    await ask("status")
    ground.stop(down)
    reply, took = await timed(ask, "status")
    data = as_json(reply)["data"]
    states = {service["name"]: service["state"] for service in data["services"]}
    assert took < ALWAYS
    assert reply.outcome is Outcome.DONE
    assert states[down] == "exited"
    assert down in reply.title + reply.text
    for name in rest:
        assert states[name] == "running"
    for name in ("mongodb", "redis"):
        assert data[name]["up"] is (name != down)
    assert (data["queues"] is None) is (down == "redis")
    assert data["disk"]


async def test_service_start_brings_a_stopped_one_back(ground: Ground, ask: Ask) -> None:
    ground.stop("frontend")
    reply = await ask("service start frontend")
    assert reply.outcome is Outcome.DONE
    assert ground.container("frontend").attrs["State"]["Running"]
    assert ground.get("frontend", "/") == 200


@pytest.fixture
async def deaf(ground: Ground, tmp_path: Path) -> AsyncIterator[Ask]:
    """The bot where Docker accepts and never answers; all else is as it was."""
    with tempfile.TemporaryDirectory(prefix="vcc") as folder:
        socket = Path(folder) / "docker.sock"
        async with silent_socket(socket):
            settings = config.read(ground.settings(tmp_path, DOCKER_HOST=f"unix://{socket}"), dotenv=None)
            async with opened(settings, quiet=True) as app:

                async def one(line: str, person: str = "olga") -> Reply:
                    return await console.ask(app.dispatch, app.words, line, Account("local", person))

                yield one


@ANY_GROUND
async def test_with_docker_hanging_status_is_in_time_and_tells_all_else(deaf: Ask) -> None:
    for _ in range(2):  # the second time the threads of the first still hang
        reply, took = await timed(deaf, "status")
        data = as_json(reply)["data"]
        assert took < ALWAYS
        assert reply.outcome is Outcome.DONE
        assert data["services"] is None
        assert (data["mongodb"]["up"], data["redis"]["up"]) == (True, True)
        assert [queue["name"] for queue in data["queues"]] == [QUEUE]
        assert "docker" in (reply.title + reply.text).lower()


@ANY_GROUND
async def test_with_docker_hanging_what_needs_it_fails_within_its_deadline(deaf: Ask) -> None:
    for line in ("stats", "logs tail backend", "restart backend"):
        reply, took = await timed(deaf, line)
        assert took < 6, line
        assert reply.outcome is Outcome.FAILED
        assert "docker" in reply.text.lower()
    assert (await deaf("queue status")).outcome is Outcome.DONE
