"""Gathers the evidence of an incident into one bundle: logs, containers, database and access excerpts, the bot's own record.

What one part cannot have is noted, and the others go on. Nothing goes in but through the redactor, which first learns every secret
that the containers hold. Reads only, but for the bundle.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.errors import OutsideError, VccError
from bot.ops.bounded import to_the_end
from bot.ops.bundle import Ops
from bot.ops.container_values import Service
from bot.ops.error_log import ErrorGroup
from bot.ops.mongo_excerpts import NAMES
from bot.redact import Redactor
from bot.secret_names import kind_of
from bot.security.bundle import Bundle, Kept, Missing, Verified, bundles, verified
from bot.security.evidence_logs import LogFindings, keep_logs

FOLDER = "evidence"
_BATCH = 500
_HIDDEN = "<redacted>"
REQUIREPASS = "--requirepass"

Say = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class About:
    """For what and by whom: ``audit`` is the bot's own record since the incident began. Times are seconds since the epoch."""

    incident: int
    at: float
    by: str
    reference: str
    audit: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """What came of it. ``lines`` by container; ``addresses`` with their counts of trouble, most first."""

    path: Path
    files: tuple[Kept, ...]
    missing: tuple[Missing, ...]
    lines: Mapping[str, int]
    errors: tuple[ErrorGroup, ...]
    addresses: Sequence[tuple[str, Mapping[str, int]]]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(kept.bytes for kept in self.files)


class Evidence:
    """The bundles of a deployment's incidents, below ``home``."""

    def __init__(self, ops: Ops, redactor: Redactor, home: Path, say: Say = lambda _what, _done, _total: None) -> None:
        self._ops = ops
        self._redactor = redactor
        self._folder = home / FOLDER
        self._say = say

    def bundles(self, incident: int) -> tuple[Path, ...]:
        """Those of an incident, the oldest first."""
        return bundles(self._folder / str(incident))

    async def verify(self, incident: int, recorded: Mapping[str, str]) -> tuple[Verified, ...]:
        """Each bundle of an incident against its hashes. OutsideError when one cannot be read.

        ``recorded`` has the hash of its sums for each bundle that was kept: one that is not there any more is told as well.
        """
        there = {path.name: path for path in self.bundles(incident)}
        found = [await asyncio.to_thread(verified, path, recorded.get(name, "")) for name, path in there.items()]
        return (*found, *(Verified(name, 0, lost=(name,)) for name in sorted(recorded.keys() - there.keys())))

    async def gather(self, about: About) -> Gathered:
        """One more bundle. OutsideError when it cannot be written; then nothing of it stays."""
        name = datetime.fromtimestamp(about.at, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        bundle = Bundle(self._folder / str(about.incident) / name, self._redactor.text, self._redactor.value)
        await asyncio.to_thread(bundle.begin)
        whole = False
        try:
            services = await self._services(bundle)
            await self._containers(bundle, services)
            findings = await keep_logs(bundle, self._ops.logs, services, about.at, lambda what, n, of: self._say(f"logs {what}", n, of))
            counts = await self._database(bundle)
            await asyncio.to_thread(self._record, bundle, about)
            self._say("hashes", 0, 0)
            path = await asyncio.to_thread(bundle.finish, _about(about, counts, findings))
            whole = True
        finally:
            if not whole:
                await to_the_end(asyncio.to_thread(bundle.abandon))
        groups, kept, missing = findings.errors.groups(), tuple(bundle.kept), tuple(bundle.missing)
        return Gathered(path, kept, missing, findings.lines, groups, findings.access.worst(), counts)

    async def _services(self, bundle: Bundle) -> tuple[Service, ...]:
        try:
            return await self._ops.containers.services()
        except VccError as error:
            bundle.without("containers", error.key)
            return ()

    async def _containers(self, bundle: Bundle, services: Sequence[Service]) -> None:
        """First what they hold of secrets, so that none of it passes with anything that follows."""
        inspected: dict[str, Mapping[str, Any]] = {}
        for each in services:
            try:
                inspected[each.container_name] = await self._ops.containers.inspect(each.container_id)
            except OutsideError as error:
                bundle.without(f"containers/{each.container_name}.inspect.json", error.key)
        self._redactor.learn(secret for told in inspected.values() for secret in secrets_of(told))
        for number, each in enumerate(services):
            self._say(each.container_name, number, len(services))
            if each.container_name in inspected:
                name = f"containers/{each.container_name}.inspect.json"
                await asyncio.to_thread(bundle.document, name, without_values(inspected[each.container_name]))
            await self._traces(bundle, each)
        images = [{"container": each.container_name, "image": each.image, "id": each.image_id} for each in services]
        await asyncio.to_thread(bundle.document, "images.json", images)

    async def _traces(self, bundle: Bundle, service: Service) -> None:
        """What changed in its files, and what runs in it."""
        traces, name = self._ops.containers.traces, f"containers/{service.container_name}"
        try:
            changed = await traces.changed_files(service.container_id)
            await asyncio.to_thread(bundle.text, f"{name}.diff.txt", "".join(f"{kind}\t{path}\n" for kind, path in changed))
        except OutsideError as error:
            bundle.without(f"{name}.diff.txt", error.key)
        try:
            table = await traces.processes(service.container_id)
            rows = [table.get("Titles") or (), *(table.get("Processes") or ())]
            await asyncio.to_thread(bundle.text, f"{name}.top.txt", "".join("\t".join(map(str, row)) + "\n" for row in rows))
        except OutsideError as error:
            bundle.without(f"{name}.top.txt", error.key)

    async def _database(self, bundle: Bundle) -> dict[str, int]:
        counts: dict[str, int] = {}
        try:
            counts = {each.name: each.count for each in await self._ops.mongo.counts()}
            await asyncio.to_thread(bundle.document, "mongodb/counts.json", counts)
        except VccError as error:
            bundle.without("mongodb/counts.json", error.key)
            return counts
        for number, name in enumerate(NAMES):
            self._say(f"mongodb {name}", number, len(NAMES))
            try:
                await self._excerpt(bundle, name)
            except VccError as error:
                bundle.without(f"mongodb/{name}.json", error.key)
        return counts

    async def _excerpt(self, bundle: Bundle, name: str) -> None:
        await asyncio.to_thread(bundle.document, f"mongodb/{name}.json", [each async for each in self._ops.mongo.excerpts.read(name)])

    def _record(self, bundle: Bundle, about: About) -> None:
        with bundle.lines("audit.jsonl.gz") as file:
            for begin in range(0, len(about.audit), _BATCH):
                file.add(_json(self._redactor.value(row)) for row in about.audit[begin : begin + _BATCH])


def secrets_of(inspected: Mapping[str, Any]) -> list[str]:
    """What a container's variables and its command hold of secrets, by their names or by a login in them."""
    config = inspected.get("Config") or {}
    entries = [entry.partition("=")[::2] for entry in config.get("Env") or ()]
    words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    options = [(name, value) for name, value in itertools.pairwise(words) if name.startswith("-") and " " not in name]
    named = [value for name, value in [*entries, *options] if value and _is_secret(name)]
    return [*named, *(value for _, value in entries if "://" in value and "@" in value)]


def _is_secret(name: str) -> bool:
    return bool(kind_of(name.lstrip("-"))) or name == REQUIREPASS


def without_values(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the names of its variables only: what is no secret today may be one tomorrow.

    In its commands each word that is a secret goes too, also one so short or so common that no text would be searched for it.
    """
    hidden = frozenset(secrets_of(inspected))
    config = dict(inspected.get("Config") or {})
    config["Env"] = [f"{entry.partition('=')[0]}={_HIDDEN}" for entry in config.get("Env") or ()]
    config |= {name: _words(config[name], hidden) for name in ("Cmd", "Entrypoint") if config.get(name)}
    if config.get("Healthcheck"):
        config["Healthcheck"] = {**config["Healthcheck"], "Test": _words(config["Healthcheck"].get("Test") or (), hidden)}
    return {**inspected, "Args": _words(inspected.get("Args") or (), hidden), "Config": config}


def _words(words: Sequence[str], hidden: frozenset[str]) -> list[str]:
    return [_HIDDEN if word in hidden else word for word in words]


def _about(about: About, counts: Mapping[str, int], findings: LogFindings) -> dict[str, Any]:
    return {
        "format": 1,
        "incident": about.incident,
        "at": datetime.fromtimestamp(about.at, UTC).isoformat(),
        "by": about.by,
        "reference": about.reference,
        "log_lines": findings.lines,
        "documents": dict(counts),
        "errors": sum(group.count for group in findings.errors.groups()),
        "audit_rows": len(about.audit),
    }


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)
