"""Sends one file to the bucket: whole when it is small, in parts when it is big, going on with the parts that arrived before a cut.

What arrived is compared with what was sent. Blocks. Knows nothing of backups.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s3transfer.utils import ReadFileChunk

from bot.errors import NotFound
from bot.ops.dump_faults import reading
from bot.ops.remote_faults import Mangled
from bot.ops.remote_s3 import BLOCK, S3

# S3 takes 10,000 parts; some room is left.
_MOST_PARTS = 9_000
_SMALL = 1 << 20
_PLAIN_TAG = (None, "AES256")


# Told how many bytes arrived; what it raises ends it, and what arrived stays there for the next time.
Moved = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Body:
    """A file to be sent, as it is on the disk: its content's SHA-256 and MD5 (which older S3 services show as the tag)."""

    path: Path
    bytes: int
    sha256: str
    md5: str

    @classmethod
    def of(cls, path: Path) -> Body:
        """Read it once."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with reading(path.name), path.open("rb") as handle:
            while block := handle.read(BLOCK):
                sha256.update(block)
                md5.update(block)
                size += len(block)
        return cls(path, size, sha256.hexdigest(), md5.hexdigest())


@dataclass(frozen=True, slots=True)
class _Part:
    """A part as it is here: what must be over there."""

    number: int
    start: int
    length: int
    sha256: bytes
    md5: bytes

    @property
    def checksum(self) -> str:
        return _base64(self.sha256)

    def is_that(self, stored: Any) -> bool:
        """Whether ``stored``, as the bucket tells it, is this part."""
        if stored["Size"] != self.length:
            return False
        told = stored.get("ChecksumSHA256")
        return told == self.checksum if told else _plain(stored["ETag"]) == self.md5.hex()


class Upload:
    """Sends ``body`` to ``key``. ``name`` is what people call it."""

    def __init__(self, s3: S3, key: str, body: Body, name: str) -> None:
        self._s3 = s3
        self._key = key
        self._body = body
        self._name = name

    def send(self, moved: Moved) -> None:
        """Come back when it is there and right."""
        if self._body.bytes <= self._s3.limits.multipart_from:
            self._until_right(self._whole)
            moved(self._body.bytes)
        else:
            self._until_right(lambda: self._in_parts(moved))

    def _until_right(self, send: Callable[[], tuple[str, str]]) -> None:
        """``send`` gives the checksum and the tag it must have. What is wrong over there is removed: nothing may take it for right."""
        seen = ""
        for _ in range(self._s3.limits.tries):
            seen = self._difference(*send())
            if not seen:
                return
            self._s3.delete([self._key])
        raise Mangled(self._name, seen)

    def _whole(self) -> tuple[str, str]:
        with reading(self._name):
            handle = self._body.path.open("rb")
        with handle:
            # For a stream the library first asks whether it may come: one more round trip, dear for many small files.
            self._s3.put(self._key, handle.read(_SMALL) if self._body.bytes <= _SMALL else handle, self._body.sha256)
        return _base64(bytes.fromhex(self._body.sha256)), self._body.md5

    def _difference(self, checksum: str, tag: str) -> str:
        """How what is over there differs from what was sent; empty when it does not. A checksum over there decides, else the tag."""
        try:
            head = self._s3.head(self._key)
        except NotFound:
            return "nothing arrived"
        if head["ContentLength"] != self._body.bytes:
            return f"{head['ContentLength']} bytes instead of {self._body.bytes}"
        told = str(head.get("ChecksumSHA256", "")).partition("-")[0]
        if told:
            return "" if told == checksum else "another checksum"
        # With keys of its own the other side shows tags that are no sums.
        plain = head.get("ServerSideEncryption") in _PLAIN_TAG
        return "another tag" if plain and _plain(head["ETag"]) != tag else ""

    # ------------------------------------------------------------ parts
    def _in_parts(self, moved: Moved) -> tuple[str, str]:
        upload, there = self._begun()
        parts: dict[int, _Part] = {}
        tags: dict[int, str] = {}

        def carry(number: int) -> None:
            part = parts[number] = self._part(number)
            stored = there.get(number)
            tags[number] = stored["ETag"] if stored and part.is_that(stored) else self._send_part(upload, part)
            moved(part.length)

        count = -(-self._body.bytes // self._part_bytes)
        _each(carry, range(1, count + 1), self._s3.limits.parallel)
        ordered = [parts[number] for number in range(1, count + 1)]
        self._complete(upload, [(part, tags[part.number]) for part in ordered])
        checksum = hashlib.sha256(b"".join(part.sha256 for part in ordered)).digest()
        tag = hashlib.md5(b"".join(part.md5 for part in ordered), usedforsecurity=False).hexdigest()
        return _base64(checksum), f"{tag}-{count}"

    @property
    def _part_bytes(self) -> int:
        """The same each time, so that parts fit those of an earlier try."""
        return max(self._s3.limits.part_bytes, -(-self._body.bytes // _MOST_PARTS))

    def _begun(self) -> tuple[str, dict[int, Any]]:
        """The upload to go on with and its parts, else a new one: the bucket itself remembers it, so this process may die."""
        for key, upload, _ in self._s3.uploads(self._key):
            if key == self._key:
                with contextlib.suppress(NotFound):
                    return upload, self._arrived(upload)
        with self._s3.asking():
            begun = self._s3.client.create_multipart_upload(**self._s3.place(self._key), ChecksumAlgorithm="SHA256", **self._s3.extras)
        return begun["UploadId"], {}

    def _arrived(self, upload: str) -> dict[int, Any]:
        pages = self._s3.client.get_paginator("list_parts").paginate(**self._s3.place(self._key), UploadId=upload)
        with self._s3.asking():
            return {part["PartNumber"]: part for page in pages for part in page.get("Parts", ())}

    def _part(self, number: int) -> _Part:
        start = (number - 1) * self._part_bytes
        length = min(self._part_bytes, self._body.bytes - start)
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with reading(self._name), self._body.path.open("rb") as handle:
            handle.seek(start)
            for offset in range(0, length, BLOCK):
                block = handle.read(min(BLOCK, length - offset))
                sha256.update(block)
                md5.update(block)
        return _Part(number, start, length, sha256.digest(), md5.digest())

    def _send_part(self, upload: str, part: _Part) -> str:
        with reading(self._name):
            body = ReadFileChunk.from_filename(str(self._body.path), part.start, part.length)
        with body, self._s3.asking():
            stored = self._s3.client.upload_part(
                **self._s3.place(self._key), UploadId=upload, PartNumber=part.number, Body=body, ChecksumSHA256=part.checksum
            )
        return str(stored["ETag"])

    def _complete(self, upload: str, parts: Sequence[tuple[_Part, str]]) -> None:
        """Make one of them. That the upload is gone may mean that it is done, and only the answer was lost: what is there then tells."""
        ordered: Any = [{"PartNumber": part.number, "ETag": tag, "ChecksumSHA256": part.checksum} for part, tag in parts]
        with contextlib.suppress(NotFound), self._s3.asking():
            self._s3.client.complete_multipart_upload(**self._s3.place(self._key), UploadId=upload, MultipartUpload={"Parts": ordered})


def _each(work: Callable[[int], None], numbers: Sequence[int], at_once: int) -> None:
    """``work`` on every number, some at once. After the first failure nothing more begins, and it is raised when all have ended."""
    with ThreadPoolExecutor(at_once, thread_name_prefix="remote-part") as pool:
        futures = [pool.submit(work, number) for number in numbers]
        try:
            for future in as_completed(futures):
                future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _plain(tag: str) -> str:
    return tag.strip('"')
