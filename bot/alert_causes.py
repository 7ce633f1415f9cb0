"""Each cause once: what is only the consequence of something that has an alert of its own raises none, nor what somebody does on purpose
through the bot. Pure: asks nobody.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.alert_signals import ALL_OF_THEM, UNKNOWN, Readings
from bot.ops.inside import MCP

_OF_SERVICES = frozenset({"service.down", "service.restarting", "service.unhealthy", "health.bad", "reachable.lost"})


def without_consequences(readings: Readings) -> Readings:
    """Each cause once: what depends on something that is told of itself is not known, and no worse."""
    kept = dict(readings)
    down = {name.partition("#")[0] for name, each in readings.get("service.down", {}).items() if each.value}
    health = readings.get("health.bad", {})
    if _is_bad(readings, "reachable.lost", "docker"):
        kept["health.bad"] = {MCP: UNKNOWN, **health}  # where it listens, Docker tells
    for signal in {"health.bad", "reachable.lost", "service.unhealthy"} & readings.keys():
        kept[signal] = {name: UNKNOWN if _follows(name, down) else each for name, each in kept[signal].items()}
    # What does not answer us does not answer Docker or nginx either.
    silent = {name for signal in ("health.bad", "reachable.lost") for name, each in kept.get(signal, {}).items() if each.value}
    for signal in {"health.bad", "service.unhealthy"} & readings.keys():
        told = kept[signal].items()
        kept[signal] = {name: UNKNOWN if _is_behind(signal, name, silent) else each for name, each in told}
    return kept


def without_what_is_worked_on(readings: Readings, targets: Collection[str]) -> Readings:
    """While a command holds ``service:NAME`` or ``queue``, how that is says nothing: it is being stopped, started, held up on purpose."""
    services = {target.removeprefix("service:") for target in targets if target.startswith("service:")}
    kept = dict(readings)
    for signal, told in readings.items():
        if signal.startswith("queue.") and "queue" in targets:
            kept[signal] = dict.fromkeys(told, UNKNOWN)
        elif signal in _OF_SERVICES:
            kept[signal] = {name: UNKNOWN if services & _parts(name) else each for name, each in told.items()}
    return kept


def _parts(name: str) -> set[str]:
    return {part.partition("#")[0] for part in name.split(" → ")}


def _is_bad(readings: Readings, signal: str, subject: str) -> bool:
    return bool(readings.get(signal, {}).get(subject, UNKNOWN).value)


def _follows(name: str, down: set[str]) -> bool:
    """Whether it needs a container that is down; without any left, all but Docker itself does."""
    nothing_left = any(each.endswith(ALL_OF_THEM) for each in down)
    return bool(down & set(name.split(" → "))) or (nothing_left and name != "docker")


def _is_behind(signal: str, name: str, silent: set[str]) -> bool:
    if signal == "service.unhealthy":
        return name.partition("#")[0] in silent
    return " → " in name and name.rpartition(" → ")[2] in silent
