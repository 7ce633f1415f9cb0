"""Turns a container into the JSON that Docker's list and inspect answer. Pure: reads the container, changes nothing."""

from __future__ import annotations

import time
from typing import Any

from bot.sandbox import health
from bot.sandbox.container import Container, State
from bot.sandbox.json_log import stamp
from bot.sandbox.layout import PROJECT
from bot.sandbox.services import NETWORK, Mount, image_id

NEVER = "0001-01-01T00:00:00Z"
UNITS = ((60, "second"), (60, "minute"), (24, "hour"), (7, "day"), (10**9, "week"))


def moment(nanoseconds: int) -> str:
    return stamp(nanoseconds) if nanoseconds else NEVER


def age(seconds: float) -> str:
    """A span of time in Docker's words."""
    left = int(seconds)
    if left < 1:
        return "Less than a second"
    name = ""
    for size, name in UNITS:  # noqa: B007 - used below
        if left < size:
            break
        left //= size
    return f"{left} {name}{'' if left == 1 else 's'}"


def status_line(state: State) -> str:
    """The STATUS column of ``docker ps``."""
    now = time.time_ns()
    ended = age((now - state.finished_at) / 1e9)
    if state.status == "restarting":
        return f"Restarting ({state.exit_code}) {ended} ago"
    if state.status == "exited":
        return f"Exited ({state.exit_code}) {ended} ago"
    if state.status == "created":
        return "Created"
    word = "health: starting" if state.health == "starting" else state.health
    suffix = " (Paused)" if state.status == "paused" else f" ({word})" if word else ""
    return f"Up {age((now - state.started_at) / 1e9)}{suffix}"


def summary(container: Container) -> dict[str, Any]:
    """One entry of GET /containers/json."""
    service = container.service
    return {
        "Id": container.id,
        "Names": [f"/{service.container_name}"],
        "Image": service.image,
        "ImageID": image_id(service.name),
        "Command": " ".join(service.shown_command),
        "Created": container.created_at // 1_000_000_000,
        "Ports": _port_list(container),
        "Labels": dict(service.labels),
        "State": container.state.status,
        "Status": status_line(container.state),
        "HostConfig": {"NetworkMode": NETWORK},
        "NetworkSettings": {"Networks": networks(container)},
        "Mounts": [_mount(mount) for mount in service.mounts],
    }


def inspection(container: Container) -> dict[str, Any]:
    """GET /containers/{id}/json."""
    service = container.service
    return {
        "Id": container.id,
        "Created": moment(container.created_at),
        "Path": service.shown_command[0],
        "Args": list(service.shown_command[1:]),
        "State": _state(container.state),
        "Image": image_id(service.name),
        "LogPath": str(container.log.path),
        "Name": f"/{service.container_name}",
        "RestartCount": container.state.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "HostConfig": _host_config(container),
        "Mounts": [_mount(mount) for mount in service.mounts],
        "Config": _config(container),
        "NetworkSettings": {"Ports": _port_map(container), "Networks": networks(container), "IPAddress": ""},
    }


def networks(container: Container) -> dict[str, Any]:
    """The networks a container is in; its address only while it runs."""
    service = container.service
    address = service.address if container.running else ""
    return {
        name: {
            "NetworkID": network_id(name),
            "IPAddress": address,
            "Gateway": "172.18.0.1" if address else "",
            "IPPrefixLen": 16 if address else 0,
            "Aliases": [service.container_name, service.name],
            "DNSNames": [service.container_name, service.name, container.id[:12]],
        }
        for name in sorted(container.networks)
    }


def network_id(name: str) -> str:
    return f"{name.encode().hex():0<64}"[:64]


def _state(state: State) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Status": state.status,
        "Running": state.status in ("running", "paused", "restarting"),
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": False,
        "Dead": False,
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": "",
        "StartedAt": moment(state.started_at),
        "FinishedAt": moment(state.finished_at),
    }
    if state.health:
        answer["Health"] = {
            "Status": state.health,
            "FailingStreak": state.failing_streak,
            "Log": [
                {"Start": moment(check.started_at), "End": moment(check.ended_at), "ExitCode": check.exit_code, "Output": check.output}
                for check in state.checks
            ],
        }
    return answer


def _config(container: Container) -> dict[str, Any]:
    service = container.service
    answer: dict[str, Any] = {
        "Hostname": container.id[:12],
        "Image": service.image,
        "Env": [f"{name}={value}" for name, value in service.environment.items()],
        "Cmd": list(service.shown_command),
        "Entrypoint": None,
        "Labels": dict(service.labels),
        "Tty": False,
        "OpenStdin": False,
        "User": "",
        "WorkingDir": service.shown_directory,
        "ExposedPorts": {f"{service.inside_port}/tcp": {}},
    }
    if service.health_url:
        answer["Healthcheck"] = health.configured()
    return answer


def _host_config(container: Container) -> dict[str, Any]:
    service = container.service
    return {
        "Binds": [f"{mount.volume}:{mount.destination}:rw" for mount in service.mounts],
        "LogConfig": {"Type": "json-file", "Config": {}},
        "NetworkMode": NETWORK,
        "PortBindings": _bindings(container),
        "RestartPolicy": dict(container.policy),
        "Memory": 0,
        "NanoCpus": 0,
        "Privileged": False,
    }


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "volume",
        "Name": mount.volume,
        "Source": str(mount.source),
        "Destination": mount.destination,
        "Driver": "local",
        "Mode": "z",
        "RW": True,
        "Propagation": "",
    }


def _bindings(container: Container) -> dict[str, Any]:
    service = container.service
    return {f"{service.inside_port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(service.host_port)}]}


def _port_map(container: Container) -> dict[str, Any]:
    return _bindings(container) if container.running else {}


def _port_list(container: Container) -> list[dict[str, Any]]:
    service = container.service
    if not container.running:
        return []
    return [{"IP": "127.0.0.1", "PrivatePort": service.inside_port, "PublicPort": service.host_port, "Type": "tcp"}]


def network_inspection(containers: list[Container]) -> dict[str, Any]:
    """The project's one network."""
    return {
        "Name": NETWORK,
        "Id": network_id(NETWORK),
        "Created": moment(min(container.created_at for container in containers)),
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]},
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "Containers": {
            container.id: {"Name": container.service.container_name, "IPv4Address": f"{container.service.address}/16"}
            for container in containers
            if container.running and NETWORK in container.networks
        },
        "Options": {},
        "Labels": {"com.docker.compose.network": "vcc-network", "com.docker.compose.project": PROJECT},
    }
