"""The Docker adapter against an engine over a real socket: what it finds, how it fails, that it never waits for ever."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import Conflict, Denied, NotFound, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.container_usage import SAMPLE_GAP
from bot.ops.containers import Containers
from tests.bot.ops.fake_engine import FakeEngine, container, frame
from tests.bot.ops.silent import silent_socket
from tests.bot.ops.waiting import until


async def test_services_are_found_by_label_and_replicas_stay_apart(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("redis"), container("backend", number=2), container("backend"), container("backend", project="other"))
    engine.add(container("backend", number=9, oneoff="True"))
    found = await containers.services()
    assert [(service.name, service.number) for service in found] == [("backend", 1), ("backend", 2), ("redis", 1)]


async def test_the_one_project_with_a_backend_is_taken_when_none_is_named(engine: FakeEngine) -> None:
    engine.add(container("backend", project="shop"), container("redis", project="shop"), container("web", project="blog"))
    adapter = Containers(engine.host, "", deadline=5)
    assert [service.project for service in await adapter.services()] == ["shop", "shop"]
    adapter.close()


async def test_two_projects_with_a_backend_are_not_guessed_between(engine: FakeEngine) -> None:
    engine.add(container("backend", project="one"), container("backend", project="two"))
    adapter = Containers(engine.host, "", deadline=5)
    with pytest.raises(Conflict) as caught:
        await adapter.services()
    assert (caught.value.key, caught.value.values) == ("error.project_ambiguous", {"projects": "one, two"})
    adapter.close()


async def test_no_project_at_all_is_told(engine: FakeEngine) -> None:
    adapter = Containers(engine.host, "", deadline=5)
    with pytest.raises(Conflict) as caught:
        await adapter.services()
    assert caught.value.key == "error.project_missing"
    adapter.close()


async def test_a_service_is_its_running_replica_and_an_unknown_one_is_not_found(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend", running=False), container("backend", number=2))
    assert (await containers.service("backend")).number == 2
    with pytest.raises(NotFound) as caught:
        await containers.service("nginx")
    assert caught.value.values["name"] == "nginx"


async def test_a_container_removed_between_listing_and_looking_is_left_out(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"), container("redis"))

    def gone(request: web.Request) -> web.Response | None:
        if request.path.endswith("vcc-redis-1-id/json"):
            return web.json_response({"message": "No such container: vcc-redis-1-id"}, status=404)
        return None

    engine.failure = gone
    assert [service.name for service in await containers.services()] == ["backend"]


def sample(total: int, system: int) -> dict[str, Any]:
    return {
        "cpu_stats": {"cpu_usage": {"total_usage": total}, "system_cpu_usage": system, "online_cpus": 2},
        "precpu_stats": {},
        "memory_stats": {"usage": 100, "limit": 1000, "stats": {"inactive_file": 40}},
    }


async def test_use_is_measured_between_two_samples_of_the_running_containers(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"), container("redis", running=False))
    engine.samples = [sample(0, 0), sample(250, 1000)]
    (usage,) = await containers.stats()
    assert (usage.service, usage.memory_bytes) == ("backend", 60)
    assert usage.cpu_percent == pytest.approx(50.0)
    assert {query.get("one-shot") for query in engine.queries if "stream" in query} == {"True"}


async def test_the_engines_own_first_sample_is_used_when_it_gives_one(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    both = sample(900, 4000) | {"precpu_stats": sample(400, 3000)["cpu_stats"]}
    engine.samples = [both]
    (usage,) = await containers.stats("backend")
    assert usage.cpu_percent == pytest.approx(100.0)
    assert sum(call.endswith("/stats") for call in engine.asked) == 1


async def test_who_has_little_time_gets_the_use_since_the_last_measurement(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.samples = [sample(0, 0), sample(250, 1000), sample(1250, 2000)]
    (first,) = await containers.measured({})
    assert first.usage.cpu_percent is None
    await asyncio.sleep(SAMPLE_GAP)
    (usage,) = await containers.stats(within=1.0)
    assert usage.cpu_percent == pytest.approx(50.0)
    assert sum(call.endswith("/stats") for call in engine.asked) == 2
    engine.containers["vcc-backend-1-id"]["State"]["StartedAt"] = "2026-01-22T11:00:00.5Z"  # its counters began anew
    (usage,) = await containers.stats(within=0.2)
    assert (usage.cpu_percent, usage.memory_bytes) == (None, 60)


async def test_one_container_that_answers_late_does_not_hide_the_others(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"), container("redis"))
    engine.samples, engine.late = [sample(250, 1000)], {"vcc-redis-1-id": 3.0}
    assert [usage.service for usage in await containers.stats(within=1.0)] == ["backend"]
    engine.late["vcc-backend-1-id"] = 3.0
    with pytest.raises(TimeoutError):
        await containers.stats(within=0.2)


async def test_an_old_engine_is_not_asked_for_what_it_does_not_know(engine: FakeEngine, containers: Containers) -> None:
    engine.api_version = "1.40"
    engine.add(container("backend"))
    engine.samples = [sample(0, 0), sample(250, 1000)]
    assert len(await containers.stats()) == 1
    assert not any("one-shot" in query for query in engine.queries)


async def test_start_stop_and_restart_reach_the_container_they_name(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    identity = "vcc-backend-1-id"
    await containers.restart(identity, timeout=3)
    await containers.stop(identity, timeout=4)
    await containers.start(identity)
    wanted = [f"POST containers/{identity}/{what}" for what in ("restart", "stop", "start")]
    assert [call for call in engine.asked if call.startswith("POST")] == wanted
    assert [query["t"] for query in engine.queries if "t" in query] == ["3", "4"]


async def test_waiting_for_health_ends_when_the_check_says_so(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend", health="starting"))
    waiting = asyncio.create_task(containers.wait_healthy("vcc-backend-1-id", 20, poll=0.05))
    await until(lambda: sum(call.endswith("/json") for call in engine.asked) >= 2, "it was looked at twice")
    assert not waiting.done()
    engine.containers["vcc-backend-1-id"]["State"]["Health"]["Status"] = "healthy"
    assert (await asyncio.wait_for(waiting, 60)).health == "healthy"


async def test_without_a_check_well_means_running_for_a_while(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("redis"))
    service = await containers.wait_healthy("vcc-redis-1-id", 5, stable=1)
    assert service.running
    engine.containers["vcc-redis-1-id"]["State"]["StartedAt"] = "2999-01-01T00:00:00Z"
    with pytest.raises(OutsideError) as caught:
        await containers.wait_healthy("vcc-redis-1-id", 0.2, poll=0.05, stable=1)
    assert caught.value.key == "error.unhealthy"


async def test_what_never_gets_well_is_told_with_its_state(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend", running=False, exit_code=1))
    with pytest.raises(OutsideError) as caught:
        await containers.wait_healthy("vcc-backend-1-id", 0.1, poll=0.05)
    assert caught.value.values == {"system": "docker", "service": "backend", "state": "exited", "health": "-", "seconds": 0.1}


async def test_a_command_runs_inside_with_its_words_apart_and_both_streams_apart(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.output = [frame(1, b"out")[:5], frame(1, b"out")[5:] + frame(2, b"err")]
    engine.exit_code = 3
    result = await containers.exec("vcc-backend-1-id", ["sh", "-c", "a; b"], 5)
    assert (result.exit_code, result.stdout, result.stderr, result.clipped) == (3, b"out", b"err", False)
    assert engine.bodies[0]["Cmd"] == ["sh", "-c", "a; b"]


async def test_more_output_than_is_kept_is_clipped_and_said_so(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.output = [frame(1, b"x" * 1000)] * 50
    result = await containers.exec("vcc-backend-1-id", ["yes"], 5, max_bytes=1500)
    assert (len(result.stdout), result.clipped) == (1500, True)


async def test_an_exec_without_an_exit_code_is_not_taken_for_success(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.exit_code = None
    with pytest.raises(Rejected):
        await containers.exec("vcc-backend-1-id", ["true"], 5)


async def test_the_engines_refusal_is_rejected_and_a_missing_container_not_found(engine: FakeEngine, containers: Containers) -> None:
    with pytest.raises(NotFound) as caught:
        await containers.restart("nothing")
    assert caught.value.values["name"] == "nothing"
    engine.failure = lambda request: web.json_response({"message": "boom"}, status=500) if "df" in request.path else None
    with pytest.raises(Rejected) as refused:
        await containers.disk_usage()
    assert "boom" in refused.value.detail


async def test_an_engine_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    adapter = Containers(f"unix://{tmp_path}/none.sock", "vcc")
    with pytest.raises(Unreachable):
        await adapter.services()
    adapter.close()


async def test_an_engine_we_may_not_use_is_denied(engine: FakeEngine, containers: Containers) -> None:
    engine.failure = lambda request: web.json_response({"message": "authorization denied"}, status=403)
    with pytest.raises(Denied):
        await containers.ping()


async def test_an_engine_that_hangs_times_out_and_leaves_every_other_thread_free(socket_directory: Path) -> None:
    async with silent_socket(socket_directory / "d.sock") as silence:
        adapter = Containers(f"unix://{socket_directory}/d.sock", "vcc", deadline=0.3)
        started = time.monotonic()
        answers = await asyncio.gather(*(adapter.services() for _ in range(60)), return_exceptions=True)
        assert all(isinstance(answer, TimedOut) for answer in answers)
        assert time.monotonic() - started < 20
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 60) == "free"
        assert silence.connections <= 8
        adapter.close()


async def test_the_adapter_recovers_when_the_engine_comes_back(socket_directory: Path, engine: FakeEngine) -> None:
    adapter = Containers(engine.host, "vcc", deadline=5)
    engine.failure = lambda request: web.Response(status=503, text="starting")
    with pytest.raises(Rejected):
        await adapter.services()
    engine.failure = None
    engine.add(container("backend"))
    assert len(await adapter.services()) == 1
    adapter.close()
