"""A backup directory, a remote on the S3 service, and its bucket looked into directly: what the tests of the remote share."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyrage

from bot.ops.remote import Remote
from bot.ops.remote_values import Address, Limits
from bot.ops.seal import Seal
from tests.s3_parts import QUICK

Named = tuple[str, int, str]


def a_backup(folder: Path, files: dict[str, bytes]) -> list[Named]:
    """Write the files; give what a manifest says of them."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()]


def noise(count: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat, the same each time."""
    return random.Random(seed).randbytes(count)


def tree(folder: Path) -> dict[str, bytes]:
    """What is in a directory."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def a_seal(folder: Path) -> Seal:
    """A seal with a new key, and its identity at hand."""
    identity = pyrage.x25519.Identity.generate()
    path = folder / "identity.txt"
    path.write_text(f"# made for a test\n{identity}\n")
    return Seal(str(identity.to_public()), path)


def contents(folder: Path) -> list[Path]:
    """What stands directly in a directory."""
    return list(folder.iterdir())


class Bucket:
    """The bucket as its owner sees it, past every proxy."""

    def __init__(self, client: Any, name: str) -> None:
        self.name = name
        self.client = client
        self.client.create_bucket(Bucket=self.name)

    def keys(self, beginning: str = "") -> list[str]:
        """Every key that begins so."""
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=self.name, Prefix=beginning).get("Contents", ())]

    def get(self, key: str) -> bytes:
        """One object."""
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def put(self, key: str, content: bytes) -> None:
        """One object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def uploads(self) -> list[Any]:
        """Uploads in parts that are not finished."""
        return list(self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", ()))


@contextlib.asynccontextmanager
async def a_remote(address: Address, staging: Path, seal: Seal | None = None, limits: Limits = QUICK) -> AsyncIterator[Remote]:
    """The adapter."""
    remote = Remote(address, seal or Seal(), staging, limits)
    yield remote
    remote.close()
