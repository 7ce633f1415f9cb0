"""The bot's own image, built without a registry and without an index, and run beside the deployment it looks after."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import docker.errors
import pytest
from docker.models.containers import Container

from tests.live.stack_project import SERVICES, Stack
from tests.parts import absent, wait_until

ROOT = Path(__file__).parents[2]
BASE = "vcc-base:test"
TAG = f"vcc-ops-bot:test-{os.getpid()}"
SECOND = 1_000_000_000


def lay_out(context: Path, version: str) -> None:
    """What the build may see, and the wheels of every locked package for the base's Python."""
    for name in ("Dockerfile", ".dockerignore", "requirements.lock", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, context / name)
    for name in ("bot", "commands"):
        shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
    words = ["download", "--quiet", "--require-hashes", "--only-binary", ":all:", "--python-version", version]
    command = [sys.executable, "-m", "pip", *words, "--requirement", str(ROOT / "requirements.lock"), "--dest", str(context / "wheels")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        absent(f"no packages for the image: {done.stderr.strip()[-300:]}")


@pytest.fixture(scope="module")
def image(engine: docker.DockerClient, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The built image. The build has no network: everything comes from the lock's wheels."""
    try:
        asked = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = engine.containers.run(BASE, ["python3", "-c", asked], remove=True).decode().strip()
    except docker.errors.ContainerError:
        absent(f"no Python in {BASE}: build the images again")
    context = tmp_path_factory.mktemp("image")
    lay_out(context, version)
    arguments = {"BASE": BASE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
    try:
        engine.images.build(path=str(context), tag=TAG, buildargs=arguments, network_mode="none", rm=True, forcerm=True)
    except docker.errors.BuildError as error:
        pytest.fail("".join(str(part.get("stream", part)) for part in error.build_log if isinstance(part, dict))[-4000:])
    yield TAG
    engine.images.remove(TAG, force=True)


def inside(stack: Stack) -> dict[str, str]:
    """The settings as a container on the deployment's network needs them."""
    secret = stack.environment
    return {
        "VCC_COMPOSE_PROJECT": stack.project,
        "VCC_PROJECT_DIR": "/project",
        "VCC_UPLOADS_DIR": "/uploads",
        "MONGODB_URI": f"mongodb://admin:{secret['MONGO_ROOT_PASSWORD']}@mongodb:27017/vcc-manager?authSource=admin",
        "REDIS_URL": f"redis://:{secret['REDIS_PASSWORD']}@redis:6379",
        "VCC_HEALTH_URLS": "backend=http://backend:3000/health,frontend=http://frontend/",
        "VCC_ADMINS": "local:ada,local:ben",
        "VCC_LANG": "en",
    }


@pytest.fixture
def placed(engine: docker.DockerClient, stack: Stack, image: str) -> dict[str, Any]:
    """How it is run beside the deployment: its network, its volumes read-only, the engine's socket by its group."""
    place = urlsplit(stack.docker_host)
    if place.scheme != "unix":
        absent("the engine is not on this machine: its socket cannot be handed on")
    return {
        "image": image,
        "environment": inside(stack),
        "network": f"{stack.project}_vcc-network",
        "group_add": [str(Path(place.path).stat().st_gid)],
        "volumes": [
            f"{place.path}:/var/run/docker.sock",
            f"{stack.project}_uploads_data:/uploads:ro",
            f"{stack.directory}:/project:ro",
        ],
    }


def ran(engine: docker.DockerClient, placed: dict[str, Any], *words: str) -> tuple[int, str]:
    """Run one word of ``vcc`` to its end; exit code and standard output."""
    container: Container = engine.containers.run(command=list(words), detach=True, **placed)
    try:
        code = int(container.wait(timeout=60)["StatusCode"])
        return code, container.logs(stderr=code not in (0, 4)).decode()
    finally:
        container.remove(force=True, v=True)


def it_runs_as_nobody_special_and_holds_only_the_bot(engine: docker.DockerClient, image: str) -> None:
    look = "id -u; test ! -w /venv && echo sealed; test ! -e /wheels && test ! -e /app && echo bare; vcc commands --json | head -n 1"
    said = engine.containers.run(image, ["-c", look], entrypoint="sh", remove=True).decode().split()
    assert said == ["1001", "sealed", "bare", "["]
    history = json.dumps(engine.images.get(image).history())
    assert "PIP_INDEX_URL" not in history


def it_gets_healthy_answers_and_ends_when_told(engine: docker.DockerClient, placed: dict[str, Any]) -> None:
    often = {"interval": SECOND, "start_period": 60 * SECOND}
    container: Container = engine.containers.run(detach=True, healthcheck=often, ports={"8080/tcp": ("127.0.0.1", 0)}, **placed)
    try:
        wait_until(lambda: _health(container) == "healthy", "the image's own health check passes", seconds=60, every=0.25)
        port = container.attrs["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            assert answer.status == 200
        container.stop(timeout=15)
        assert container.wait(timeout=5)["StatusCode"] == 0
    finally:
        container.remove(force=True, v=True)


def _health(container: Container) -> str:
    container.reload()
    assert container.status == "running", container.logs().decode()
    return str(container.attrs["State"]["Health"]["Status"])


def check_inside_reaches_the_deployment_and_finds_nothing_bad(engine: docker.DockerClient, placed: dict[str, Any]) -> None:
    code, said = ran(engine, placed, "check")
    assert code == 0, said
    assert "✘" not in said
    for service in SERVICES:
        assert service in said


def a_line_inside_sees_the_deployment_and_says_no_secret(engine: docker.DockerClient, stack: Stack, placed: dict[str, Any]) -> None:
    code, said = ran(engine, placed, "do", "status", "--json")
    assert code == 0, said
    data = json.loads(said)["data"]
    assert [service["name"] for service in data["services"]] == list(SERVICES)
    assert (data["mongodb"]["up"], data["redis"]["up"]) == (True, True)
    hidden = [value for name, value in stack.environment.items() if name.endswith(("PASSWORD", "SECRET"))]
    assert [secret for secret in hidden if secret in said] == []


def test_the_image_is_bare_and_well_and_sees_the_deployment(engine: docker.DockerClient, stack: Stack, placed: dict[str, Any]) -> None:
    """One test, as the image is built for each worker that has one."""
    it_runs_as_nobody_special_and_holds_only_the_bot(engine, placed["image"])
    it_gets_healthy_answers_and_ends_when_told(engine, placed)
    check_inside_reaches_the_deployment_and_finds_nothing_bad(engine, placed)
    a_line_inside_sees_the_deployment_and_says_no_secret(engine, stack, placed)
