"""Makes a container again as it is, with other settings: what to ask of the engine, and the asking. Decides nothing about when.

Everything else stays: image, labels, volumes (also those without a name), ports, networks with their aliases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import docker.errors
from docker.api.client import APIClient

from bot.errors import NotFound
from bot.ops.container_engine import Engine
from bot.ops.container_networks import Attachment, Standing, endpoint

_SLOW = 60.0


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to differ: variables by name, and the word that follows an option of the command (``--requirepass``)."""

    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


def blueprint(inspected: Mapping[str, Any], changes: Changes, standing: Standing, image: str) -> dict[str, Any]:
    """What to send to make it again; it is in the first network of ``standing`` only, as older engines take no more."""
    config = dict(inspected.get("Config") or {})
    if config.get("Hostname") == str(inspected["Id"])[:12]:  # given by the engine, not asked for
        config.pop("Hostname")
    config |= {
        "Image": image,
        "Env": _environment(config.get("Env") or (), changes.environment),
        "Cmd": _command(config.get("Cmd"), changes.options),
        "Entrypoint": _command(config.get("Entrypoint"), changes.options),
        "HostConfig": _host(inspected, standing),
    }
    first = _first(standing)
    if first is not None:
        config["NetworkingConfig"] = {"EndpointsConfig": {first.network: endpoint(first)}}
    return config


def _environment(entries: Sequence[str], wanted: Mapping[str, str]) -> list[str]:
    kept = [entry for entry in entries if entry.partition("=")[0] not in wanted]
    return [*kept, *(f"{name}={value}" for name, value in wanted.items())]


def _command(words: Sequence[str] | None, options: Mapping[str, str]) -> list[str] | None:
    if words is None:
        return None
    changed = list(words)
    for index, word in enumerate(changed[:-1]):
        if word in options:
            changed[index + 1] = options[word]
    return changed


def _host(inspected: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    host = dict(inspected.get("HostConfig") or {})
    binds = list(host.get("Binds") or ())
    taken = {bind.split(":")[1] for bind in binds if ":" in bind} | {mount.get("Target") for mount in host.get("Mounts") or ()}
    for mount in inspected.get("Mounts") or ():  # a volume without a name of its own would be made anew, and empty
        if mount.get("Type") == "volume" and mount.get("Destination") not in taken:
            binds.append(f"{mount['Name']}:{mount['Destination']}:{'rw' if mount.get('RW', True) else 'ro'}")
    named = {mount.get("Destination"): mount.get("Name") for mount in inspected.get("Mounts") or () if mount.get("Type") == "volume"}
    mounts = [
        {**mount, "Source": named[mount.get("Target")]} if not mount.get("Source") and mount.get("Target") in named else mount
        for mount in host.get("Mounts") or ()
    ]
    return {**host, "Binds": binds or None, "Mounts": mounts or None, "RestartPolicy": dict(standing.policy)}


def _first(standing: Standing) -> Attachment | None:
    named = [each for each in standing.attachments if each.network == standing.mode]
    return next(iter([*named, *standing.attachments]), None)


class Making:
    """The engine's calls for it. ``deadline`` (seconds) bounds each question."""

    def __init__(self, engine: Engine, deadline: float) -> None:
        self._engine = engine
        self._deadline = deadline

    async def make(self, container_id: str, name: str, changes: Changes, standing: Standing) -> str:
        """Another one beside it, not started; its id."""

        def work(client: APIClient) -> str:
            inspected = client.inspect_container(container_id)
            config = blueprint(inspected, changes, standing, _image(client, inspected))
            return str(cast(Any, client).create_container_from_config(config, name)["Id"])

        made = await self._engine.call(work, _SLOW)
        first = _first(standing)
        for each in standing.attachments:
            if each is not first:
                await self._join(made, each)
        return made

    async def _join(self, container_id: str, attachment: Attachment) -> None:
        def work(client: APIClient) -> None:
            client.connect_container_to_network(
                container_id,
                attachment.network_id,
                aliases=list(attachment.aliases) or None,
                ipv4_address=attachment.ipv4 or None,
                ipv6_address=attachment.ipv6 or None,
            )

        await self._engine.call(work, _SLOW)

    async def id_of(self, name: str) -> str:
        """The id of the container of this name or id; empty when there is none."""
        try:
            return str((await self._engine.call(lambda client: client.inspect_container(name), self._deadline))["Id"])
        except NotFound:
            return ""

    async def name_of(self, container_id: str) -> str:
        """The name it has now."""
        told = await self._engine.call(lambda client: client.inspect_container(container_id), self._deadline)
        return str(told.get("Name", "")).lstrip("/")

    async def rename(self, container_id: str, name: str) -> None:
        """Give it another name; nothing happens when it has that name."""
        if await self.name_of(container_id) != name:
            await self._engine.call(lambda client: client.rename(container_id, name), _SLOW)

    async def remove(self, container_id: str) -> None:
        """Remove one that is stopped, its log with it; its volumes stay, also those without a name."""
        await self._engine.call(lambda client: client.remove_container(container_id, v=False), _SLOW)


def _image(client: APIClient, inspected: Mapping[str, Any]) -> str:
    """The name it was made from while that still is the same image, else the image itself: nothing is to be upgraded by the way."""
    name, identity = str((inspected.get("Config") or {}).get("Image", "")), str(inspected.get("Image", ""))
    try:
        return name if cast(Any, client).inspect_image(name)["Id"] == identity else identity
    except docker.errors.ImageNotFound:
        return identity
