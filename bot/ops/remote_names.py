"""Names in the bucket, and paths in a backup: which are safe to write to a disk. Pure."""

from __future__ import annotations

import re

from bot.ops.remote_faults import Unsafe

BACKUPS, OBJECTS, LEASES = "backups/", "objects/", "leases/"
MANIFEST, LISTING, TREE = "manifest.json", "files", "tree"
_OBJECT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BACKUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_LONGEST_PATH, _LONGEST_PART, _DEEPEST = 4096, 255, 64


def is_hash(name: str) -> bool:
    """Whether it is a SHA-256, or an object's name, in hexadecimal."""
    return _OBJECT.fullmatch(name) is not None


def checked_id(name: str) -> str:
    """The name of a backup; Unsafe when it is none."""
    if not _BACKUP.fullmatch(name):
        raise Unsafe(name, "not the name of a backup")
    return name


def object_key(name: str) -> str:
    """Where the object of this name is; its first two letters make 256 shelves, each short enough to be listed whole."""
    return f"{OBJECTS}{name[:2]}/{name}"


def backup_key(backup: str, part: str) -> str:
    """Where a part of this backup's description is."""
    return f"{BACKUPS}{backup}/{part}"


def checked_path(path: str) -> str:
    """A path within a backup that leads nowhere else; Unsafe when it might."""
    encoded = _encoded(path)
    parts = path.split("/")
    if not path or "\0" in path or len(encoded) > _LONGEST_PATH or len(parts) > _DEEPEST:
        raise Unsafe(path, "not a path within a backup")
    if any(part in ("", ".", "..") or len(_encoded(part)) > _LONGEST_PART for part in parts):
        raise Unsafe(path, "a path that leads elsewhere")
    return path


def _encoded(text: str) -> bytes:
    """As the file system has it: names that are no UTF-8 stay what they are."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise Unsafe(ascii(text), "not a name a file can have") from error
