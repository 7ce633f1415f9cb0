"""Pictures that answers carry: charts put into words and figures, drawn by a child process, kept with the other files of a request.

Knows neither how to draw nor any platform. A picture that cannot be drawn is no failure: the answer goes without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bot.chart import Chart, Line
from bot.figures import NONE, Figures
from bot.model import Attachment
from bot.plain_text import harmless, shortened
from bot.redact import Redactor
from bot.scales import thinned, time_ticks, value_scale, written
from bot.words import Words

_LOG = logging.getLogger("vcc.pictures")
MEDIA_TYPE = "image/png"
LONGEST_ALT = 1000
_PAINTER = (sys.executable, "-P", "-m", "bot.painter")
_DEADLINE = 15.0
_FIRST_DEADLINE = 25.0  # the first child finds out which fonts this machine has, and remembers it
_AT_ONCE = 2
_MOST_CHARTS, _MOST_LINES = 6, 8
_BUCKETS = 320
_FAR = 3.0
_TITLE, _LABEL = 80, 28
_LOOK_AT = 4_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What a child may need to find its libraries and its temporary files; nothing else of our surroundings is its business.
_HANDED_ON = ("LD_LIBRARY_PATH", "TMPDIR")
_SOURCE = str(Path(__file__).parent.parent)


class Pictures:
    """Draws charts, at most two pictures at once. ``zone``: whose clocks their times are told by. ``painter``: the program that draws."""

    def __init__(
        self, home: Path, language: Literal["ko", "en"], zone: str, redactor: Redactor | None = None, painter: Sequence[str] = _PAINTER
    ) -> None:
        self._folder = home / "files"
        self._cache = home / "cache"
        self._words = Words(language)
        self._figures = Figures(language, zone)
        self._zone = zone
        self._redactor = redactor or Redactor()
        self._painter = painter
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def draw(self, reference: str, name: str, *charts: Chart) -> Attachment | None:
        """One picture of all charts, one below the other, in the folder of this request; None when it cannot be drawn."""
        file = re.sub(r"[^A-Za-z0-9-]+", "-", name.removesuffix(".png")).strip("-")[:60] or "chart"
        path = self._folder / reference / f"{file}.png"
        try:
            spec = json.dumps(await asyncio.to_thread(self._spec, charts), allow_nan=False).encode()
            picture = await self._painted(spec)
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            await asyncio.to_thread(path.write_bytes, picture)
        except (OSError, ValueError, OverflowError) as error:
            _LOG.warning("the picture %s of %s was not drawn: %s", name, reference, error or type(error).__name__)
            return None
        return Attachment(path.name, path, MEDIA_TYPE, self._alt(charts))

    # ------------------------------------------------------------ the child
    async def _painted(self, spec: bytes) -> bytes:
        """What the painter makes of it. TimeoutError, waiting for a turn included; ValueError when it is no picture."""
        fonts = self._cache / "matplotlib"
        await asyncio.to_thread(fonts.mkdir, parents=True, exist_ok=True)
        known = await asyncio.to_thread(lambda: any(fonts.glob("fontlist-*.json")))
        async with asyncio.timeout(_DEADLINE if known else _FIRST_DEADLINE), self._turns:
            status, picture, complaint = await self._run(spec, fonts)
        if complaint:
            _LOG.warning("painter: %s", harmless(self._redactor.text(complaint.decode("utf-8", "replace")), limit=2000))
        if status or not picture.startswith(_SIGNATURE):
            raise ValueError(f"the painter ended with {status} after {len(picture)} bytes")
        return picture

    async def _run(self, spec: bytes, fonts: Path) -> tuple[int | None, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            *self._painter,
            env=_surroundings(fonts),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at our terminal is not meant for it
        )
        try:
            picture, complaint = await process.communicate(spec)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return process.returncode, picture, complaint

    # ------------------------------------------------------------ what it is told
    def _spec(self, charts: Sequence[Chart]) -> Mapping[str, Any]:
        return {"panels": [self._panel(chart) for chart in charts[:_MOST_CHARTS]]}

    def _panel(self, chart: Chart) -> Mapping[str, Any]:
        since, until = chart.since, max(chart.until, chart.since + 1.0)
        lines = [(line, thinned(line.points, since, until, _BUCKETS)) for line in chart.lines[:_MOST_LINES]]
        peak = max((value for _, points in lines for _, value in points if value is not None), default=None)
        limit, beyond = self._limit(chart, peak)
        scale = value_scale(chart.unit, max(peak or 0.0, chart.limit or 0.0 if limit else 0.0), self._figures)
        return {
            "title": self._plain(chart.title, _TITLE),
            "unit": scale.unit or self._unit(chart),
            "time": self._words("pictures.time", zone=self._zone),
            "since": since,
            "until": until,
            "top": scale.top,
            "x": time_ticks(since, until, self._zone),
            "y": scale.ticks,
            "lines": [{"label": self._plain(line.label, _LABEL), "latest": self._latest(chart, line), "points": it} for line, it in lines],
            "limit": limit,
            "beyond": beyond,
            "empty": self._words("pictures.empty") if peak is None else "",
        }

    def _unit(self, chart: Chart) -> str:
        return self._words(f"pictures.unit.{chart.unit}")

    def _limit(self, chart: Chart, peak: float | None) -> tuple[Mapping[str, Any] | None, str]:
        """The line not to be crossed, or, when it is so far above that the lines would lie flat, only its name."""
        if chart.limit is None or not math.isfinite(chart.limit):
            return None, ""
        label = self._plain(chart.limit_label, _LABEL)
        if not any(letter.isdigit() for letter in label):
            label = f"{label} {written(chart.limit, chart.unit, self._figures)}".strip()
        if peak is not None and chart.limit > _FAR * max(peak, 0.0):
            return None, label
        return {"value": chart.limit, "label": label}, ""

    def _latest(self, chart: Chart, line: Line) -> str:
        """The newest value; a line that ends in a gap has none now."""
        newest = next((value for at, value in reversed(line.points) if chart.since <= at <= chart.until), None)
        return NONE if newest is None or not math.isfinite(newest) else written(newest, chart.unit, self._figures)

    def _plain(self, text: str, limit: int) -> str:
        # First harmless, then redacted: an invisible character must not split a secret in two. Cut last: half of one looks like none.
        return shortened(self._redactor.text(harmless(text, limit=_LOOK_AT, newlines=False)), limit)

    def _alt(self, charts: Sequence[Chart]) -> str:
        texts = (self._redactor.text(harmless(chart.alt or chart.title)) for chart in charts[:_MOST_CHARTS])
        return harmless("\n".join(texts), limit=LONGEST_ALT)


def _surroundings(fonts: Path) -> dict[str, str]:
    """The child's environment: no secret of ours is in it."""
    kept = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (_SOURCE, os.environ.get("PYTHONPATH"))))
    return {**kept, "PATH": os.defpath, "LC_ALL": "C.UTF-8", "MPLCONFIGDIR": str(fonts), "MPLBACKEND": "agg", "HOME": str(fonts)}
