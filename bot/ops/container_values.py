"""What the Docker adapter answers with: services, their use of the machine, the engine's disk, log lines.

Sizes are bytes, times are seconds since the epoch (UTC), percentages count one full core as 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CONTAINER_LOG_LINE_CAP = 64 * 1024


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a container; ``host_port`` is 0 when it is not published."""

    container_port: int
    protocol: str = "tcp"
    host_port: int = 0
    host_address: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a container's files come from: ``kind`` is ``volume``, ``bind`` or ``tmpfs``; ``name`` the volume's."""

    kind: str
    name: str
    source: str
    destination: str
    writable: bool


@dataclass(frozen=True, slots=True)
class Service:
    """One container of a compose service (a service with replicas has several; ``number`` tells them apart).

    ``state`` is Docker's word (running, exited, restarting, paused, created, dead). ``health`` is empty when
    the container has no health check. ``exit_code`` is None while it runs. ``labels`` hold compose's own
    knowledge: the file set, the working directory, the environment file.
    """

    name: str
    container_id: str
    container_name: str
    image: str
    image_id: str
    state: str
    health: str
    exit_code: int | None
    restarts: int
    oom_killed: bool
    started_at: float | None
    finished_at: float | None
    pid: int
    number: int
    project: str
    ports: tuple[Port, ...] = ()
    networks: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    terminal: bool = False
    log_driver: str = ""
    log_path: str = ""

    @property
    def meant_to_run(self) -> bool:
        """Whether nobody stopped it: it runs, or it died and comes back by itself."""
        return self.state not in ("created", "exited", "dead")

    @property
    def running(self) -> bool:
        """Whether it runs; healthy or not."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Usage:
    """What one running container takes, reckoned as ``docker stats`` does. Counters are since its start.

    ``cpu_percent`` is None when there was but one sample.
    """

    service: str
    container_id: str
    container_name: str
    number: int
    cpu_percent: float | None
    memory_bytes: int
    memory_limit_bytes: int
    network_received_bytes: int
    network_sent_bytes: int
    block_read_bytes: int
    block_written_bytes: int
    processes: int

    @property
    def memory_percent(self) -> float:
        """Share of the limit in use; 0 when there is none."""
        return 100 * self.memory_bytes / self.memory_limit_bytes if self.memory_limit_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Sampled:
    """A container as measured once among many times. ``usage.cpu_percent`` is since the time before, None where the counters began
    anew. ``cpu`` is what the next time needs.
    """

    service: Service
    usage: Usage
    cpu: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VolumeUse:
    """One volume; ``size_bytes`` is None when the engine does not know it, ``users`` counts containers."""

    name: str
    size_bytes: int | None
    users: int


@dataclass(frozen=True, slots=True)
class DockerDisk:
    """The engine's disk as ``docker system df`` tells it. ``unused`` parts could be removed."""

    layers_bytes: int
    images: int
    images_unused: int
    images_unused_bytes: int
    containers: int
    containers_written_bytes: int
    volumes: tuple[VolumeUse, ...]
    build_cache_bytes: int
    build_cache_unused_bytes: int

    @property
    def volumes_bytes(self) -> int:
        """All volumes whose size is known."""
        return sum(volume.size_bytes or 0 for volume in self.volumes)


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command inside a container ended. ``clipped`` when it wrote more than was kept."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    clipped: bool = False


class LogLine(NamedTuple):
    """One line of a container's log, without its line end. ``stream`` is stdout or stderr.

    ``truncated`` when the line was longer than the cap and its rest was dropped.
    """

    service: str
    container: str
    stream: str
    at: float
    text: str
    truncated: bool = False
