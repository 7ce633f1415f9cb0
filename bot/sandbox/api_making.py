"""Docker Engine API: create, rename, update, remove: enough to make one of the four containers again with other settings."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.sandbox.api_common import DockerError, Routes, container_of, engine_of, flag, json_answer
from bot.sandbox.container import Container
from bot.sandbox.services import Service

_SERVICE = "com.docker.compose.service"
_PASSWORD = "--requirepass"  # noqa: S105 - the name of Redis' option
_POLICIES = ("no", "always", "unless-stopped", "on-failure")


async def create(request: web.Request) -> web.Response:
    """Another container of a service there is: what runs is that service's program, with the environment asked for."""
    engine, wanted, name = engine_of(request), await request.json(), request.query.get("name", "")
    labels = wanted.get("Labels") or {}
    models = [one for one in engine.containers if one.service.name == labels.get(_SERVICE)]
    if not models:
        raise DockerError(501, "the sandbox's engine only runs the four services of its project")
    if not name or engine.find(name) is not None:
        raise DockerError(409, f'Conflict. The container name "/{name}" is already in use')
    container = engine.add(_again(models[0].service, wanted, name))
    _apply_policy(container, (wanted.get("HostConfig") or {}).get("RestartPolicy"))
    return json_answer({"Id": container.id, "Warnings": []}, 201)


def _again(model: Service, wanted: Mapping[str, Any], name: str) -> Service:
    environment = dict(entry.partition("=")[::2] for entry in wanted.get("Env") or ())
    command = tuple(wanted.get("Cmd") or model.shown_command)
    identity = secrets.token_hex(32)
    return replace(
        model,
        container_id=identity,
        given_name=name,
        environment={**environment, "HOSTNAME": identity[:12]},
        argv=_with_password(model.argv, command),
        shown_command=command,
        labels=dict(wanted.get("Labels") or {}),
    )


def _with_password(argv: Sequence[str], command: Sequence[str]) -> tuple[str, ...]:
    """What really runs takes Redis' password from what is shown to run."""
    words = list(argv)
    if _PASSWORD in words and _PASSWORD in command:
        words[words.index(_PASSWORD) + 1] = command[command.index(_PASSWORD) + 1]
    return tuple(words)


async def rename(request: web.Request) -> web.Response:
    container, name = container_of(request), request.query.get("name", "")
    if not name or engine_of(request).find(name) is not None:
        raise DockerError(409, f'Conflict. The container name "/{name}" is already in use')
    container.rename(name)
    return web.Response(status=204)


async def update(request: web.Request) -> web.Response:
    _apply_policy(container_of(request), (await request.json()).get("RestartPolicy"))
    return json_answer({"Warnings": None})


def _apply_policy(container: Container, policy: Mapping[str, Any] | None) -> None:
    if not policy:
        return
    if policy.get("Name") not in _POLICIES:
        raise DockerError(400, f"invalid restart policy '{policy.get('Name')}'")
    container.policy = {"Name": str(policy["Name"]), "MaximumRetryCount": int(policy.get("MaximumRetryCount") or 0)}


async def remove(request: web.Request) -> web.Response:
    engine, container = engine_of(request), container_of(request)
    if container.active and not flag(request, "force"):
        raise DockerError(409, f'cannot remove container "/{container.service.container_name}": container is running: stop it first')
    if not any(one is not container and one.service.name == container.service.name for one in engine.containers):
        raise DockerError(409, "the sandbox has no Compose to make this container again, so it is not removed")
    if container.active:
        await container.stop(0)
    engine.drop(container)
    return web.Response(status=204)


ROUTES: Routes = (
    ("POST", "/containers/create", create),
    ("POST", "/containers/{name}/rename", rename),
    ("POST", "/containers/{name}/update", update),
    ("DELETE", "/containers/{name}", remove),
)
