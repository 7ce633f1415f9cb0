"""Draws charts: a child process that reads one JSON object and writes one PNG. The only room of matplotlib; the bot never imports it.

Everything it says was put into words before: it knows no language, no unit and no time zone, and decides only where things stand.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
import signal
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from bot.painter_lines import CARD, draw_limit, draw_line, looks_of, mark_of

DEADLINE = 30  # longer than whoever started us waits; it ends us when that one is gone
# Its edge shows on a light and on a dark page.
EDGE, GRID = "#c3c9d1", "#e3e7ec"
TEXT, FAINT = "#1c2128", "#525b66"

WIDTH, DPI = 1600, 200
_EDGE, _LEFT, _RIGHT = 40, 150, 92
_BIG, _USUAL, _SMALL = 19.0, 16.0, 14.0
_TITLE, _ROW, _CAPTION, _BELOW = 92, 62, 76, 136
_PLOT, _PLOT_STACKED = 520, 420
_SAMPLE, _GAP = 74, 48
_MARKS_ON_LINE = 6
_SANS = ("NanumGothic", "Noto Sans CJK KR", "Noto Sans KR", "UnDotum", "Baekmuk Dotum")
_LAST_RESORT = "DejaVu Sans"  # comes with matplotlib itself
_BUNDLE = "koreanize_matplotlib"
_FACES = ("NanumGothic.ttf", "NanumGothicBold.ttf")


class Lettering:
    """The fonts there are, and texts of which every letter can be drawn."""

    def __init__(self) -> None:
        manager = font_manager.fontManager
        for path in _bundled():
            manager.addfont(str(path))
        there = {entry.name for entry in manager.ttflist}
        self.families = [*[name for name in _SANS if name in there][:1], _LAST_RESORT]
        mpl.rcParams["font.family"] = self.families
        self._letters = set[int]().union(*(_letters_of(family) for family in self.families))

    def drawable(self, text: str) -> str:
        """``text`` with a question mark for every letter that no font of ours has; never an empty box."""
        composed = unicodedata.normalize("NFC", text)
        return "".join(letter if ord(letter) in self._letters else "?" for letter in composed)


def _bundled() -> list[Path]:
    """Faces of the font package, which is only looked into: to import it would change settings, and needs what Python dropped."""
    found = importlib.util.find_spec(_BUNDLE)
    folders = [Path(place) / "fonts" for place in (found.submodule_search_locations or ())] if found else []
    return [path for folder in folders for path in (folder / face for face in _FACES) if path.is_file()]


def _letters_of(family: str) -> set[int]:
    path = font_manager.findfont(font_manager.FontProperties(family=[family]), fallback_to_default=True)
    return set(font_manager.get_font(path).get_charmap())


def draw(spec: Mapping[str, Any], out: BinaryIO) -> None:
    """Draw all panels of ``spec``, one below the other."""
    sheet = _Sheet(Lettering(), spec["panels"])
    sheet.draw()
    # Without the name of the program and its version in it, the same figures make the same file.
    sheet.figure.savefig(out, format="png", dpi=DPI, facecolor=CARD, metadata={"Software": None})


@dataclass(frozen=True, slots=True)
class _Entry:
    """One part of a legend: ``number`` of its line, or -1 for the limit."""

    number: int
    label: str
    value: str


class _Sheet:
    """A figure in pixels, filled from the top."""

    def __init__(self, lettering: Lettering, panels: Sequence[Mapping[str, Any]]) -> None:
        self._say = functools.cache(lettering.drawable)
        self._panels = panels
        self._plot = _PLOT if len(panels) == 1 else _PLOT_STACKED
        self.figure = Figure(figsize=(WIDTH / DPI, 1), dpi=DPI)
        FigureCanvasAgg(self.figure)
        self._rows = [list(self._legend_rows(panel)) for panel in panels]
        heights = [_TITLE + _ROW * len(rows) + _CAPTION + self._plot + _BELOW for rows in self._rows]
        self._height = sum(heights) + _EDGE
        self.figure.set_size_inches(WIDTH / DPI, self._height / DPI)
        self._tops = [sum(heights[:number]) + _EDGE // 2 for number in range(len(panels))]

    def draw(self) -> None:
        """Everything."""
        for panel, rows, top in zip(self._panels, self._rows, self._tops, strict=True):
            self._title(panel["title"], top)
            self._legend(rows, top + _TITLE)
            top += _TITLE + _ROW * len(rows)
            self._captions(panel, top)
            self._chart(panel, top + _CAPTION)
        frame = Rectangle((1, 1), WIDTH - 2, self._height - 2, fill=False, edgecolor=EDGE, linewidth=1.2, transform=None)
        self.figure.add_artist(frame)

    # ------------------------------------------------------------ text
    def _text(self, x: float, top: float, text: str, size: float, **looks: Any) -> Any:
        """Text whose upper edge is ``top`` pixels below the upper edge of the sheet."""
        looks = {"color": TEXT, "ha": "left", "va": "top", **looks}
        return self.figure.text(x / WIDTH, 1 - top / self._height, self._say(text), fontsize=size, parse_math=False, **looks)

    def _width(self, text: str, size: float, weight: str = "normal") -> float:
        drawn = self.figure.text(0, 0, self._say(text), fontsize=size, fontweight=weight, parse_math=False)
        width = float(drawn.get_window_extent().width)
        drawn.remove()
        return width

    def _cut(self, text: str, size: float, room: float, weight: str = "normal") -> str:
        """As much of ``text`` as there is room for."""
        whole = text
        while len(text) > 1 and self._width(text, size, weight) > room:
            text = whole[: len(text.removesuffix("…")) - 1] + "…"
        return text

    def _title(self, title: str, top: float) -> None:
        room = WIDTH - 2 * _EDGE
        self._text(_EDGE, top + 18, self._cut(title, _BIG, room, "bold"), _BIG, fontweight="bold")

    def _captions(self, panel: Mapping[str, Any], top: float) -> None:
        self._text(_EDGE, top + 6, panel["unit"], _SMALL, color=FAINT)
        below = top + _CAPTION + self._plot + 80
        self._text(WIDTH - _RIGHT, below, panel["time"], _SMALL, color=FAINT, ha="right")

    # ------------------------------------------------------------ legend
    def _legend_rows(self, panel: Mapping[str, Any]) -> Iterator[list[tuple[_Entry, float]]]:
        """The entries with where they begin, as many in a row as there is room for."""
        row: list[tuple[_Entry, float]] = []
        x = float(_EDGE)
        for entry in _entries(panel):
            wide = _SAMPLE + self._entry_width(entry)
            if row and x + wide > WIDTH - _EDGE:
                yield row
                row, x = [], float(_EDGE)
            row.append((entry, x))
            x += wide + _GAP
        if row:
            yield row

    def _entry_width(self, entry: _Entry) -> float:
        return self._width(entry.label, _USUAL) + 18 + self._width(entry.value, _USUAL, "bold")

    def _legend(self, rows: Sequence[Sequence[tuple[_Entry, float]]], top: float) -> None:
        for number, row in enumerate(rows):
            for entry, x in row:
                y = top + number * _ROW
                looks = looks_of(entry.number)
                xs, ys = (x, x + _SAMPLE - 16), (self._height - y - 27,) * 2
                self.figure.add_artist(Line2D(xs, ys, transform=None, linewidth=3.2, **looks))
                if entry.number >= 0:
                    mark = Line2D((sum(xs) / 2,), ys[:1], transform=None, **mark_of(entry.number, 9.0))
                    self.figure.add_artist(mark)
                self._text(x + _SAMPLE, y, entry.label, _USUAL)
                shift = _SAMPLE + self._width(entry.label, _USUAL) + 18
                self._text(x + shift, y, entry.value, _USUAL, fontweight="bold")

    # ------------------------------------------------------------ chart
    def _chart(self, panel: Mapping[str, Any], top: float) -> None:
        wide, high = WIDTH - _LEFT - _RIGHT, self._plot
        box = (_LEFT / WIDTH, 1 - (top + high) / self._height, wide / WIDTH, high / self._height)
        axes = self.figure.add_axes(box, facecolor=CARD)
        axes.set_xlim(panel["since"], panel["until"])
        axes.set_ylim(0, panel["top"])
        self._grid(axes, panel)
        for number, line in enumerate(panel["lines"]):
            draw_line(axes, panel, number, line["points"])
        if panel["limit"] is not None:
            draw_limit(axes, panel, self._say(panel["limit"]["label"]), _SMALL)
        if panel["empty"]:
            empty: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center", "fontsize": _BIG, "color": FAINT}
            axes.text(0.5, 0.5, self._say(panel["empty"]), parse_math=False, **empty)

    def _grid(self, axes: Axes, panel: Mapping[str, Any]) -> None:
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set(color=FAINT, linewidth=1.4)
        axes.grid(visible=True, color=GRID, linewidth=1.2)
        axes.set_axisbelow(True)
        for axis, ticks in ((axes.xaxis, panel["x"]), (axes.yaxis, panel["y"])):
            axis.set_ticks([at for at, _ in ticks], [self._say(label) for _, label in ticks], parse_math=False)
            axis.set_tick_params(length=0, pad=8, labelsize=_USUAL, labelcolor=TEXT)


def _entries(panel: Mapping[str, Any]) -> Iterator[_Entry]:
    for number, line in enumerate(panel["lines"]):
        yield _Entry(number, line["label"], line["latest"])
    if panel["beyond"]:
        yield _Entry(-1, panel["beyond"], "↑")


def main() -> None:
    """From standard input to standard output; gone after its deadline, whatever became of who started it."""
    signal.alarm(DEADLINE)
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # the two fonts need not have the same weights
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s")
    draw(json.load(sys.stdin.buffer), sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
