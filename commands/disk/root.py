"""Where Docker keeps its data, and which file system that is, as far as it can be seen from here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bot.errors import VccError
from bot.ops.bundle import Ops
from bot.ops.host import FileSystem
from bot.ops.overview import probe

_DEADLINE = 3.0


@dataclass(frozen=True, slots=True)
class DockerRoot:
    """``engine_path`` on the engine's machine, ``path`` as mounted here (each empty when not known); ``file_system`` None when
    neither can be seen from here: the bot runs in a container, without that mount."""

    engine_path: str
    path: str
    file_system: FileSystem | None


async def docker_root(ops: Ops, mounted: Path | None) -> DockerRoot:
    """What the engine says and what is mounted; the mount wins, since a path of another machine may exist here by chance."""
    told = await probe("docker", ops.containers.root, _DEADLINE)
    engine_path = "" if isinstance(told, VccError) else told
    path = mounted or (Path(engine_path) if engine_path else None)
    under = await ops.host.file_system_of(path) if path is not None and await asyncio.to_thread(_is_root, path) else None
    return DockerRoot(engine_path, str(path) if under is not None else "", under)


def _is_root(path: Path) -> bool:
    try:
        return (path / "containers").is_dir() or (path / "volumes").is_dir()
    except OSError:
        return False
