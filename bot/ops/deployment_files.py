"""The configuration part of a backup: the compose files in use, the environment files and nginx's, private to the bot's user.

What holds secrets is sealed when there is a key. What is missing is told, and never fails the backup. Knows nothing of backups.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from bot.errors import OutsideError
from bot.ops.bounded import Workers
from bot.ops.container_values import Service
from bot.ops.containers import Containers
from bot.ops.dump_files import make_directory, settle, write_file
from bot.ops.project_files import PROJECT_LABELS, USUAL_ENVIRONMENT, Unreadable, Wanted, WhyNot, names_in, read_below, wanted_from
from bot.ops.seal import ENDING, Seal
from bot.redact import Redactor

FOLDER = "config"
MOST_BYTES = 1 << 20
# Secrets that HEAD's own encrypted data cannot be read without.
NEEDED_KEYS = ("BACKUP_ENCRYPTION_KEY", "CONFIG_ENCRYPTION_KEY")
_FRONTEND, _BACKEND = "frontend", "backend"
_INSIDE = "/etc/nginx/conf.d/default.conf"
_INSIDE_NAME = "inside-frontend/default.conf"
_DEADLINE = 5.0

Reason = WhyNot | Literal["no_labels", "no_project_dir", "not_running"]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file as it was written: ``name`` within ``config/``, the hash of what stands there (sealed when ``sealed``), its plain size."""

    name: str
    origin: str
    bytes: int
    sealed: bool
    sha256: str
    secret: bool


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that should have been kept, and why it was not."""

    origin: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Configuration:
    """All of it. ``sealed`` when whatever holds a secret is sealed. ``lost_keys``: names of keys that the backend has and no kept file."""

    files: tuple[KeptFile, ...]
    missing: tuple[MissingFile, ...]
    sealed: bool
    lost_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    origin: str
    content: bytes
    secret: bool


class DeploymentFiles:
    """The files of one compose project; ``project_dir`` is where the bot sees its working directory, which may be another path."""

    def __init__(self, containers: Containers, project_dir: Path | None, seal: Seal) -> None:
        self._containers = containers
        self._project_dir = project_dir
        self._seal = seal
        self._workers = Workers("deployment", 1)

    def close(self) -> None:
        """Let the thread go."""
        self._workers.close()

    async def save(self, target: Path) -> Configuration:
        """Write ``<target>/config/…``; ``target`` exists, the directory in it does not yet. Fails only when it cannot be written."""
        services, missing = await self._services()
        wanted = wanted_from([service.labels for service in services])
        root = self._project_dir or wanted.working_dir
        inside = await self._inside(services)
        environment = await self._environment(services)
        return await self._workers.run(self._saved, target / FOLDER, root, wanted, [*missing, inside], environment)

    # ------------------------------------------------------------ asking the engine
    async def _services(self) -> tuple[Sequence[Service], list[MissingFile]]:
        """Without Docker there are no labels: then the usual names in the project's folder are taken."""
        try:
            return await self._containers.services(), []
        except OutsideError:
            return (), [MissingFile(", ".join(PROJECT_LABELS), "no_labels")]

    async def _inside(self, services: Sequence[Service]) -> _Found | MissingFile:
        """nginx's configuration as the frontend runs it: the image may be older than the project's file."""
        origin = f"{_FRONTEND}:{_INSIDE}"
        running = next((service for service in services if service.name == _FRONTEND and service.running), None)
        if running is None:
            return MissingFile(origin, "not_running")
        try:
            read = await self._containers.exec(running.container_id, ("cat", _INSIDE), _DEADLINE, MOST_BYTES)
        except OutsideError:
            return MissingFile(origin, "unreadable")
        if read.clipped:
            return MissingFile(origin, "too_big")
        return _Found(_INSIDE_NAME, origin, read.stdout, _is_secret(read.stdout)) if not read.exit_code else MissingFile(origin, "gone")

    async def _environment(self, services: Sequence[Service]) -> frozenset[str]:
        """Which of the needed keys the backend runs with: their names only."""
        backend = next((service for service in services if service.name == _BACKEND), None)
        if backend is None:
            return frozenset()
        try:
            inspected = await self._containers.inspect(backend.container_id)
        except OutsideError:
            return frozenset()
        variables: Iterable[str] = (inspected.get("Config") or {}).get("Env") or ()
        return frozenset(name for name, _, value in (each.partition("=") for each in variables) if value and name in NEEDED_KEYS)

    # ------------------------------------------------------------ reading and writing, in a thread
    def _saved(
        self, folder: Path, root: Path | None, wanted: Wanted, others: Sequence[_Found | MissingFile], needed: frozenset[str]
    ) -> Configuration:
        found = [*self._read(root, wanted), *others]
        kept = [each for each in found if isinstance(each, _Found)]
        missing = tuple(each for each in found if isinstance(each, MissingFile))
        make_directory(folder)
        files = tuple(self._written(folder, each) for each in kept)
        for each in {(folder / file.name).parent for file in files} | {folder}:
            settle(each)
        there = {name for each in kept if each.secret for name in names_in(each.content)}
        sealed = all(file.sealed for file in files if file.secret)
        return Configuration(files, missing, sealed and self._seal.configured, tuple(sorted(needed - there)))

    def _read(self, root: Path | None, wanted: Wanted) -> list[_Found | MissingFile]:
        if root is None or not root.is_dir():
            return [MissingFile("VCC_PROJECT_DIR", "no_project_dir")]
        found: list[_Found | MissingFile] = []
        environments = 0
        for each in wanted.files(root):
            try:
                content = read_below(root, each.path, MOST_BYTES)
            except Unreadable as error:
                if each.expected:
                    found.append(MissingFile(each.origin, error.reason))
                continue
            environments += each.is_environment
            found.append(_Found(each.path.as_posix(), each.origin, content, each.is_environment or _is_secret(content)))
        if not environments and not wanted.environment:
            found.append(MissingFile(USUAL_ENVIRONMENT[0], "gone"))
        return found

    def _written(self, folder: Path, found: _Found) -> KeptFile:
        sealed = found.secret and self._seal.configured
        name = f"{found.name}{ENDING}" if sealed else found.name
        path = folder / name
        for parent in reversed(PurePosixPath(name).parents[:-1]):
            if not (folder / parent).is_dir():
                make_directory(folder / parent)
        sha256 = write_file(path, self._seal.sealed(found.content) if sealed else found.content)
        return KeptFile(name, found.origin, len(found.content), sealed, sha256, found.secret)


def _is_secret(content: bytes) -> bool:
    """Whether anything in it looks like a secret, as everything that is shown is searched."""
    text = content.decode("utf-8", "replace")
    return Redactor().text(text) != text
