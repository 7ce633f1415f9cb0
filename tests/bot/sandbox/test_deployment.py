"""A deployment's life: started, found again, stopped without a trace, and not outlived by anything when its engine is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from dotenv import dotenv_values

from bot.sandbox.deployment import Deployment, running, start_detached, stop
from bot.sandbox.layout import Layout, establish_identity, read_identity
from tests.sandbox_fixture import wait_until


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Deployment]:
    """One that may be broken by its test."""
    yield start_detached(tmp_path / "home of ours")
    stop(tmp_path / "home of ours")


def _family(deployment: Deployment) -> list[psutil.Process]:
    engine = psutil.Process(deployment.engine_pid)
    return [engine, *engine.children(recursive=True)]


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_the_settings_file_is_private_and_read_alike_by_a_shell_and_by_dotenv(own: Deployment) -> None:
    path = own.home / "sandbox.env"
    assert path.stat().st_mode & 0o777 == 0o600
    assert dotenv_values(path) == dict(own.env)
    script = 'set -a; . "$1"; exec env -0'
    shown = subprocess.run(["sh", "-c", script, "sh", str(path)], capture_output=True, check=True, env={"PATH": os.defpath})
    by_shell = dict(line.split("=", 1) for line in shown.stdout.decode().split("\0") if "=" in line)
    assert {name: by_shell[name] for name in own.env} == dict(own.env)


def test_stopping_leaves_no_process_and_no_socket_and_starting_again_keeps_the_addresses(own: Deployment) -> None:
    assert start_detached(own.home).engine_pid == own.engine_pid  # asking twice starts nothing twice
    family = _family(own)
    assert len(family) == 5
    assert stop(own.home)
    assert _gone(family)
    assert running(own.home) is None
    assert not Path(own.env["DOCKER_HOST"].removeprefix("unix://")).exists()
    assert not stop(own.home)
    again = start_detached(own.home)
    assert again.env == own.env
    assert again.engine_pid != own.engine_pid


def test_a_killed_engine_takes_its_children_along_and_can_be_started_again(own: Deployment) -> None:
    family = _family(own)
    os.kill(own.engine_pid, signal.SIGKILL)
    wait_until(lambda: _gone(family))
    assert running(own.home) is None
    assert start_detached(own.home).engine_pid != own.engine_pid


def test_a_process_that_only_has_the_engines_number_is_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.root.mkdir()
    stranger = subprocess.Popen(["sleep", "30"])
    try:
        layout.engine_record.write_text(json.dumps({"pid": stranger.pid, "created": 1.0, "ready": True}))
        assert not stop(tmp_path)
        assert running(tmp_path) is None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_secret_that_was_changed_in_the_projects_file_is_the_one_in_force(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    made = establish_identity(layout)
    (layout.project).mkdir(parents=True)
    (layout.project / ".env").write_text("JWT_SECRET=changed\nMONGO_ROOT_PASSWORD=also\nREDIS_PASSWORD=\n")
    found = read_identity(layout)
    assert found is not None
    assert (found.secrets.jwt_secret, found.secrets.redis_password) == ("changed", made.secrets.redis_password)
    assert "admin:also@" in found.mongodb_uri
