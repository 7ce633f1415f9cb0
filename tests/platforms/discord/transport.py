"""Transport compression of the gateway: plain text, zlib-stream or zstd-stream, one shared context per connection."""

from __future__ import annotations

import importlib
import importlib.util
import zlib
from typing import Any, Protocol


class Encoder(Protocol):
    """Turns one JSON text into what is sent over the socket."""

    def encode(self, text: str) -> str | bytes:
        """The frame: text stays text, compressed frames are binary."""
        ...


class Plain:
    """No compression asked for."""

    def encode(self, text: str) -> str | bytes:
        """As it is."""
        return text


class ZlibStream:
    """One deflate stream over the connection, flushed after every message."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj()

    def encode(self, text: str) -> str | bytes:
        """The next piece of the stream, ending in the flush marker clients look for."""
        return self._stream.compress(text.encode()) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class ZstdStream:
    """One zstd frame over the connection, flushed after every message. Needs the ``zstandard`` package."""

    def __init__(self) -> None:
        library: Any = importlib.import_module("zstandard")
        self._flush: int = library.COMPRESSOBJ_FLUSH_BLOCK
        self._stream: Any = library.ZstdCompressor().compressobj()

    def encode(self, text: str) -> str | bytes:
        """The next piece of the stream."""
        return bytes(self._stream.compress(text.encode()) + self._stream.flush(self._flush))


def encoder_for(wanted: str | None) -> Encoder | None:
    """The encoder a client asked for; None when this machine has no library for it."""
    if wanted == "zstd-stream":
        return ZstdStream() if importlib.util.find_spec("zstandard") else None
    return ZlibStream() if wanted == "zlib-stream" else Plain()
