"""Services by the name a person typed: any case, and the nearest name when there is none. Asks only for the list."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from bot.errors import Conflict, Usage
from bot.ops.container_values import Service
from bot.ops.containers import Containers

ALL = "all"


async def chosen(containers: Containers, name: str | None) -> tuple[Service, ...]:
    """The containers of the service ``name`` means; of all services for None. Usage with the nearest name, Conflict for none at all."""
    services = await containers.services()
    if not services:
        raise Conflict("verdict.no_services")
    if name is None:
        return services
    wanted = resolve(sorted({service.name for service in services}), name)
    return tuple(service for service in services if service.name == wanted)


def resolve(names: Sequence[str], name: str) -> str:
    """The one of ``names`` that was meant; Usage that tells the nearest, or all of them."""
    folded = {each.lower(): each for each in names}
    found = folded.get(name.lower())
    if found is not None:
        return found
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    raise Usage("verdict.unknown_service", name=name, near=folded[near[0]] if near else " · ".join(names))
