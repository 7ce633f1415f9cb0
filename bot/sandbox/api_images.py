"""Docker Engine API: images listed, inspected, tagged, removed and pruned, and the build cache pruned."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from bot.sandbox.api_common import (
    SECOND,
    DockerError,
    Filters,
    Routes,
    engine_of,
    filters_of,
    json_answer,
    labels_match,
    moment,
)
from bot.sandbox.images import CacheRecord, Image
from bot.sandbox.json_log import stamp


def image_shape(image: Image, in_use: set[str]) -> dict[str, Any]:
    return {
        "Id": image.id,
        "ParentId": "",
        "RepoTags": list(image.tags) or None,
        "RepoDigests": [],
        "Created": int(image.created),
        "Size": image.size,
        "SharedSize": 0,
        "VirtualSize": image.size,
        "Labels": dict(image.labels),
        "Containers": 1 if image.id in in_use else 0,
    }


def cache_shape(record: CacheRecord) -> dict[str, Any]:
    return {
        "ID": record.id,
        "Type": "regular",
        "Description": record.description,
        "InUse": False,
        "Shared": False,
        "Size": record.size,
        "CreatedAt": stamp(int(record.created * SECOND)),
        "LastUsedAt": stamp(int(record.last_used * SECOND)),
        "UsageCount": 1,
    }


def _image_of(request: web.Request) -> Image:
    name = request.match_info["image"]
    found = engine_of(request).catalogue.find(name)
    if found is None:
        raise DockerError(404, f"No such image: {name}")
    return found


async def list_images(request: web.Request) -> web.Response:
    engine, wanted = engine_of(request), filters_of(request)
    in_use = engine.images_in_use()
    return json_answer([image_shape(image, in_use) for image in engine.catalogue.images if _matches(image, wanted)])


def _matches(image: Image, wanted: Filters) -> bool:
    if "dangling" in wanted and image.dangling != _yes(wanted["dangling"]):
        return False
    references = wanted.get("reference", [])
    if references and not any(tag.startswith(reference.rstrip("*")) for tag in image.tags for reference in references):
        return False
    return labels_match(image.labels, wanted.get("label", []))


def _yes(values: list[str]) -> bool:
    return values[-1] in ("1", "true", "True")


async def inspect(request: web.Request) -> web.Response:
    image = _image_of(request)
    return json_answer(
        {
            "Id": image.id,
            "RepoTags": list(image.tags),
            "RepoDigests": [],
            "Created": stamp(int(image.created * SECOND)),
            "Size": image.size,
            "Architecture": "amd64",
            "Os": "linux",
            "Config": {"Labels": dict(image.labels)},
            "RootFS": {"Type": "layers", "Layers": []},
        }
    )


async def tag(request: web.Request) -> web.Response:
    image = _image_of(request)
    repository = request.query.get("repo", "")
    if not repository:
        raise DockerError(400, "invalid reference format")
    engine_of(request).catalogue.tag(image, f"{repository}:{request.query.get('tag') or 'latest'}")
    return web.Response(status=201)


async def remove(request: web.Request) -> web.Response:
    image, engine, name = _image_of(request), engine_of(request), request.match_info["image"]
    if image.id in engine.images_in_use() and engine.catalogue.would_delete(image, name):
        raise DockerError(409, f"conflict: unable to delete {image.id[7:19]} (cannot be forced) - image is being used by running container")
    return json_answer(engine.catalogue.remove(image, name))


async def prune(request: web.Request) -> web.Response:
    engine, wanted = engine_of(request), filters_of(request)
    before = _before(wanted)
    dangling_only = _yes(wanted["dangling"]) if "dangling" in wanted else True
    gone = engine.catalogue.prune(before, engine.images_in_use(), dangling_only=dangling_only)
    deleted = [record for image in gone for record in (*({"Untagged": name} for name in image.tags), {"Deleted": image.id})]
    return json_answer({"ImagesDeleted": deleted or None, "SpaceReclaimed": sum(image.size for image in gone)})


async def prune_build(request: web.Request) -> web.Response:
    gone = engine_of(request).catalogue.prune_cache(_before(filters_of(request)))
    return json_answer({"CachesDeleted": [record.id for record in gone], "SpaceReclaimed": sum(record.size for record in gone)})


def _before(wanted: Filters) -> float:
    limits = wanted.get("until", [])
    return moment(limits[-1]) / SECOND if limits else time.time() + 1


ROUTES: Routes = (
    ("GET", "/images/json", list_images),
    ("POST", "/images/prune", prune),
    ("GET", "/images/{image:.+}/json", inspect),
    ("POST", "/images/{image:.+}/tag", tag),
    ("DELETE", "/images/{image:.+}", remove),
    ("POST", "/build/prune", prune_build),
)
