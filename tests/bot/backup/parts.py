"""Small whole backups for tests: a database of a few documents, uploads, a configuration; made as the real ones are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import bson

from bot.backup.manifest import CollectionPart, DatabasePart, FileEntry, Manifest, UploadsPart
from bot.backup.queue_part import LINES
from bot.backup.shelf import Proof, Shelf
from bot.ops.dump_names import stem
from bot.ops.snapshot import take
from bot.ops.tree_values import Snapshot

NOW = 1_769_076_000.0
IMAGES = [{"_id": number, "path": f"/app/uploads/generated/{number}.png"} for number in range(5)]


def fill_uploads(folder: Path, count: int = 5) -> Path:
    """So many files, each of a document."""
    (folder / "generated").mkdir(parents=True)
    for number in range(count):
        (folder / "generated" / f"{number}.png").write_bytes(b"png" * 1_000 + bytes([number]))
    return folder


def make(shelf: Shelf, uploads: Path, now: float = NOW, previous: Path | None = None, *, proof: Proof | None = None) -> str:
    """One backup, good unless ``proof`` says otherwise; its id."""
    with shelf.making(now) as making:
        files = [_written(making.path, "config/nginx.conf", b"server {}"), *_database(making.path)]
        result = take(uploads, making.path / "uploads", Snapshot(previous / "uploads") if previous else None)
        index = making.path / "uploads.jsonl"
        files.append(FileEntry(index.name, index.stat().st_size, result.index_sha256))
        part = UploadsPart(result.files, result.bytes, result.new_files, result.new_bytes, "directory", result.noted, 0.1)
        documents = len(b"".join(map(bson.encode, IMAGES)))
        collections = (CollectionPart("generatedimages", "collection", len(IMAGES), documents, 1, "generatedimages"),)
        database = DatabasePart("vcc-manager", "6.0.5", "paused_queue", collections, NOW, 0.1)
        manifest = Manifest(making.id, "p", now, now + 3, "asked", "olga", "R-1", "0", tuple(files), database, part)
        making.finish(manifest, proof or Proof(good_at=now + 3))
    return making.id


def _database(making: Path) -> list[FileEntry]:
    folder = "database/vcc-manager"
    return [
        _written(making, f"{folder}/generatedimages.bson", b"".join(map(bson.encode, IMAGES))),
        _written(making, f"{folder}/generatedimages.metadata.json", b'{"options":{},"indexes":[]}'),
    ]


def _written(making: Path, name: str, content: bytes) -> FileEntry:
    (making / name).parent.mkdir(parents=True, exist_ok=True)
    (making / name).write_bytes(content)
    return FileEntry(name, len(content), hashlib.sha256(content).hexdigest())


def queue_lines(folder: Path, queue: str) -> list[dict[str, Any]]:
    """The jobs of a queue as a backup wrote them down; none when there is no such file."""
    path = folder / (stem(queue) + LINES)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
