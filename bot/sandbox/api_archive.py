"""Docker Engine API: files read out of a container's volumes, and written into them, as tar archives."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from aiohttp import web

from bot.sandbox import shapes
from bot.sandbox.api_common import DockerError, Routes, container_of


def _archived_path(request: web.Request) -> Path:
    """The place on this machine of a path inside one of the container's volumes; nothing else is handed out."""
    wanted = os.path.normpath(request.query.get("path", ""))
    for mount in container_of(request).service.mounts:
        if wanted == mount.destination or wanted.startswith(mount.destination + os.sep):
            found = Path(str(mount.source) + wanted[len(mount.destination) :])
            if found.exists():
                return found
    raise DockerError(404, f"Could not find the file {wanted} in container {request.match_info['name']}")


def _path_stat(path: Path) -> str:
    about = path.stat()
    document = {"name": path.name, "size": about.st_size, "mode": about.st_mode & 0o777, "mtime": shapes.moment(about.st_mtime_ns)}
    if path.is_dir():
        document["mode"] = int(str(document["mode"])) | 1 << 31  # Go's bit for a directory
    return base64.b64encode(json.dumps({**document, "linkTarget": ""}).encode()).decode()


def _tarred(path: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(path, arcname=path.name)
    return buffer.getvalue()


async def read_archive(request: web.Request) -> web.Response:
    path = _archived_path(request)
    headers = {"X-Docker-Container-Path-Stat": _path_stat(path)}
    body = b"" if request.method == "HEAD" else await asyncio.to_thread(_tarred, path)
    return web.Response(body=body, headers=headers, content_type="application/x-tar")


def _extracted(archive: IO[bytes], path: Path) -> None:
    """Owners as the archive says where we may give files away; names that lead out of the directory are refused."""
    try:
        with tarfile.open(fileobj=archive, mode="r:") as opened:
            opened.extractall(path, filter="tar", numeric_owner=True)
    except tarfile.TarError as problem:
        raise DockerError(400, f"archive/tar: {problem}") from problem
    except OSError as problem:
        raise DockerError(500, f"Error processing tar file: {problem}") from problem


async def write_archive(request: web.Request) -> web.Response:
    path = _archived_path(request)
    if not path.is_dir():
        raise DockerError(400, "extraction point is not a directory")
    with tempfile.TemporaryFile() as archive:
        async for piece in request.content.iter_any():
            archive.write(piece)
        archive.seek(0)
        await asyncio.to_thread(_extracted, archive, path)
    return web.Response(status=200)


ROUTES: Routes = (
    ("GET", "/containers/{name}/archive", read_archive),
    ("HEAD", "/containers/{name}/archive", read_archive),
    ("PUT", "/containers/{name}/archive", write_archive),
)
