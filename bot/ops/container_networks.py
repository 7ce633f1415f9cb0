"""Takes a container out of all its networks and puts it back as it was: same names, same fixed addresses, same restart policy.

The policy goes with it because an engine that starts a container without any network puts it back into the one it was made for:
a process that dies in isolation would walk out of it. Knows the engine's calls; not why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from docker.api.client import APIClient

from bot.errors import NotFound
from bot.ops.container_engine import Engine

_SLOW = 30.0
_NEVER = {"Name": "no", "MaximumRetryCount": 0}
# Modes in which there is no network to be taken out of.
SHARED = ("host", "container", "none")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One network that a container is in. ``ipv4`` and ``ipv6`` only when they were asked for: others the engine chooses anew.

    ``address`` is the one it had, to be told.
    """

    network: str
    network_id: str
    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ipv4: str = ""
    ipv6: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one container stands: its networks, and what the engine does when its process ends."""

    service: str
    container_id: str
    container_name: str
    mode: str
    policy: Mapping[str, Any]
    attachments: tuple[Attachment, ...]

    @property
    def shares(self) -> bool:
        """Whether it uses the network of the machine or of another container, which cannot be taken from it alone."""
        return self.mode.partition(":")[0] in SHARED

    @property
    def cut_off(self) -> bool:
        """Whether it was taken out of every network it was made for."""
        return bool(self.mode) and not self.shares and not self.attachments


def standing_from(service: str, inspected: Mapping[str, Any]) -> Standing:
    """As ``inspect`` tells it."""
    host, networks = inspected.get("HostConfig") or {}, (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    identity = str(inspected["Id"])
    return Standing(
        service=service,
        container_id=identity,
        container_name=str(inspected.get("Name", "")).lstrip("/"),
        mode=str(host.get("NetworkMode", "")),
        policy=dict(host.get("RestartPolicy") or _NEVER),
        attachments=tuple(attachment_from(name, told, identity) for name, told in sorted(networks.items())),
    )


def attachment_from(network: str, told: Mapping[str, Any], container_id: str) -> Attachment:
    """One entry of ``NetworkSettings.Networks``. The short id among the aliases is the engine's own, and made anew each time."""
    wished = told.get("IPAMConfig") or {}
    return Attachment(
        network=network,
        network_id=str(told.get("NetworkID", "")),
        aliases=tuple(alias for alias in told.get("Aliases") or () if alias != container_id[:12]),
        links=tuple(told.get("Links") or ()),
        ipv4=str(wished.get("IPv4Address") or ""),
        ipv6=str(wished.get("IPv6Address") or ""),
        options=dict(told.get("DriverOpts") or {}),
        address=str(told.get("IPAddress") or ""),
    )


def endpoint(attachment: Attachment) -> dict[str, Any]:
    """How an engine wants to be told of one, when connecting and when making a container."""
    wished = {"IPv4Address": attachment.ipv4, "IPv6Address": attachment.ipv6}
    told: dict[str, Any] = {"Aliases": list(attachment.aliases)}
    if attachment.links:
        told["Links"] = list(attachment.links)
    if any(wished.values()):
        told["IPAMConfig"] = {name: value for name, value in wished.items() if value}
    if attachment.options:
        told["DriverOpts"] = dict(attachment.options)
    return told


def _pairs(links: Sequence[str]) -> list[tuple[str, str | None]]:
    return [(name, alias or None) for name, _, alias in (link.partition(":") for link in links)]


class Networks:
    """The networks of the engine's containers. ``deadline`` (seconds) bounds each question."""

    def __init__(self, engine: Engine, deadline: float) -> None:
        self._engine = engine
        self._deadline = deadline

    async def standing(self, service: str, container_id: str) -> Standing:
        """How a container stands now."""
        return standing_from(service, await self._engine.call(lambda client: client.inspect_container(container_id), self._deadline))

    async def keep_down(self, container_id: str) -> None:
        """Let the engine never start it by itself."""
        await self._policy(container_id, _NEVER)

    async def restore_policy(self, standing: Standing) -> None:
        """Let the engine do again what it did before."""
        await self._policy(standing.container_id, standing.policy)

    async def leave(self, container_id: str, attachment: Attachment) -> None:
        """Out of one network; nothing happens when it is not in it."""

        def work(client: APIClient) -> None:
            client.disconnect_container_from_network(container_id, attachment.network_id, force=True)

        now = await self.standing("", container_id)
        if any(each.network_id == attachment.network_id for each in now.attachments):
            await self._engine.call(work, _SLOW)

    async def join(self, container_id: str, attachment: Attachment) -> None:
        """Into one network as it was; nothing happens when it is in it. By name when the network was made anew meanwhile."""
        now = await self.standing("", container_id)
        if any(each.network == attachment.network for each in now.attachments):
            return
        try:
            await self._connect(container_id, attachment, attachment.network_id)
        except NotFound:
            await self._connect(container_id, attachment, attachment.network)

    async def _connect(self, container_id: str, attachment: Attachment, network: str) -> None:
        def work(client: APIClient) -> None:
            client.connect_container_to_network(
                container_id,
                network,
                aliases=list(attachment.aliases) or None,
                links=_pairs(attachment.links) or None,
                ipv4_address=attachment.ipv4 or None,
                ipv6_address=attachment.ipv6 or None,
                driver_opt=dict(attachment.options) or None,
            )

        await self._engine.call(work, _SLOW)

    async def _policy(self, container_id: str, policy: Mapping[str, Any]) -> None:
        await self._engine.call(lambda client: client.update_container(container_id, restart_policy=cast(Any, dict(policy))), _SLOW)
