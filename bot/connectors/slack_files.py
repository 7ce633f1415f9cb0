"""Files in Slack: asked for, uploaded, shared in a thread, each noted before the next step so that none is shared twice."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.connectors.slack_blocks import TextFile
from bot.connectors.slack_errors import TOKEN_GONE, VENDOR, code_of, undelivered
from bot.model import Attachment
from bot.outbox import Checkpoint, NotDelivered
from bot.plain_text import harmless

_LOG = logging.getLogger("vcc.slack")
_UPLOAD_SECONDS = 25
_NOTHING = b"\n"  # Slack refuses empty files
_GIVEN_UP = "-"
_PENDING = "?"
_ALT = 1_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One file on its way: ``source`` is a path, or the bytes themselves; ``alt`` tells what a picture shows."""

    name: str
    source: Path | bytes
    key: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where files are shared: below this message."""

    channel: str
    ts: str


def outgoing(attachments: Sequence[Attachment], made: Sequence[TextFile]) -> list[Outgoing]:
    """The files of an answer, each with a key that tells it from any other."""
    stored = [Outgoing(each.name, each.path, _key(each.name, str(each.path).encode()), _alt(each)) for each in attachments]
    return stored + [Outgoing(each.name, each.content or _NOTHING, _key(each.name, each.content)) for each in made]


def _alt(attachment: Attachment) -> str:
    return harmless(attachment.alt, limit=_ALT) if attachment.is_picture else ""


def _key(name: str, content: bytes) -> str:
    return "file:" + hashlib.sha256(name.encode("utf-8", "replace") + b"\0" + content).hexdigest()[:12]


class Files:
    """Shares files. The note of a message says of each whether it is pending (``?F1``), shared (``F1``) or given up (``-``)."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def share(
        self, files: Sequence[Outgoing], thread: Thread, posted: Mapping[str, str], checkpoint: Checkpoint
    ) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """Share what is not shared yet: the new note, and the (name, reason) of files that Slack refuses for good."""
        note, refused = dict(posted), list[tuple[str, str]]()
        for file in files:
            state = note.get(file.key, "")
            if state.startswith(_PENDING) and await self._is_shared(state.removeprefix(_PENDING), thread):
                note[file.key] = state.removeprefix(_PENDING)
            elif not state or state.startswith(_PENDING):
                reason = await self._share_one(file, thread, note, checkpoint)
                refused += [(file.name, reason)] if reason else []
            await checkpoint(note)
        return note, refused

    async def _share_one(self, file: Outgoing, thread: Thread, note: dict[str, str], checkpoint: Checkpoint) -> str:
        """Share one file; the reason when it is refused for good."""
        try:
            identity = await self._upload(file)
            note[file.key] = _PENDING + identity
            await checkpoint(note)
            title = harmless(file.name, limit=200, newlines=False)
            await self._client.files_completeUploadExternal(
                files=[{"id": identity, "title": title}], channel_id=thread.channel, thread_ts=thread.ts
            )
        except (FileNotFoundError, PermissionError) as error:
            _LOG.warning("%s cannot be read and is not sent: %s", file.name, error.strerror)
            note[file.key] = _GIVEN_UP
            return str(error.strerror)
        except VENDOR as error:
            failure = undelivered(error)
            if not code_of(error) or code_of(error) in TOKEN_GONE or failure.retry_after is not None or failure.in_doubt:
                raise failure from error
            note[file.key] = _GIVEN_UP
            return code_of(error)
        note[file.key] = identity
        return ""

    async def _upload(self, file: Outgoing) -> str:
        async with _opened(file.source) as (content, length):
            answer = await self._client.files_getUploadURLExternal(filename=file.name, length=length, alt_txt=file.alt or None)
            timeout = aiohttp.ClientTimeout(total=_UPLOAD_SECONDS)
            # The address carries its own right; our token is not sent along.
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(str(answer["upload_url"]), data=content, headers={"Content-Type": "application/octet-stream"}) as uploaded,
            ):
                if uploaded.status != 200:
                    raise NotDelivered(f"upload of {file.name}: {uploaded.status}")
        return str(answer["file_id"])

    async def _is_shared(self, identity: str, thread: Thread) -> bool:
        """Whether a file whose sharing was in doubt is there."""
        cursor: str | None = None
        while True:
            try:
                page = await self._client.conversations_replies(channel=thread.channel, ts=thread.ts, limit=200, cursor=cursor)
            except VENDOR as error:
                if code_of(error):
                    return False  # it cannot be looked up (no such right): shared again rather than never
                raise undelivered(error) from error
            if any(_holds(message, identity) for message in page.get("messages") or []):
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return False


def _holds(message: Mapping[str, Any], identity: str) -> bool:
    return any(file.get("id") == identity for file in message.get("files") or [])


@asynccontextmanager
async def _opened(source: Path | bytes) -> AsyncIterator[tuple[BinaryIO | bytes, int]]:
    """The content, streamed when it is on the disk, and its length."""
    if isinstance(source, bytes):
        yield source, len(source)
        return
    length = (await asyncio.to_thread(source.stat)).st_size
    if not length:
        yield _NOTHING, len(_NOTHING)
        return
    file = await asyncio.to_thread(source.open, "rb")
    try:
        yield file, length
    finally:
        await asyncio.to_thread(file.close)
