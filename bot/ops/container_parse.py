"""The Docker engine's JSON into our values. Pure; tolerant of what an engine leaves out, never of what we would guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.ops.container_values import DockerDisk, Mount, Port, Service, Usage, VolumeUse

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
ONEOFF_LABEL = "com.docker.compose.oneoff"

Json = Mapping[str, Any]


def moment(text: str | None) -> float | None:
    """An RFC 3339 time as seconds since the epoch; None for Docker's "never" (the year 1) and for nonsense."""
    if not text or text.startswith("0001-"):
        return None
    head, _, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] if rest else ""
    try:
        whole = datetime.fromisoformat(head + zone)
    except ValueError:
        return None
    whole = whole if whole.tzinfo else whole.replace(tzinfo=UTC)
    return whole.timestamp() + (int(digits) / 10 ** len(digits) if digits else 0.0)


def service_from(inspected: Json) -> Service:
    """One container as ``inspect`` shows it."""
    config, state = inspected.get("Config") or {}, inspected.get("State") or {}
    labels: dict[str, str] = config.get("Labels") or {}
    running = bool(state.get("Running"))
    log = (inspected.get("HostConfig") or {}).get("LogConfig") or {}
    network = inspected.get("NetworkSettings") or {}
    return Service(
        name=labels.get(SERVICE_LABEL, ""),
        container_id=str(inspected.get("Id", "")),
        container_name=str(inspected.get("Name", "")).lstrip("/"),
        image=str(config.get("Image", "")),
        image_id=str(inspected.get("Image", "")),
        state=str(state.get("Status", "")),
        health=_health(state),
        exit_code=None if running else _whole(state.get("ExitCode")),
        restarts=_whole(inspected.get("RestartCount")),
        oom_killed=bool(state.get("OOMKilled")),
        started_at=moment(state.get("StartedAt")),
        finished_at=moment(state.get("FinishedAt")),
        pid=_whole(state.get("Pid")),
        number=_whole(labels.get(NUMBER_LABEL), 1),
        project=labels.get(PROJECT_LABEL, ""),
        ports=tuple(_ports(network.get("Ports") or {})),
        networks=tuple(sorted(network.get("Networks") or {})),
        mounts=tuple(_mount(mount) for mount in inspected.get("Mounts") or ()),
        labels=labels,
        terminal=bool(config.get("Tty")),
        log_driver=str(log.get("Type", "")),
        log_path=str(inspected.get("LogPath") or ""),
    )


def _health(state: Json) -> str:
    status = str((state.get("Health") or {}).get("Status", ""))
    return "" if status == "none" else status


def _whole(value: Any, otherwise: int = 0) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise


def _ports(published: Mapping[str, list[dict[str, str]] | None]) -> Iterable[Port]:
    for key, bindings in published.items():
        number, _, protocol = key.partition("/")
        inside = Port(_whole(number), protocol or "tcp")
        if not bindings:
            yield inside
        for binding in bindings or ():
            yield Port(inside.container_port, inside.protocol, _whole(binding.get("HostPort")), binding.get("HostIp", ""))


def _mount(mount: Json) -> Mount:
    return Mount(
        kind=str(mount.get("Type", "")),
        name=str(mount.get("Name", "")),
        source=str(mount.get("Source", "")),
        destination=str(mount.get("Destination", "")),
        writable=bool(mount.get("RW", True)),
    )


def usage_from(service: Service, before: Json | None, after: Json) -> Usage:
    """Two samples of a container's counters as ``docker stats`` shows them: processor time between, the rest as of now.

    Without the first, and where the counters began anew in between, the processor time is not known.
    """
    received, sent = _network(after.get("networks") or {})
    read, written = _block(after.get("blkio_stats") or {})
    memory, cpu = after.get("memory_stats") or {}, after.get("cpu_stats") or {}
    return Usage(
        service=service.name,
        container_id=service.container_id,
        container_name=service.container_name,
        number=service.number,
        cpu_percent=None if before is None or _used(cpu) < _used(before) else cpu_percent(before, cpu),
        memory_bytes=_memory(memory),
        memory_limit_bytes=_whole(memory.get("limit")),
        network_received_bytes=received,
        network_sent_bytes=sent,
        block_read_bytes=read,
        block_written_bytes=written,
        processes=_whole((after.get("pids_stats") or {}).get("current")),
    )


def _used(cpu: Json) -> int:
    return _whole((cpu.get("cpu_usage") or {}).get("total_usage"))


def cpu_percent(before: Json, after: Json) -> float:
    """Processor use between two ``cpu_stats``, where one full core is 100."""
    used = _used(after) - _used(before)
    passed = _whole(after.get("system_cpu_usage")) - _whole(before.get("system_cpu_usage"))
    if used <= 0 or passed <= 0:
        return 0.0
    cores = _whole(after.get("online_cpus")) or len((after.get("cpu_usage") or {}).get("percpu_usage") or ()) or 1
    return 100.0 * used / passed * cores


def _memory(memory: Json) -> int:
    """What is in use without the page cache that the kernel would give back: cgroup v1 names it differently from v2."""
    usage, details = _whole(memory.get("usage")), memory.get("stats") or {}
    for name in ("total_inactive_file", "inactive_file"):
        if 0 < _whole(details.get(name)) < usage:
            return usage - _whole(details.get(name))
    return usage


def _network(networks: Mapping[str, Json]) -> tuple[int, int]:
    cards = networks.values()
    return sum(_whole(card.get("rx_bytes")) for card in cards), sum(_whole(card.get("tx_bytes")) for card in cards)


def _block(block: Json) -> tuple[int, int]:
    totals = {"read": 0, "write": 0}
    for entry in block.get("io_service_bytes_recursive") or ():
        operation = str(entry.get("op", "")).lower()
        if operation in totals:
            totals[operation] += _whole(entry.get("value"))
    return totals["read"], totals["write"]


def disk_from(answer: Json) -> DockerDisk:
    """``/system/df`` as the engine answers it."""
    images, containers = answer.get("Images") or (), answer.get("Containers") or ()
    cache = answer.get("BuildCache") or ()
    unused = [image for image in images if _whole(image.get("Containers")) <= 0]
    return DockerDisk(
        layers_bytes=_whole(answer.get("LayersSize")),
        images=len(images),
        images_unused=len(unused),
        images_unused_bytes=sum(_whole(image.get("Size")) - max(0, _whole(image.get("SharedSize"))) for image in unused),
        containers=len(containers),
        containers_written_bytes=sum(_whole(container.get("SizeRw")) for container in containers),
        volumes=tuple(_volume(volume) for volume in answer.get("Volumes") or ()),
        build_cache_bytes=sum(_whole(entry.get("Size")) for entry in cache if not entry.get("Shared")),
        build_cache_unused_bytes=sum(_whole(entry.get("Size")) for entry in cache if not (entry.get("InUse") or entry.get("Shared"))),
    )


def _volume(volume: Json) -> VolumeUse:
    use = volume.get("UsageData") or {}
    size = _whole(use.get("Size"), -1)
    return VolumeUse(str(volume.get("Name", "")), size if size >= 0 else None, max(0, _whole(use.get("RefCount"))))
