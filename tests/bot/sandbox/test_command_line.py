"""The real ``docker`` command, pointed at the sandbox's socket."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from bot.sandbox.deployment import Deployment

pytestmark = pytest.mark.skipif(shutil.which("docker") is None, reason="no docker command on this machine")


def _docker(sandbox: Deployment, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    argv = ["docker", "-H", sandbox.env["DOCKER_HOST"], *words]
    return subprocess.run(argv, input=typed, capture_output=True, text=True, timeout=30, check=False)


def test_ps_shows_four_running_containers(sandbox: Deployment) -> None:
    shown = _docker(sandbox, "ps", "--format", "{{.Names}} {{.State}}").stdout.splitlines()
    assert sorted(shown) == [f"vcc-{name} running" for name in ("backend", "frontend", "mongodb", "redis")]


def test_logs_are_demultiplexed(sandbox: Deployment) -> None:
    shown = _docker(sandbox, "logs", "--since", "2h", "vcc-backend")
    assert "Job queue initialized successfully\n" in shown.stdout
    assert "Unhandled Rejection at:" in shown.stderr


def test_stats_without_stream_shows_a_percentage_and_memory(sandbox: Deployment) -> None:
    shown = _docker(sandbox, "stats", "--no-stream", "--format", "{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}", "vcc-mongodb")
    name, cpu, memory = shown.stdout.strip().split("|")
    assert name == "vcc-mongodb"
    assert cpu.endswith("%")
    assert "MiB /" in memory


def test_exec_passes_input_output_and_exit_code(sandbox: Deployment) -> None:
    assert _docker(sandbox, "exec", "-i", "vcc-backend", "cat", typed="up and back").stdout == "up and back"
    assert _docker(sandbox, "exec", "vcc-backend", "sh", "-c", "exit 5").returncode == 5
    assert _docker(sandbox, "exec", "vcc-backend", "nosuch").returncode == 127


def test_restart_changes_the_process(sandbox: Deployment) -> None:
    pid = ("inspect", "--format", "{{.State.Pid}}", "vcc-frontend")
    before = _docker(sandbox, *pid).stdout
    assert _docker(sandbox, "restart", "vcc-frontend").stdout == "vcc-frontend\n"
    assert _docker(sandbox, *pid).stdout != before


def test_top_and_system_df_and_errors_read_as_dockers(sandbox: Deployment) -> None:
    assert "mongod" in _docker(sandbox, "top", "vcc-mongodb").stdout
    assert "Local Volumes   3" in _docker(sandbox, "system", "df").stdout
    assert _docker(sandbox, "logs", "nosuch").stderr == "Error response from daemon: No such container: nosuch\n"
