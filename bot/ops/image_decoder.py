"""Decodes pictures: a child process that reads names and writes one word for each. The only room of Pillow; the bot never imports it.

What a file does to the decoder it does to this process, whose memory and time are bounded. Says nothing of what a picture shows.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
import warnings
import zlib
from pathlib import Path

from PIL import Image, UnidentifiedImageError

READY = "ready"
# What the application stores. Only these are tried: others call programs, or are easily taken for something else.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
ENDINGS = frozenset({".png", ".apng", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
MOST_PIXELS = 64_000_000
_MEMORY = 2 << 30
_SECONDS_EACH = 30
# What Pillow's readers throw at content that is not what it seems.
_BROKEN = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, EOFError, struct.error, zlib.error)


def verdict(path: Path) -> str:
    """``image`` (decoded to its last pixel), ``other`` (none by its content and its name), ``broken``, or ``large``."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return "large"
    except UnidentifiedImageError:
        return "broken" if path.suffix.lower() in ENDINGS else "other"
    except _BROKEN:
        return "broken"
    return "image"


def main() -> None:
    """Names come with a zero between them; the words go out line by line, each as soon as it is known."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    names = [name for name in sys.stdin.buffer.read().split(b"\0") if name]
    sys.stdout.write(f"{READY}\n")
    for name in names:
        signal.alarm(_SECONDS_EACH)
        sys.stdout.write(f"{verdict(Path(os.fsdecode(name)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
