"""The Docker Engine API of a real sandbox, through the library the bot uses."""

from __future__ import annotations

import gc
import os
import signal
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import docker
import psutil
import pytest
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from bot.sandbox.deployment import Deployment
from tests.sandbox_fixture import wait_until

NAMES = ["vcc-backend", "vcc-frontend", "vcc-mongodb", "vcc-redis"]


@pytest.fixture
def engine(sandbox: Deployment) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=sandbox.env["DOCKER_HOST"], timeout=30)
    yield client
    client.close()


def _state(container: Container) -> dict[str, Any]:
    container.reload()
    state: dict[str, Any] = container.attrs["State"]
    return state


def _healthy(container: Container) -> bool:
    return bool(_state(container).get("Health", {}).get("Status") == "healthy")


def _run(container: Container, *argv: str, **options: Any) -> tuple[int | None, Any]:
    """Exit code and output. docker-py leaves the connection of an exec to the garbage collector, which complains: so it runs here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        result = container.exec_run(list(argv), **options)
        code, output = result.exit_code, result.output
        gc.collect()
    return code, output


def _page(sandbox: Deployment) -> str:
    return sandbox.env["VCC_HEALTH_URLS"].partition("frontend=")[2]


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_four_containers_are_found_by_the_labels_compose_sets(engine: docker.DockerClient, sandbox: Deployment) -> None:
    found = engine.containers.list(filters={"label": "com.docker.compose.project=vcc-manager"})
    assert sorted(str(one.name) for one in found) == NAMES
    labels = engine.containers.get("vcc-redis").labels
    assert labels["com.docker.compose.service"] == "redis"
    assert labels["com.docker.compose.project.working_dir"] == sandbox.env["VCC_PROJECT_DIR"]
    assert Path(labels["com.docker.compose.project.config_files"]).is_file()
    assert Path(labels["com.docker.compose.project.environment_file"]).is_file()
    assert engine.containers.list(filters={"label": "com.docker.compose.service=nginx"}) == []


def test_inspect_tells_of_the_real_process(engine: docker.DockerClient, sandbox: Deployment) -> None:
    mongo = engine.containers.get("vcc-mongodb")
    assert psutil.Process(_state(mongo)["Pid"]).name() == "mongod"
    backend = engine.containers.get("vcc-backend")
    wait_until(lambda: _healthy(backend))
    assert f"MONGODB_URI={sandbox.env['MONGODB_URI']}" in backend.attrs["Config"]["Env"]
    assert backend.attrs["Mounts"][0]["Source"] == sandbox.env["VCC_UPLOADS_DIR"]
    log = Path(backend.attrs["LogPath"])
    assert log.is_file()
    assert log.is_relative_to(sandbox.env["VCC_DOCKER_DATA_DIR"])


def test_an_unknown_container_is_a_404_with_dockers_words(engine: docker.DockerClient) -> None:
    with pytest.raises(NotFound, match="No such container: nosuch"):
        engine.containers.get("nosuch")


def test_logs_keep_the_streams_apart_and_honour_tail(engine: docker.DockerClient) -> None:
    backend = engine.containers.get("vcc-backend")
    assert b"Connecting to Redis: redis://:" in backend.logs(stdout=True, stderr=False)
    assert b"Unhandled Rejection at:" in backend.logs(stdout=False, stderr=True)
    assert b"Connecting to Redis" not in backend.logs(stdout=False, stderr=True)
    assert len(backend.logs(tail=3).splitlines()) == 3


def test_a_time_window_holds_only_its_own_lines(engine: docker.DockerClient) -> None:
    now = datetime.now(UTC)
    since, until = now - timedelta(hours=6), now - timedelta(hours=5)
    lines = engine.containers.get("vcc-frontend").logs(since=since, until=until, timestamps=True).splitlines()
    assert 60 < len(lines) < 250
    stamps = [datetime.fromisoformat(line.split()[0].decode()[:19] + "+00:00") for line in lines]
    assert min(stamps) >= since - timedelta(seconds=1)
    assert max(stamps) <= until + timedelta(seconds=1)


def test_following_sees_a_line_written_afterwards(engine: docker.DockerClient, sandbox: Deployment) -> None:
    wait_until(lambda: _answers(_page(sandbox)))
    stream = engine.containers.get("vcc-frontend").logs(stream=True, follow=True, tail=0)
    with urlopen(f"{_page(sandbox)}follow-me", timeout=5) as response:
        assert response.status == 200
    end = time.monotonic() + 10
    for line in stream:
        if b"/follow-me" in line:
            break
        assert time.monotonic() < end
    stream.close()


def test_stats_are_enough_for_a_percentage(engine: docker.DockerClient) -> None:
    reading: Any = engine.containers.get("vcc-mongodb").stats(stream=False)
    assert reading["cpu_stats"]["system_cpu_usage"] > reading["precpu_stats"]["system_cpu_usage"]
    assert reading["cpu_stats"]["cpu_usage"]["total_usage"] >= reading["precpu_stats"]["cpu_usage"]["total_usage"] > 0
    assert reading["memory_stats"]["usage"] > 10_000_000


def test_exec_really_runs_with_the_containers_environment(engine: docker.DockerClient, sandbox: Deployment) -> None:
    backend = engine.containers.get("vcc-backend")
    assert f"REDIS_URL={sandbox.env['REDIS_URL']}".encode() in _run(backend, "env")[1]
    assert _run(backend, "ls", "/app/uploads")[1].split() == [b"generated", b"reference"]
    assert _run(backend, "sh", "-c", "echo out; echo err >&2; exit 7", demux=True) == (7, (b"out\n", b"err\n"))


def test_a_program_that_is_not_there_exits_127(engine: docker.DockerClient) -> None:
    code, output = _run(engine.containers.get("vcc-backend"), "no-such-program")
    assert code == 127
    assert b"executable file not found" in output


def test_redis_cli_inside_the_container_finds_its_server(engine: docker.DockerClient, sandbox: Deployment) -> None:
    password = sandbox.env["REDIS_URL"].partition("://:")[2].partition("@")[0]
    redis = engine.containers.get("vcc-redis")
    assert _run(redis, "redis-cli", "ping", environment={"REDISCLI_AUTH": password}) == (0, b"PONG\n")


def test_a_restart_gives_a_new_process_in_the_same_container(engine: docker.DockerClient) -> None:
    frontend = engine.containers.get("vcc-frontend")
    before, identity, ports = _state(frontend), frontend.id, frontend.ports
    frontend.restart(timeout=5)
    after = _state(frontend)
    assert after["Pid"] != before["Pid"]
    assert after["StartedAt"] > before["StartedAt"]
    assert (frontend.id, frontend.ports) == (identity, ports)


def test_a_stopped_container_stays_down_and_a_second_stop_changes_nothing(engine: docker.DockerClient, sandbox: Deployment) -> None:
    frontend = engine.containers.get("vcc-frontend")
    wait_until(lambda: _answers(_page(sandbox)))  # so that it is ready to take a SIGTERM well
    pid = _state(frontend)["Pid"]
    frontend.stop(timeout=5)
    state = _state(frontend)
    assert (state["Status"], state["Pid"], state["ExitCode"]) == ("exited", 0, 0)
    assert not psutil.pid_exists(pid)
    frontend.stop()
    with pytest.raises(APIError, match="is not running"):
        frontend.exec_run(["true"])
    assert engine.containers.list(filters={"status": "exited"}) == [frontend]
    frontend.start()
    wait_until(lambda: _state(frontend)["Running"])


def test_a_killed_process_is_seen_down_then_restarted_and_counted(engine: docker.DockerClient) -> None:
    redis = engine.containers.get("vcc-redis")
    before = _state(redis)
    count = redis.attrs["RestartCount"]
    os.kill(before["Pid"], signal.SIGKILL)
    down = wait_until(lambda: (state := _state(redis))["Status"] == "restarting" and state)
    assert down["ExitCode"] == 137
    wait_until(lambda: _state(redis)["Status"] == "running")
    assert redis.attrs["RestartCount"] == count + 1
    assert _state(redis)["Pid"] != before["Pid"]
    # The real backend does not outlive a lost Redis, and is brought back by the same policy.
    backend = engine.containers.get("vcc-backend")
    wait_until(lambda: _healthy(backend) and backend.attrs["RestartCount"] > 0)
    assert b"Socket closed unexpectedly" in backend.logs(stdout=False, tail=60)


def test_events_tell_of_a_restart(engine: docker.DockerClient, sandbox: Deployment) -> None:
    begin = time.time()
    engine.containers.get("vcc-frontend").restart(timeout=5)
    wait_until(lambda: _answers(_page(sandbox)))  # it has no health check of its own, and the next test must not meet it half started
    seen = list(engine.events(since=int(begin), until=int(time.time()) + 1, decode=True, filters={"container": "vcc-frontend"}))
    assert [event["Action"] for event in seen if event["Action"] in ("die", "start", "restart")][-3:] == ["die", "start", "restart"]


def test_pruning_removes_old_dangling_images_and_keeps_rollbacks(engine: docker.DockerClient) -> None:
    dangling = engine.images.list(filters={"dangling": True})
    removed = engine.images.prune(filters={"dangling": True, "until": "720h"})
    assert len(removed["ImagesDeleted"]) == 2
    assert removed["SpaceReclaimed"] > 0
    assert len(engine.images.list(filters={"dangling": True})) == len(dangling) - 2
    assert engine.images.get("vcc-manager-backend:rollback-20260101")
    assert engine.images.prune(filters={"dangling": True, "until": "720h"})["ImagesDeleted"] is None


def test_a_rollback_tag_can_be_made_and_taken_off_but_an_image_in_use_stays(engine: docker.DockerClient) -> None:
    image = engine.images.get("vcc-manager-frontend")
    assert image.tag("vcc-manager-frontend", "rollback-test")
    engine.images.remove("vcc-manager-frontend:rollback-test")
    with pytest.raises(APIError, match="is being used"):
        engine.images.remove("vcc-manager-frontend:latest")
    assert engine.images.get("vcc-manager-frontend:latest").id == image.id


def test_without_the_backend_the_page_stays_and_the_proxy_says_502(engine: docker.DockerClient, sandbox: Deployment) -> None:
    backend, page = engine.containers.get("vcc-backend"), _page(sandbox)
    backend.kill()
    try:
        assert _state(backend)["Status"] == "exited"  # killed by the user: the policy leaves it down
        wait_until(lambda: _answers(f"{page}health"))
        with pytest.raises(HTTPError, match="502") as refused:
            urlopen(f"{page}api/health", timeout=5)
        refused.value.close()
        frontend = engine.containers.get("vcc-frontend")
        wait_until(lambda: b"connect() failed (111: Connection refused)" in frontend.logs(stdout=False, tail=3))
    finally:
        backend.start()
        wait_until(lambda: _healthy(backend))


def test_a_database_that_is_down_does_not_show_in_the_backends_health(engine: docker.DockerClient, sandbox: Deployment) -> None:
    mongo = engine.containers.get("vcc-mongodb")
    mongo.stop(timeout=10)
    try:
        wait_until(lambda: _answers(sandbox.env["VCC_HEALTH_URLS"].partition("backend=")[2].partition(",")[0]))
    finally:
        mongo.start()


def test_a_paused_container_says_so_and_goes_on_afterwards(engine: docker.DockerClient) -> None:
    redis = engine.containers.get("vcc-redis")
    redis.pause()
    assert _state(redis)["Status"] == "paused"
    wait_until(lambda: psutil.Process(_state(redis)["Pid"]).status() == psutil.STATUS_STOPPED)
    redis.unpause()
    assert _state(redis)["Status"] == "running"


def test_a_container_taken_off_the_network_is_shown_so(engine: docker.DockerClient) -> None:
    network = engine.networks.list()[0]
    network.disconnect("vcc-backend")
    backend = engine.containers.get("vcc-backend")
    assert backend.attrs["NetworkSettings"]["Networks"] == {}
    network.connect("vcc-backend")
    backend.reload()
    assert list(backend.attrs["NetworkSettings"]["Networks"]) == [network.name]


def test_top_and_disk_use_and_info_answer(engine: docker.DockerClient, sandbox: Deployment) -> None:
    table = engine.containers.get("vcc-mongodb").top()
    assert "mongod" in table["Processes"][0][-1]
    assert {volume["Name"] for volume in engine.df()["Volumes"]} >= {"vcc-manager_uploads_data"}
    assert engine.info()["DockerRootDir"] == sandbox.env["VCC_DOCKER_DATA_DIR"]
    assert engine.ping()
