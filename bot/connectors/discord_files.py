"""The files of a message read from the disk, inside what Discord takes, and its pictures beside them. Knows no network."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.connectors.discord_embeds import ATTACHED, Rendered
from bot.connectors.discord_wire import Body, Files, Upload
from bot.plain_text import harmless
from bot.words import Words

LARGEST = 10 * 1024 * 1024 - 4096
_ALL_TOGETHER = 24 * 1024 * 1024
_READ_AT_MOST = 256 * 1024 * 1024
_DESCRIPTION = 1024


def load(rendered: Rendered, words: Words) -> Files:
    """Name and bytes of each file: large ones packed, still larger ones cut, missing ones told about. Blocking."""
    found = [Upload(name, text.encode("utf-8", "replace")) for name, text in rendered.texts]
    for attachment in rendered.files:
        try:
            told = harmless(attachment.alt, limit=_DESCRIPTION) if attachment.is_picture else ""
            found.append(Upload(attachment.name, _read(attachment.path), told))
        except OSError:
            found.append(Upload(f"{attachment.name}.txt", words("discord.file_gone", name=attachment.name).encode()))
    kept: list[Upload] = []
    room = _ALL_TOGETHER
    for file in found:
        name, data = _within(file.name, file.data, min(LARGEST, room), words("discord.file_cut").encode())
        room -= len(data)
        kept.append(replace(file, name=name, data=data))
    return kept


def without_missing(body: Body, files: Files) -> Body:
    """A message without the pictures that are not among its files: Discord refuses one that shows what is not there."""
    there = {ATTACHED + file.name for file in files}
    embeds = [_shown(embed, there) for embed in body["embeds"]]
    return {**body, "embeds": [embed for embed in embeds if embed.keys() - {"color"}]}


def _shown(embed: Mapping[str, Any], there: set[str]) -> Mapping[str, Any]:
    return {name: part for name, part in embed.items() if name != "image" or part["url"] in there}


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_READ_AT_MOST)


def _within(name: str, data: bytes, limit: int, note: bytes) -> tuple[str, bytes]:
    if len(data) <= limit:
        return name, data
    packed = gzip.compress(data, mtime=0)
    if len(packed) <= limit:
        return f"{name}.gz", packed
    return name, data[: max(0, limit - len(note))] + note
