"""The test ground itself: a deployment that behaves as the facts say VCC Manager's does, on a real engine."""

from __future__ import annotations

import json
import re

import docker
import pymongo
import pytest

from tests.live.stack_project import SERVICES, Stack, http
from tests.parts import wait_until
from tests.real_parts import BullMaker


def submit(stack: Stack, **data: object) -> str:
    status, text = http("POST", f"{stack.backend_url}/api/jobs", data)
    assert status == 201, text
    job: str = json.loads(text)["id"]
    return job


def logs(stack: Stack, service: str) -> str:
    return stack.container(service).logs().decode()


def test_four_services_are_up_and_found_by_their_labels(stack: Stack, engine: docker.DockerClient) -> None:
    assert sorted(stack.containers()) == sorted(SERVICES)
    for service in SERVICES:
        container = stack.container(service)
        assert container.status == "running"
        assert container.labels["com.docker.compose.project"] == stack.project
        assert "docker-compose.yml" in container.labels["com.docker.compose.project.config_files"]
        assert container.labels["com.docker.compose.project.working_dir"] == str(stack.directory)
    assert stack.health()["backend"] == "healthy"


def test_only_loopback_is_published(stack: Stack) -> None:
    published = [binding for service in SERVICES for one in stack.container(service).ports.values() for binding in one or []]
    assert len(published) == 4
    assert {binding["HostIp"] for binding in published} == {"127.0.0.1"}


def test_the_frontend_serves_pages_and_passes_the_api_on(stack: Stack) -> None:
    assert http("GET", f"{stack.frontend_url}/health") == http("GET", f"{stack.frontend_url}/")  # the single-page fallback, not health
    assert http("GET", f"{stack.frontend_url}/api/health") == (404, '{"message":"Route not found"}')


def test_the_real_bull_works_jobs_off_and_writes_file_and_document(stack: Stack, bull_node: BullMaker) -> None:
    with pymongo.MongoClient[dict[str, object]](stack.mongodb_uri) as mongo:
        database = mongo["vcc-manager"]
        mongo_id = database["imagegenerationjobs"].insert_one({"status": "pending"}).inserted_id
        job = submit(stack, jobId=str(mongo_id), ms=50, inputData={"prompt": "고양이"})
        bull = bull_node(stack.redis_url)
        wait_until(lambda: bull.state(job) == "completed", "the job is done", every=0.1)
        document = database["imagegenerationjobs"].find_one({"_id": mongo_id})
        image = database["generatedimages"].find_one({"jobId": mongo_id})
    assert document is not None
    assert image is not None
    assert document["status"] == "completed"
    file = stack.uploads_dir / "generated" / str(image["filename"])
    assert file.stat().st_size == image["size"]
    assert file.stat().st_uid == 1001
    assert stack.exec("backend", "stat", "-c", "%s", str(image["path"])) == (0, f"{image['size']}\n")


def test_the_backend_honours_a_paused_queue_and_runs_five_at_once(stack: Stack, bull_node: BullMaker) -> None:
    bull = bull_node(stack.redis_url)
    bull.run("pause")
    try:
        jobs = [submit(stack, ms=2000) for _ in range(7)]
        assert bull.counts()["paused"] == 7
    finally:
        bull.run("resume")
    wait_until(lambda: bull.counts()["active"] == 5, "five jobs are active", every=0.1)
    wait_until(lambda: set(bull.run("states", ids=jobs).values()) == {"completed"}, "all are done", every=0.2)


def test_the_backend_logs_as_the_real_one_secrets_included(stack: Stack, bull_node: BullMaker) -> None:
    http("POST", f"{stack.backend_url}/api/auth/signin", {"email": "ada@example.org", "password": "Hunter2!Hunter2"})
    assert http("GET", f"{stack.backend_url}/api/boom")[0] == 500
    bull = bull_node(stack.redis_url)
    (failing,) = bull.add({"fail": True, "ms": 1}, attempts=1)
    wait_until(lambda: bull.state(failing) == "failed", "the job fails", every=0.1)
    wait_until(lambda: f"Job {failing} failed: Error: Failed to submit workflow" in logs(stack, "backend"), "its line is there")
    text = logs(stack, "backend")
    assert f"Connecting to Redis: redis://:{stack.environment['REDIS_PASSWORD']}@redis:6379" in text
    assert '"password": "Hunter2!Hunter2"' in text
    assert "hello error world" in text
    assert re.search(r'"GET /api/boom HTTP/1\.1" 500 \d+ "-" "Python-urllib', text)
    assert re.search(r"Error: Cannot read properties .*\n    at GET /api/boom", text)


def test_the_frontend_logs_combined_lines_and_its_log_turns_over(stack: Stack) -> None:
    container = stack.container("frontend")
    assert container.attrs["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "64k"}}
    rotated = stack.log_file("frontend").with_name(stack.log_file("frontend").name + ".1")

    def visit() -> bool:
        for number in range(50):
            http("GET", f"{stack.frontend_url}/gallery/{number}?{'x' * 200}")
        return rotated.exists()

    wait_until(visit, "the log turned over")
    form = r'[\d.]+ - - \[.+ \+0000\] "GET /gallery/49\?x+ HTTP/1\.1" 200 \d+ "-" "Python-urllib/[\d.]+" "-"'
    # nginx writes its line after the answer was given.
    wait_until(lambda: bool(re.fullmatch(form, container.logs(tail=1).decode().strip())), "the last visit is logged")
    assert {entry["stream"] for entry in map(json.loads, rotated.read_text().splitlines())} <= {"stdout", "stderr"}


def test_mongod_and_redis_want_their_passwords_and_log_to_docker(stack: Stack) -> None:
    assert "NOAUTH" in stack.exec("redis", "redis-cli", "ping")[1]
    assert '"s":"I"' in logs(stack, "mongodb")
    with (
        pymongo.MongoClient[dict[str, object]]("127.0.0.1", int(stack.environment["MONGODB_PORT"])) as stranger,
        pytest.raises(pymongo.errors.OperationFailure),
    ):
        stranger["vcc-manager"]["users"].insert_one({})


def test_a_redis_restart_crashes_the_backend_and_the_policy_brings_it_back(healthy_stack: Stack) -> None:
    before = healthy_stack.container("backend").attrs
    assert before["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    healthy_stack.container("redis").restart(timeout=5)

    def crashed() -> bool:
        return bool(healthy_stack.container("backend").attrs["RestartCount"] > before["RestartCount"])

    wait_until(crashed, "the backend crashed", every=0.1)
    healthy_stack.wait_healthy()
    after = healthy_stack.container("backend").attrs
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] > before["State"]["StartedAt"]
    assert "Socket closed unexpectedly" in logs(healthy_stack, "backend")


def test_data_and_addresses_survive_a_restart_of_everything(healthy_stack: Stack) -> None:
    with pymongo.MongoClient[dict[str, object]](healthy_stack.mongodb_uri) as mongo:
        mongo["vcc-manager"]["users"].insert_one({"email": "kept@example.org"})
        healthy_stack.compose.run("restart", "--timeout", "5")
        healthy_stack.wait_healthy()
        assert mongo["vcc-manager"]["users"].count_documents({"email": "kept@example.org"}) == 1


def test_compose_in_the_project_directory_recreates_what_changed(healthy_stack: Stack) -> None:
    before = healthy_stack.containers()
    compose_file = healthy_stack.directory / "docker-compose.yml"
    original = compose_file.read_text()
    compose_file.write_text(original.replace("JWT_EXPIRES_IN: 7d", "JWT_EXPIRES_IN: 1d"))
    try:
        healthy_stack.compose.run("up", "--detach")
    finally:
        compose_file.write_text(original)
    after = healthy_stack.containers()
    assert {service for service in SERVICES if before[service] != after[service]} <= {"backend", "frontend"}
    assert "JWT_EXPIRES_IN=1d" in healthy_stack.container("backend").attrs["Config"]["Env"]
    # nginx holds the old backend's address until it is restarted, when the recreated one got another.
    healthy_stack.container("frontend").restart(timeout=5)
