"""How a backup is described over there: the files it holds, the objects they are in, and the manifest that makes it one. Pure.

The manifest and the object names are plain, so that what nothing refers to can be found without any key; the files' list is sealed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.errors import OutsideError
from bot.ops.dump_faults import Damaged
from bot.ops.remote_faults import Unsafe
from bot.ops.remote_names import checked_path, is_hash
from bot.ops.remote_values import SYSTEM, FileEntry, Limits, RemoteBackup

FORMAT = 1
LONGEST_MANIFEST = 16_384
# No count of anything, and no time that a calendar has (the year 5138): not to be reckoned with.
_ABSURD, _NEVER = 1 << 62, 1e11


def written_manifest(backup: RemoteBackup) -> bytes:
    """What is put there last."""
    return json.dumps(
        {
            "format": FORMAT,
            "id": backup.id,
            "files": backup.files,
            "bytes": backup.bytes,
            "sealed": backup.sealed,
            "stored_at": backup.stored_at,
            "listing_sha256": backup.listing_sha256,
            "tree_sha256": backup.tree_sha256,
            "labels": backup.labels,
        },
        indent=1,
    ).encode()


def read_manifest(content: bytes, backup: str) -> RemoteBackup:
    """The backup of this name; Damaged when it is not described as it should be, OutsideError when a newer bot wrote it."""
    try:
        document = json.loads(content)
        if not isinstance(document, Mapping):
            raise TypeError("not an object")
        if int(document["format"]) > FORMAT:
            raise OutsideError("remote.newer", system=SYSTEM, name=backup)
        found = _backup(document)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise Damaged(f"{backup}/manifest.json", 0, type(error).__name__) from error
    if found.id != backup or not (0 <= found.files < _ABSURD and 0 <= found.bytes < _ABSURD and 0 <= found.stored_at < _NEVER):
        raise Damaged(f"{backup}/manifest.json", 0, "it describes something else")
    return found


def _backup(document: Mapping[str, Any]) -> RemoteBackup:
    listing, tree = str(document["listing_sha256"]), str(document["tree_sha256"])
    if not (is_hash(listing) and is_hash(tree)):
        raise ValueError("not a hash")
    return RemoteBackup(
        id=str(document["id"]),
        files=int(document["files"]),
        bytes=int(document["bytes"]),
        sealed=bool(document["sealed"]),
        stored_at=float(document["stored_at"]),
        listing_sha256=listing,
        tree_sha256=tree,
        labels=_labels(document.get("labels", [])),
    )


def _labels(told: Any) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        raise TypeError("no labels")
    return tuple(told)


def written_listing(entries: Iterable[FileEntry]) -> Iterator[bytes]:
    """One line for each file. Whatever stands in a name is escaped, so that a line is a file."""
    for entry in entries:
        yield json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def read_listing(lines: Iterable[bytes], backup: RemoteBackup, limits: Limits) -> Iterator[FileEntry]:
    """The files, each safe to write below a directory of our own; all of it compared with what the manifest promises."""
    files = total = 0
    if backup.files > limits.most_files or backup.bytes > limits.most_bytes:
        raise Unsafe(backup.id, "absurdly big")
    for line in lines:
        entry = _entry(line, backup.id)
        files, total = files + 1, total + entry.bytes
        if files > backup.files or total > backup.bytes:
            raise Unsafe(entry.path, "more than the manifest says")
        yield entry
    if (files, total) != (backup.files, backup.bytes):
        raise Damaged(f"{backup.id}/files", 0, "less than the manifest says")


def _entry(line: bytes, backup: str) -> FileEntry:
    try:
        path, size, sha256, mode, changed_ns, stored = json.loads(line)
        entry = FileEntry(str(path), int(size), str(sha256), int(mode) & 0o777, int(changed_ns), str(stored))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Damaged(f"{backup}/files", 0, type(error).__name__) from error
    checked_path(entry.path)
    if entry.bytes < 0 or not is_hash(entry.sha256) or not is_hash(entry.object) or not 0 <= entry.changed_ns < 1 << 62:
        raise Unsafe(entry.path, "not a file's figures")
    return entry


def checked_tree(entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
    """All of them; Unsafe when two would be written to one place, or one below another."""
    kept = tuple(entries)
    files = {entry.path for entry in kept}
    if len(files) < len(kept):
        raise Unsafe("files", "a path stands there twice")
    for path in files:
        below = path.rpartition("/")[0]
        while below:
            if below in files:
                raise Unsafe(path, "below a file")
            below = below.rpartition("/")[0]
    return kept


def written_tree(names: Iterable[str]) -> tuple[bytes, str]:
    """The objects a backup is made of, each once, and the hash of that."""
    content = "".join(f"{name}\n" for name in sorted(set(names))).encode()
    return content, hashlib.sha256(content).hexdigest()


def read_tree(content: bytes, backup: str) -> Iterator[str]:
    """The names of the objects; Damaged when one is none, as nothing may be deleted by half a list."""
    for line in content.decode("ascii", "replace").splitlines():
        if not is_hash(line):
            raise Damaged(f"{backup}/tree", 0, "not an object's name")
        yield line
