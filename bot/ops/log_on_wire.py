"""Finds the errors in the engine's answer while it comes. Knows no transport: whoever has one feeds it."""

from __future__ import annotations

from bot.ops.log_candidates import candidates
from bot.ops.log_chunked import ChunkedFrames
from bot.ops.log_chunks import FrameChunk
from bot.ops.log_errors import ErrorFinder
from bot.ops.log_frames import Recent, Resume


class ErrorsOnWire:
    """Feed it the body in its HTTP chunks: it gives ``finder`` what ``resume`` takes for new. ``recent`` holds the newest of all."""

    def __init__(self, finder: ErrorFinder, resume: Resume) -> None:
        self._finder = finder
        self._resume = resume
        self._frames = ChunkedFrames()
        self.recent = Recent()

    @property
    def ended(self) -> bool:
        """Nothing more comes, or is wanted."""
        return self._frames.ended or self._resume.missed

    def feed(self, data: bytes) -> None:
        """What came. ValueError when it cannot be such a body."""
        for chunk in self._frames.feed(data):
            self.recent.add(chunk)
            self._take(self._resume.fresh(chunk))

    def close(self) -> None:
        """The answer has ended. FrameError when it did inside a frame."""
        if self._resume.missed:
            return
        self._frames.close()
        self._take(self._resume.rest())
        if not self._resume.missed:
            self._finder.close()

    def _take(self, fresh: FrameChunk | None) -> None:
        if fresh is not None:
            self._finder.take(fresh, candidates(fresh.data, fresh.size))
