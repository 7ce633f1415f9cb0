"""Changes values in a project's environment file, atomically, every other line as it was. Knows no value by name; shows none.

Which file: those that the containers' labels name, else the usual ones; of several the one that holds the name already.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.errors import Conflict
from bot.ops.containers import Containers
from bot.ops.dump_faults import writing
from bot.ops.folder_sync import sync_folder
from bot.ops.project_files import USUAL_COMPOSE, USUAL_ENVIRONMENT, Unreadable, Wanted, names_in, read_below, wanted_from

_MOST = 1 << 20
_PART = ".vcc-part"
_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """One environment file: ``path`` is where it really lies, ``shown`` how people know it."""

    path: Path
    shown: str
    content: bytes

    def value(self, name: str) -> str:
        """What it says of a name, the last time it does; empty when it does not. Quotes around it are left out."""
        found = _line(name).findall(self.content)
        return _unquoted(found[-1][1].decode("utf-8", "replace")) if found else ""

    def changed(self, values: Mapping[str, str]) -> bytes:
        """Its content with these values, each where it stood before, else at the end."""
        content = self.content
        for name, value in values.items():
            line = f"{name}={value}".encode()
            if _line(name).search(content):
                content = _line(name).sub(lambda found, line=line: found[1] + line, content)  # type: ignore[misc]
            else:
                content = (content if content.endswith(b"\n") or not content else content + b"\n") + line + b"\n"
        return content

    def write(self, content: bytes) -> None:
        """Put this in its place, with the same owner and rights. OutsideError when that fails."""
        part = self.path.with_name(f".{self.path.name}{_PART}")
        with writing():
            part.unlink(missing_ok=True)
            was = self.path.stat()
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(content)
                handle.flush()
                if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(descriptor, was.st_uid, was.st_gid)
                os.fchmod(descriptor, was.st_mode & 0o777)
                os.fsync(descriptor)
            part.replace(self.path)
            sync_folder(self.path.parent)

    @property
    def writable(self) -> bool:
        """Whether this program may change it: its folder too, as the new file comes beside it first. A file that is mounted by itself
        cannot be replaced."""
        may = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        return may and _can_be_given(self.path) and not _is_mounted(self.path)


class EnvFiles:
    """Of one compose project; ``project_dir`` is where this program sees it."""

    def __init__(self, containers: Containers, project_dir: Path | None) -> None:
        self._containers = containers
        self._project_dir = project_dir

    async def holding(self, names: Sequence[str]) -> EnvFile:
        """The file to change these names in. Conflict, saying why, when there is none that may be."""
        wanted = wanted_from([service.labels for service in await self._containers.services()])
        root = self._project_dir or wanted.working_dir
        if root is None or not root.is_dir():
            raise Conflict("revoke.no_project_dir")
        return await asyncio.to_thread(_holding, root, wanted, names)


def _holding(root: Path, wanted: Wanted, names: Sequence[str]) -> EnvFile:
    files = list(_read(root, wanted, wanted.environment or USUAL_ENVIRONMENT))
    if not files:
        raise Conflict("revoke.no_env_file", folder=str(root))
    holders = [file for file in files if set(names) & names_in(file.content)]
    chosen = next(iter(reversed(holders) if wanted.environment else holders), None)  # of several that Compose reads the last counts
    if chosen is None:
        compose = b"\n".join(file.content for file in _read(root, wanted, wanted.compose or USUAL_COMPOSE))
        if not any(re.search(rb"\$\{?" + name.encode() + rb"\b", compose) for name in names):
            raise Conflict("revoke.not_in_file", name=names[0], file=files[0].shown)
        chosen = files[0]
    if not chosen.writable:
        raise Conflict("revoke.read_only", file=chosen.shown)
    return chosen


def _read(root: Path, wanted: Wanted, names: Iterable[str]) -> Iterable[EnvFile]:
    for name in names:
        path = PurePosixPath(os.path.normpath(name))
        for folder in (wanted.working_dir, root):
            if path.is_absolute() and folder is not None and path.is_relative_to(folder):
                path = path.relative_to(folder)
        try:
            content = read_below(root, path, _MOST)
        except Unreadable:
            continue
        yield EnvFile((root / path).resolve(), path.as_posix(), content)


def _can_be_given(path: Path) -> bool:
    """Whether a new file can get the owner and the group of this one: only an administrator gives files to others."""
    was = path.stat()
    return os.geteuid() == 0 or (was.st_uid == os.geteuid() and was.st_gid in (os.getegid(), *os.getgroups()))


def _is_mounted(path: Path) -> bool:
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.split(" ")[4:5] == [str(path).replace(" ", "\\040")] for line in mounts.splitlines())


def _line(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"^([ \t]*(?:export[ \t]+)?)" + re.escape(name).encode() + rb"[ \t]*=[ \t]*([^\r\n]*)", re.MULTILINE)


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()
