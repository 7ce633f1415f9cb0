"""Files that go out with an answer: written redacted, a line at a time, kept some days, then deleted.

A name that ends in ``.gz`` is written compressed, and ends where it grows larger than every platform takes.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from bot.errors import RecordUnwritable
from bot.model import Attachment
from bot.redact import Redactor

KEPT = 3 * 86_400.0
PACKED_AT_MOST = 9 * 1024 * 1024
_MEDIA = {
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown",
}
_BATCH = 500


class _Written(Protocol):
    def write(self, data: bytes, /) -> int: ...


class Attachments:
    """The folder of files that answers carry."""

    def __init__(self, home: Path, redactor: Redactor) -> None:
        self._folder = home / "files"
        self._redactor = redactor

    async def attach(self, reference: str, name: str, lines: AsyncIterable[str] | Iterable[str]) -> Attachment:
        """Write lines (without line ends) to a file of this request; RecordUnwritable when there is no room."""
        path = self._folder / reference / re.sub(r"[^\w.-]", "_", name)
        try:
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            with _opened(path) as (file, raw):
                await self._write(lines, file, raw if path.suffix == ".gz" else None)
        except OSError as error:
            raise RecordUnwritable(str(error)) from error
        return Attachment(path.name, path, _MEDIA.get(path.suffix, "text/plain"))

    async def _write(self, lines: AsyncIterable[str] | Iterable[str], file: _Written, packed: BinaryIO | None) -> None:
        """All of them; into a ``packed`` file only as many as there is room for, and whoever gives them sees that it is closed."""
        batch: list[str] = []
        async with aclosing(_each(lines)) as each:
            async for line in each:
                batch.append(line)
                if len(batch) >= _BATCH and not (_in_a_key(batch) and len(batch) < 4 * _BATCH):
                    await asyncio.to_thread(self._append, file, batch)
                    batch = []
                    if packed is not None and packed.tell() > PACKED_AT_MOST:
                        return
        await asyncio.to_thread(self._append, file, batch)

    def _append(self, file: _Written, lines: list[str]) -> None:
        # Several lines are redacted as one text, since a secret (a private key) may run over line ends.
        if lines:
            file.write((self._redactor.text("\n".join(lines)) + "\n").encode("utf-8", "backslashreplace"))

    def prune(self) -> None:
        """Delete what is older than its days."""
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.stat().st_mtime < time.time() - KEPT:
                shutil.rmtree(folder, ignore_errors=True)


def _in_a_key(lines: list[str]) -> bool:
    """Whether a key has begun near the end and not ended: cut there, its second half would look like nothing special."""
    for line in reversed(lines[-200:]):
        if "-----" in line:
            return "-----BEGIN" in line and "-----END" not in line
    return False


async def _each(lines: AsyncIterable[str] | Iterable[str]) -> AsyncGenerator[str, None]:
    if not isinstance(lines, AsyncIterable):
        for line in lines:
            yield line
        return
    try:
        async for line in lines:
            yield line
    finally:
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[_Written, BinaryIO]]:
    """What to write to, and the file below it, which is the same one unless the name asks for compression."""
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw, raw
            return
        with gzip.GzipFile(path.stem, "wb", fileobj=raw, mtime=0) as file:
            yield file, raw
