"""Writes small PNG images that look generated, with the workflow in a text chunk as ComfyUI leaves it. Standard library only."""

from __future__ import annotations

import random
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(seed: int, width: int = 96, height: int = 96) -> bytes:
    """The compressed pixels of a soft gradient with grain: cheap to make, and smaller as WebP."""
    dice = random.Random(seed)
    red, green, blue = (dice.randrange(256) for _ in range(3))
    rows = bytearray()
    for y in range(height):
        rows.append(0)  # each row starts with its filter type: none
        grain = dice.randbytes(width)
        for x in range(width):
            noise = grain[x] & 7
            rows += bytes(((red + x + noise) & 255, (green + y + noise) & 255, (blue + (x + y) // 2 + noise) & 255))
    return zlib.compress(bytes(rows), 6)


def png(pixels: bytes, text: str, width: int = 96, height: int = 96) -> bytes:
    """A whole file from compressed 8-bit RGB pixels; ``text`` makes two files with equal pixels differ."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    note = b"workflow\0" + text.encode("latin-1", "replace")
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"tEXt", note) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
