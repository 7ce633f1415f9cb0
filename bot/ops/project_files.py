"""The files of a compose project as its containers' labels name them, found again where the bot sees the project. Blocks; asks no engine.

Labels hold paths of the machine that compose ran on; relative ones begin at its working directory.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

_COMPOSE = "com.docker.compose.project"
FILES, WORKING_DIR, ENVIRONMENT = f"{_COMPOSE}.config_files", f"{_COMPOSE}.working_dir", f"{_COMPOSE}.environment_file"
PROJECT_LABELS = (FILES, WORKING_DIR, ENVIRONMENT)
USUAL_COMPOSE = ("docker-compose.yml", "docker-compose.prod.yml", "docker-compose.override.yml", "compose.yml", "compose.yaml")
USUAL_ENVIRONMENT = (".env", ".env.production")
NGINX = "nginx.conf"
_MOST = 64
_NAME = re.compile(rb"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*[^\s]", re.MULTILINE)

WhyNot = Literal["gone", "outside", "unreadable", "too_big"]


class Unreadable(Exception):
    """A file that cannot be kept, and why."""

    def __init__(self, reason: WhyNot) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file to keep: its path within the project's folder, and what it is called where compose ran.

    ``expected``: that it is missing is worth telling; others are kept when they are there.
    """

    path: PurePosixPath
    origin: str
    is_environment: bool
    expected: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the labels of all containers name, each once, in order."""

    working_dir: Path | None
    compose: tuple[str, ...]
    environment: tuple[str, ...]

    def files(self, root: Path) -> Sequence[ProjectFile]:
        """All of them, and the usual ones; those outside the working directory lead outside here too."""
        found: dict[PurePosixPath, ProjectFile] = {}
        named = ((self.compose, False, True), (self.environment, True, True), ((NGINX,), False, True))
        usual = ((() if self.compose else USUAL_COMPOSE, False, False), (USUAL_ENVIRONMENT, True, False))
        for names, is_environment, expected in (*named, *usual):
            for name in names:
                path = self._within(root, name)
                found.setdefault(path, ProjectFile(path, name, is_environment, expected))
        return list(found.values())[:_MOST]

    def _within(self, root: Path, name: str) -> PurePosixPath:
        path = PurePosixPath(os.path.normpath(name))
        if not path.is_absolute():
            return path
        for folder in (self.working_dir, root):
            if folder is not None and path.is_relative_to(folder):
                return path.relative_to(folder)
        return path


def wanted_from(labels: Iterable[Mapping[str, str]]) -> Wanted:
    """What these labels name. Containers made at different times may name different files: all count."""
    each = list(labels)
    folders = [label[WORKING_DIR] for label in each if label.get(WORKING_DIR)]
    return Wanted(Path(folders[0]) if folders else None, _listed(each, FILES), _listed(each, ENVIRONMENT))


def _listed(labels: Sequence[Mapping[str, str]], name: str) -> tuple[str, ...]:
    entries = (part.strip() for label in labels for part in label.get(name, "").split(","))
    return tuple(dict.fromkeys(part for part in entries if part and "\0" not in part))


def read_below(root: Path, path: PurePosixPath, most: int) -> bytes:
    """A plain file's content. Links are followed within ``root`` only. Unreadable tells why not."""
    try:
        base = root.resolve(strict=True)
        real = (base / path).resolve(strict=True)
        if path.is_absolute() or not real.is_relative_to(base):
            raise Unreadable("outside")
        descriptor = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise Unreadable("outside" if path.is_absolute() or ".." in path.parts else "gone") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise Unreadable("unreadable") from error
    try:
        return _content(descriptor, most)
    finally:
        os.close(descriptor)


def _content(descriptor: int, most: int) -> bytes:
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("unreadable")
        with os.fdopen(os.dup(descriptor), "rb") as handle:
            content = handle.read(most + 1)
    except OSError as error:
        raise Unreadable("unreadable") from error
    if len(content) > most:
        raise Unreadable("too_big")
    return content


def names_in(content: bytes) -> frozenset[str]:
    """The names that an environment file gives a value."""
    return frozenset(found.decode() for found in _NAME.findall(content))
