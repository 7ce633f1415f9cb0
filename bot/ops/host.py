"""The machine: processor, load, memory, swap, file systems, how long it runs. Knows nothing of containers.

In a container the processor and memory seen are the host's; file systems are the container's own and its mounts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.errors import Denied, NotFound, OutsideError, Rejected, TimedOut
from bot.ops.bounded import Vendor, Workers, describe, within

SYSTEM = "host"
# What the kernel makes up: no file there takes room on a disk.
# fmt: off
NO_REAL_FILES = frozenset((
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fuse.gvfsd-fuse",
    "fuse.lxcfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "squashfs", "sysfs",
    "tmpfs", "tracefs",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One file system. ``percent`` is what ``df`` shows: used of what ordinary users may fill, as a number.

    ``inodes_percent`` is None where the file system has no fixed number of inodes (btrfs, some network ones).
    """

    path: str
    device: str
    kind: str
    total_bytes: int
    used_bytes: int
    free_bytes: int
    percent: float
    inodes_total: int
    inodes_free: int
    inodes_percent: float | None


@dataclass(frozen=True, slots=True)
class HostStatus:
    """The machine at one moment. Bytes; seconds; ``cpu_percent`` of all cores together, since the last time asked.

    ``memory_available`` is what programs can still get (caches included), the figure that matters; ``load`` are the averages
    over 1, 5 and 15 minutes.
    """

    cpu_percent: float
    cpu_count: int
    load: tuple[float, float, float]
    memory_total: int
    memory_available: int
    memory_percent: float
    swap_total: int
    swap_used: int
    file_systems: tuple[FileSystem, ...]
    boot_at: float
    uptime_s: float


def translate(error: Exception, seconds: float) -> OutsideError:
    """What psutil and the operating system throw, in our words."""
    if isinstance(error, psutil.AccessDenied | PermissionError):
        return Denied(SYSTEM, describe(error))
    if isinstance(error, psutil.TimeoutExpired):
        return TimedOut(SYSTEM, seconds, describe(error))
    if isinstance(error, FileNotFoundError):
        return NotFound(SYSTEM, str(error.filename or ""), describe(error))
    if isinstance(error, psutil.NoSuchProcess):
        return NotFound(SYSTEM, str(error.pid), describe(error))
    return Rejected(SYSTEM, describe(error))


HOST = Vendor(SYSTEM, (psutil.Error, OSError), translate)


class Busy:
    """How busy the processor was since the last time asked; whoever asks has one of their own, so that none shortens another's time."""

    def __init__(self) -> None:
        self._before = _busy()

    def percent(self) -> float:
        """Nothing waits. Asked again within the clock's grain, nothing has passed: 0."""
        before, now = self._before, _busy()
        self._before = now
        passed = now[1] - before[1]
        return max(0.0, min(100.0, 100 * (now[0] - before[0]) / passed)) if passed > 0 else 0.0


class Host:
    """This machine. ``paths`` are always looked at, whatever their file system; ``deadline`` (seconds) bounds each question."""

    def __init__(self, paths: Sequence[Path] = (), deadline: float = 2.5) -> None:
        self._paths = tuple(paths)
        self._deadline = deadline
        self._workers = Workers("host", 2)
        self._busy = Busy()

    def close(self) -> None:
        """Let the threads go."""
        self._workers.close()

    async def status(self, busy: Busy | None = None) -> HostStatus:
        """The machine now; the processor since ``busy`` was last asked."""
        async with within(HOST, self._deadline):
            return await self._workers.run(self._status, busy or self._busy)

    async def file_system_of(self, path: Path) -> FileSystem | None:
        """The file system that ``path`` lies on; None when there is no such path here."""
        async with within(HOST, self._deadline):
            return next(iter(await self._workers.run(_only, path)), None)

    async def file_systems(self) -> tuple[FileSystem, ...]:
        """The real file systems and those of our own paths, each once."""
        async with within(HOST, self._deadline):
            return await self._workers.run(file_systems, self._paths)

    def _status(self, busy: Busy) -> HostStatus:
        memory, swap, boot = psutil.virtual_memory(), psutil.swap_memory(), psutil.boot_time()
        return HostStatus(
            cpu_percent=busy.percent(),
            cpu_count=psutil.cpu_count() or 1,
            load=os.getloadavg(),
            memory_total=memory.total,
            memory_available=memory.available,
            memory_percent=100 * (1 - memory.available / memory.total),
            swap_total=swap.total,
            swap_used=swap.used,
            file_systems=file_systems(self._paths),
            boot_at=boot,
            uptime_s=time.time() - boot,
        )


def _busy() -> tuple[float, float]:
    """Seconds of work and seconds in all, of all cores together. Guest time is within user time already."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - idle, total


def file_systems(paths: Iterable[Path]) -> tuple[FileSystem, ...]:
    """The real file systems and those under ``paths``, each once (by device number), in the order of their paths."""
    found: dict[int, FileSystem] = {}
    partitions = psutil.disk_partitions(all=True)
    for path in paths:
        _, device, kind = _under(path)
        _add(found, path, device, kind)
    for partition in partitions:
        if _is_real(partition.fstype, partition.mountpoint):
            _add(found, Path(partition.mountpoint), partition.device, partition.fstype)
    return tuple(sorted(found.values(), key=lambda entry: entry.path))


def _only(path: Path) -> tuple[FileSystem, ...]:
    """The one file system under ``path``, by its mount point; none when there is no such path."""
    found: dict[int, FileSystem] = {}
    point, device, kind = _under(path)
    if point and path.exists():
        _add(found, Path(point), device, kind)
    return tuple(found.values())


def _under(path: Path) -> tuple[str, str, str]:
    """Mount point, device and kind of the file system under ``path``; empty when none is."""
    known = {entry.mountpoint: entry for entry in psutil.disk_partitions(all=True)}
    point = _mounted_at(path, known)
    return (point, known[point].device, known[point].fstype) if point in known else ("", "", "")


def _is_real(kind: str, point: str) -> bool:
    """Not made up by the kernel, no single file mounted into a container, no container's layers but our own."""
    return kind not in NO_REAL_FILES and (kind != "overlay" or point == "/") and Path(point).is_dir()


def _add(found: dict[int, FileSystem], path: Path, device: str, kind: str) -> None:
    """One that cannot be looked at (gone, forbidden, a dead network mount) is left out: the others still count."""
    try:
        number, figures = path.stat().st_dev, os.statvfs(path)
    except OSError:
        return
    if number in found or figures.f_blocks == 0:
        return
    block, used = figures.f_frsize, figures.f_blocks - figures.f_bfree
    inodes_used = figures.f_files - figures.f_ffree
    found[number] = FileSystem(
        path=str(path),
        device=device,
        kind=kind,
        total_bytes=figures.f_blocks * block,
        used_bytes=used * block,
        free_bytes=figures.f_bavail * block,
        percent=100 * used / (used + figures.f_bavail) if used + figures.f_bavail else 0.0,
        inodes_total=figures.f_files,
        inodes_free=figures.f_favail,
        inodes_percent=100 * inodes_used / figures.f_files if figures.f_files else None,
    )


def _mounted_at(path: Path, points: Iterable[str]) -> str:
    """The mount point that ``path`` is under: the longest that leads to it."""
    real = path.resolve()
    return max((point for point in points if real.is_relative_to(point)), key=len, default="")
