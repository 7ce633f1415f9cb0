"""Reads a request body, JSON or multipart with files. Knows no Discord objects beyond ``payload_json`` and ``files[n]``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from .errors import ApiError


@dataclass(frozen=True)
class Upload:
    """One file of a multipart request; ``index`` is the n of ``files[n]``."""

    index: int
    filename: str
    data: bytes
    content_type: str


@dataclass
class Received:
    """A request body: the JSON part, the files, and how many bytes it all was."""

    body: Any = None
    files: list[Upload] = field(default_factory=list)
    size: int = 0


async def receive(request: web.Request) -> Received:
    """Read it; ApiError 50109 when the JSON is none."""
    if not request.can_read_body:
        return Received()
    if request.content_type == "multipart/form-data":
        return await _receive_multipart(request)
    raw = await request.read()
    return Received(_parsed(raw), size=len(raw))


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from error


async def _receive_multipart(request: web.Request) -> Received:
    received = Received(body={})
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise ApiError(400, 50035, "Invalid Form Body")
        data = bytes(await part.read(decode=True))
        received.size += len(data)
        name = part.name or ""
        if name == "payload_json":
            received.body = _parsed(data)
        elif matched := re.fullmatch(r"files?\[(\d+)\]|file", name):
            content_type = part.headers.get("Content-Type", "application/octet-stream")
            received.files.append(Upload(int(matched.group(1) or 0), part.filename or "file", data, content_type))
    return received
