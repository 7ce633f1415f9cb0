"""The machine's figures: compared with what the system itself says, and every error of psutil translated."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from bot.errors import Denied, NotFound, OutsideError, TimedOut
from bot.ops.host import HOST, Host, file_systems, translate
from tests.bot.ops.vendor_errors import instances_of


@pytest.mark.parametrize("error", instances_of(psutil, psutil.Error), ids=lambda error: type(error).__name__)
def test_every_error_of_psutil_is_caught_and_translated(error: Exception) -> None:
    assert isinstance(error, HOST.errors)
    assert isinstance(translate(error, 1), OutsideError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psutil.AccessDenied(1), Denied),
        (psutil.ZombieProcess(1), NotFound),
        (psutil.TimeoutExpired(1), TimedOut),
        (PermissionError(13, "no"), Denied),
        (FileNotFoundError(2, "no", "/x"), NotFound),
    ],
)
def test_what_an_error_means_is_told_apart(error: Exception, kind: type[OutsideError]) -> None:
    assert type(translate(error, 1)) is kind


async def test_the_figures_are_those_of_the_machine() -> None:
    host = Host()
    status = await host.status()
    host.close()
    assert status.cpu_count == psutil.cpu_count()
    assert status.memory_total == psutil.virtual_memory().total
    assert 0 < status.memory_available <= status.memory_total
    assert status.memory_percent == pytest.approx(100 * (1 - status.memory_available / status.memory_total))
    assert len(status.load) == 3
    assert abs(status.boot_at + status.uptime_s - time.time()) < 60
    assert 0 <= status.cpu_percent <= 100


async def test_processor_use_is_what_was_done_since_the_last_question() -> None:
    host = Host(deadline=10)
    await host.status()
    ends = time.process_time() + 0.4
    while time.process_time() < ends:
        pass
    busy = (await host.status()).cpu_percent
    host.close()
    assert busy > 100 / (psutil.cpu_count() or 1) * 0.2


def test_the_file_system_of_a_given_path_is_always_there_with_numbers(tmp_path: Path) -> None:
    found = file_systems([tmp_path])
    figures = os.statvfs(tmp_path)
    ours = next(entry for entry in found if entry.path == str(tmp_path))
    assert ours.total_bytes == figures.f_blocks * figures.f_frsize
    assert 0 <= ours.percent <= 100
    assert ours.inodes_percent is None or 0 <= ours.inodes_percent <= 100


def test_each_file_system_comes_once_and_a_path_that_is_gone_hurts_no_other(tmp_path: Path) -> None:
    found = file_systems([tmp_path, tmp_path, tmp_path / "gone"])
    devices = [Path(entry.path).stat().st_dev for entry in found]
    assert len(devices) == len(set(devices))
    assert str(tmp_path / "gone") not in [entry.path for entry in found]


def test_what_the_kernel_makes_up_is_no_file_system() -> None:
    assert not {"/proc", "/sys", "/dev/pts"} & {entry.path for entry in file_systems([])}
