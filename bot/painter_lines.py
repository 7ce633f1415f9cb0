"""How the lines of a chart look: colours, dashes and marks, and where the name of the limit stands. Drawn onto given axes, no words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

# An opaque card of its own, so that it reads the same wherever it is shown.
CARD, LIMIT = "#ffffff", "#b3261e"
# Colours that stay apart for the colour-blind; marks and dashes tell them apart without any colour.
COLOURS = ("#0067b0", "#c95000", "#00755c", "#a03a7b", "#1c2128", "#8f6200", "#2a84b8", "#7a3e1d")
MARKS = (("o", 1.0), ("s", 1.0), ("^", 1.2), ("D", 1.0), ("v", 1.2), ("P", 1.4), ("X", 1.4), ("*", 1.7))
DASHES: tuple[Any, ...] = (*("-",) * 4, *((0, dash) for dash in ((5, 1.2), (2.5, 1.2), (5, 1.2, 1.2, 1.2), (1.2, 1.2))))
_MARKS_ON_LINE = 6
_NEAR_THE_END = 0.05
# The places for the name of the limit, the better ones first: part of the width, how it is aligned there, above the line or below.
_PLACES = tuple((x, side, above) for above in (True, False) for x, side in ((0.0, "left"), (1.0, "right"), (0.5, "center")))
_NAME_WIDE, _NAME_HIGH, _CLOSE_TO_TOP = 0.34, 0.13, 0.88

Points = Sequence[tuple[float, float | None]]
Known = Sequence[tuple[float, float]]


def looks_of(number: int) -> dict[str, Any]:
    """Colour and dashes of a line; -1 is the limit."""
    if number < 0:
        return {"color": LIMIT, "linestyle": (0, (4, 2))}
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}


def mark_of(number: int, size: float) -> dict[str, Any]:
    """The marks of a line, without the line."""
    colour = COLOURS[number % len(COLOURS)]
    mark, larger = MARKS[number % len(MARKS)]
    edge = {"markeredgecolor": CARD, "markeredgewidth": 1.2}
    return {"marker": mark, "markersize": size * larger, "color": colour, "linestyle": "none", **edge}


def draw_line(axes: Axes, panel: Mapping[str, Any], number: int, points: Points) -> None:
    """A line with marks along it; a value between two gaps, which no line can show, is a dot."""
    values = [math.nan if value is None else max(value, 0.0) for _, value in points]
    axes.plot([at for at, _ in points], values, linewidth=2.6, clip_on=False, solid_joinstyle="round", zorder=3, **looks_of(number))
    _dots(axes, list(_single(points)), {**mark_of(number, 7.0), "marker": "o"})
    known = [(at, value) for at, value in points if value is not None]
    _dots(axes, list(_marked(known, number, panel["since"], panel["until"])), mark_of(number, 9.5))


def _dots(axes: Axes, points: Known, looks: Mapping[str, Any]) -> None:
    axes.plot([at for at, _ in points], [value for _, value in points], zorder=5, clip_on=False, **looks)


def _single(points: Points) -> Iterator[tuple[float, float]]:
    values = [None, *(value for _, value in points), None]
    for number, (at, value) in enumerate(points):
        if value is not None and values[number] is None and values[number + 2] is None:
            yield at, value


def _marked(known: Known, number: int, since: float, until: float) -> Iterator[tuple[float, float]]:
    """The points nearest to a few moments, other moments for other lines, and the newest: where lines lie on each other both show."""
    if not known:
        return
    part = (until - since) / _MARKS_ON_LINE
    for step in range(_MARKS_ON_LINE):
        wanted = since + part * (step + (0.2 + 0.37 * number) % 1)
        nearest = min(known, key=lambda point: abs(point[0] - wanted))
        if abs(nearest[0] - wanted) < part / 2 and known[-1][0] - nearest[0] > _NEAR_THE_END * (until - since):
            yield nearest
    yield known[-1]


def draw_limit(axes: Axes, panel: Mapping[str, Any], label: str, size: float) -> None:
    """The line not to be crossed, with its name where the fewest points are in the way."""
    at = panel["limit"]["value"]
    axes.axhline(at, **looks_of(-1), linewidth=2.4, zorder=4)
    x, side, above = min(_PLACES, key=lambda place: _in_the_way(panel, *place))
    text = axes.annotate(
        label,
        (x, at),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        xytext=({"left": 6, "right": -6, "center": 0}[side], 4 if above else -5),
        ha=side,
        va="bottom" if above else "top",
        color=LIMIT,
        fontsize=size,
        fontweight="bold",
        zorder=6,
        parse_math=False,
    )
    text.set_path_effects([withStroke(linewidth=4, foreground=CARD)])


def _in_the_way(panel: Mapping[str, Any], x: float, side: str, above: bool) -> float:
    """How many points a name here would cover; to stand on the caption of the axis is worse than all of them."""
    at, top, span = float(panel["limit"]["value"]), float(panel["top"]), float(panel["until"] - panel["since"])
    if above and side == "left" and at > _CLOSE_TO_TOP * top:
        return math.inf
    left = float(panel["since"]) + span * (x - {"left": 0.0, "center": 0.5, "right": 1.0}[side] * _NAME_WIDE)
    low = at if above else at - _NAME_HIGH * top
    points: Iterator[tuple[float, float | None]] = itertools.chain.from_iterable(line["points"] for line in panel["lines"])
    box = _NAME_WIDE * span, _NAME_HIGH * top
    return sum(value is not None and 0 <= moment - left <= box[0] and 0 <= value - low <= box[1] for moment, value in points)
