"""Finds out which files are pictures that can be opened, by a child process (``image_decoder``): a file that kills it kills only that.

Knows nothing of where the files come from.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.errors import NotFound

SYSTEM = "images"
IMAGE, OTHER, BROKEN, LARGE = "image", "other", "broken", "large"
_DECODER = (sys.executable, "-P", "-m", "bot.ops.image_decoder")
_READY = "ready"
# Longer than the child grants itself for one file.
_DEADLINE = 45.0
_SOURCE = str(Path(__file__).parent.parent.parent)


async def decode(paths: Sequence[Path], say: Callable[[int], None], decoder: Sequence[str] = _DECODER) -> tuple[str, ...]:
    """One word for each file: see above. NotFound when no picture at all can be opened on this machine."""
    found: list[str] = []
    while len(found) < len(paths):
        if not await _round(paths[len(found) :], found, say, decoder):
            raise NotFound(SYSTEM, "Pillow")
        if len(found) < len(paths):
            found.append(BROKEN)  # the child ended at this one
    return tuple(found)


async def _round(paths: Sequence[Path], found: list[str], say: Callable[[int], None], decoder: Sequence[str]) -> bool:
    """One child, as far as it comes; whether it began at all."""
    process = await asyncio.create_subprocess_exec(
        *decoder,
        env=_surroundings(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C at our terminal is not meant for it
    )
    begun = False
    try:
        if process.stdin is None or process.stdout is None:
            return False
        process.stdin.write(b"\0".join(os.fsencode(path) for path in paths))
        process.stdin.close()
        while word := await _word(process.stdout):
            if begun:
                found.append(word)
                say(len(found))
            begun = begun or word == _READY
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
    return begun


async def _word(stream: asyncio.StreamReader) -> str:
    """The next line; empty at the end, or when nothing comes."""
    try:
        async with asyncio.timeout(_DEADLINE):
            return (await stream.readline()).decode("ascii", "replace").strip()
    except TimeoutError:
        return ""


def _surroundings() -> dict[str, str]:
    """The child's environment: no secret of ours is in it."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (_SOURCE, os.environ.get("PYTHONPATH"))))
    return {**kept, "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
