"""Fixtures of a real Docker engine, and of a VCC deployment on it shared by a whole run.

The engine is the one VCC_TEST_DOCKER_HOST names, never another: these tests stop and remove containers.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import docker
import docker.errors
import pytest

from tests.live.compose_cli import compose_program
from tests.live.stack_project import BASE_IMAGES, Stack, running_stack
from tests.parts import absent

ENGINE = "VCC_TEST_DOCKER_HOST"


def listens(address: str) -> bool:
    """Whether somebody accepts connections there (asked by hand: the SDK leaks its socket when nobody does)."""
    place = urlsplit(address)
    try:
        if place.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(place.path)
        else:
            socket.create_connection((place.hostname or "", place.port or 2375), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def docker_host() -> str:
    """The engine's address."""
    address = os.environ.get(ENGINE, "")
    if not address:
        absent(f"no Docker engine: set {ENGINE}")
    if not listens(address):
        absent(f"no Docker engine: nothing listens at {address}, set {ENGINE}")
    return address


@pytest.fixture(scope="session")
def engine(docker_host: str) -> Iterator[docker.DockerClient]:
    """A client of the engine."""
    client = docker.DockerClient(base_url=docker_host, timeout=60)
    try:
        client.ping()
        yield client
    finally:
        client.close()


@pytest.fixture(scope="session")
def stack(engine: docker.DockerClient, docker_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The shared deployment. A test that breaks it mends it, or waits until it has mended itself."""
    if compose_program() is None:
        absent("no Compose: install the docker compose plug-in or docker-compose")
    for image in BASE_IMAGES:
        try:
            engine.images.get(image)
        except docker.errors.ImageNotFound:
            absent(f"no image {image}: run DOCKER_HOST={docker_host} bash .ci/images")
    with running_stack(engine, docker_host, tmp_path_factory.mktemp("vcc-manager")) as running:
        yield running


@pytest.fixture
def healthy_stack(stack: Stack) -> Iterator[Stack]:
    """The shared deployment for a test that breaks it: healthy before, and waited for afterwards."""
    stack.wait_healthy()
    yield stack
    stack.wait_healthy()
