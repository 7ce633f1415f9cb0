"""The painter: an opaque card with contrast enough, letters and no boxes, gaps that are gaps, peaks that are seen."""

from __future__ import annotations

import io
import itertools
import json
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image, ImageColor

from bot import painter, painter_lines
from bot.painter import EDGE, FAINT, TEXT, WIDTH, Lettering
from bot.painter_lines import CARD, COLOURS, DASHES, LIMIT, MARKS
from bot.words import LANGUAGES, catalogue

ROOT = Path(__file__).parents[2]
PLOT_LEFT, PLOT_RIGHT = 150, WIDTH - 92


def panel(*lines: Sequence[tuple[float, float | None]], **more: Any) -> dict[str, Any]:
    """A chart of a hundred seconds and a hundred percent."""
    drawn = [{"label": f"선 {number}", "latest": "1%", "points": points} for number, points in enumerate(lines)]
    ticks = [[at, str(at)] for at in (0, 50, 100)]
    ready = {"title": "제목", "unit": "%", "time": "시각(Asia/Seoul)", "since": 0, "until": 100, "top": 100, "x": ticks, "y": ticks}
    return {**ready, "lines": drawn, "limit": None, "beyond": "", "empty": "", **more}


def drawn(*panels: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The pixels of a picture; a letter that no font has would be a warning, and fail."""
    out = io.BytesIO()
    painter.draw({"panels": panels}, out)
    image = Image.open(out)
    assert image.format == "PNG"
    return np.asarray(image.convert("RGBA")).astype(int)


def columns_of(pixels: np.ndarray[Any, Any], colour: str, top: float = 0.0, bottom: float = 1.0) -> set[int]:
    """The columns that have this colour somewhere between two heights (parts of the picture from above)."""
    high = pixels.shape[0]
    part = pixels[int(high * top) : int(high * bottom), :, :3]
    return set(np.nonzero((abs(part - ImageColor.getrgb(colour)) < 12).all(axis=2).any(axis=0))[0].tolist())


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""

    def luminance(colour: str) -> float:
        shares = [part / 255 for part in ImageColor.getrgb(colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_colour_has_contrast_enough_on_the_card() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert min(contrast(text, CARD) for text in (TEXT, FAINT, LIMIT)) >= 4.5
    assert min(contrast(colour, CARD) for colour in COLOURS) >= 3.0
    assert min(contrast(EDGE, page) for page in ("#1a1d21", "#313338")) >= 3.0, "the card has an edge on dark pages"


def test_lines_are_told_apart_without_colour() -> None:
    assert len(set(COLOURS)) == len({mark for mark, _ in MARKS}) == len(DASHES) == 8


def test_the_card_is_opaque_and_as_wide_as_promised() -> None:
    pixels = drawn(panel([(0, 10.0), (100, 20.0)]))
    assert pixels.shape[1] == WIDTH
    assert (pixels[:, :, 3] == 255).all()
    assert tuple(pixels[10, 10, :3]) == ImageColor.getrgb(CARD)


def test_a_gap_is_a_gap() -> None:
    lone = [(0.0, 50.0), (40.0, 50.0), (41.0, None), (50.0, 50.0), (51.0, None), (60.0, 50.0), (100.0, 50.0)]
    columns = columns_of(drawn(panel(lone)), COLOURS[0], top=0.35)
    wide = PLOT_RIGHT - PLOT_LEFT
    shown = {round((column - PLOT_LEFT) / wide * 100) for column in columns}
    assert {20, 39, 61, 80} <= shown
    assert not shown & {43, 44, 45, 46, 54, 55, 56, 57}, "neither bridged nor at nought"
    assert 50 in shown, "a value between two gaps is a dot"


def test_one_peak_in_a_year_is_seen() -> None:
    flat = [(at / 10, 5.0) for at in range(1000)]
    with_peak = sorted([*flat, (50.05, 99.0)])
    high = {"top": 0.3, "bottom": 0.5}
    assert not columns_of(drawn(panel(flat)), COLOURS[0], **high)
    assert len(columns_of(drawn(panel(with_peak)), COLOURS[0], **high)) >= 4


def test_lines_that_lie_on_each_other_both_show() -> None:
    same = [(float(at), 50.0) for at in range(101)]
    pixels = drawn(panel(same, same))
    assert len(columns_of(pixels, COLOURS[0], top=0.4)) > 50
    assert len(columns_of(pixels, COLOURS[1], top=0.4)) > 500


def test_a_limit_is_a_line_with_its_name_and_one_far_away_only_a_name() -> None:
    near = drawn(panel([(0, 10.0), (100, 20.0)], limit={"value": 80, "label": "한도 80%"}))
    assert len(columns_of(near, LIMIT, top=0.25)) > 800
    far = drawn(panel([(0, 10.0), (100, 20.0)], beyond="한도 900%"))
    assert 10 < len(columns_of(far, LIMIT)) < 100


def test_charts_stand_below_each_other_and_an_empty_one_says_so() -> None:
    one = drawn(panel([(0, 10.0), (100, 20.0)]))
    empty = panel([], empty="아직 데이터가 없습니다")
    three = drawn(panel([(0, 10.0), (100, 20.0)]), empty, panel([(0, 10.0), (100, 20.0)]))
    assert 2 * one.shape[0] < three.shape[0] < 3 * one.shape[0]
    silent = drawn(panel([]))
    assert (drawn(empty) != silent).sum() > 5_000


def test_titles_and_names_of_any_length_stay_inside() -> None:
    lines = [[(0.0, 1.0), (100.0, 2.0)]] * 8
    long = panel(*lines, title="아주 긴 제목 " * 30, x=[[0, "12:00"], [100, "18:00"]])
    for line in long["lines"]:
        line["label"] = "이름이 아주 긴 서비스 image-gen"
    pixels = drawn(long)
    assert (pixels[6:-6, WIDTH - 20 : WIDTH - 6, :3] == 255).all()


def test_the_same_figures_make_the_same_file() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    painter.draw({"panels": [panel([(0, 10.0), (100, 20.0)])]}, first)
    painter.draw({"panels": [panel([(0, 10.0), (100, 20.0)])]}, second)
    assert first.getvalue() == second.getvalue()


# ------------------------------------------------------------ letters
def test_the_bundled_font_has_every_letter_of_ours_and_every_korean_syllable() -> None:
    lettering = Lettering()
    assert lettering.families[0] == "NanumGothic"
    for path in painter._bundled():
        letters = set(font_manager.get_font(path).get_charmap())
        assert set(range(0xAC00, 0xD7A4)) <= letters
    ours = "".join(itertools.chain.from_iterable(catalogue(language).values() for language in LANGUAGES))
    said = "".join(sorted({letter for letter in ours if letter.isprintable()}))
    assert lettering.drawable(said) == said
    assert len(painter._bundled()) == 2


def test_a_letter_that_no_font_has_is_a_question_mark() -> None:
    assert Lettering().drawable("가\U0001f600\U00012000b") in ("가??b", "가\U0001f600?b")
    assert Lettering().drawable("\ue123\ud800") == "??"


def test_korean_typed_as_single_letters_is_put_together() -> None:
    assert Lettering().drawable(unicodedata.normalize("NFD", "큐 대기 건수")) == "큐 대기 건수"


def test_different_syllables_look_different() -> None:
    assert (drawn(panel([(0, 1.0)], title="똠")) != drawn(panel([(0, 1.0)], title="힣"))).any()


def test_without_any_korean_font_there_are_question_marks_and_no_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = font_manager.fontManager
    monkeypatch.setattr(painter, "_bundled", list)
    monkeypatch.setattr(manager, "ttflist", [entry for entry in manager.ttflist if entry.name == "DejaVu Sans"])
    assert Lettering().drawable("큐 queue") == "? queue"
    assert drawn(panel([(0, 1.0), (100, 2.0)])).shape[1] == WIDTH


# ------------------------------------------------------------ the program
def test_the_program_draws_from_its_input_to_its_output(tmp_path: Path) -> None:
    spec = json.dumps({"panels": [panel([(0, 10.0), (100, None)])]}).encode()
    done = subprocess.run([sys.executable, "-m", "bot.painter"], input=spec, capture_output=True, timeout=60, check=True, cwd=ROOT)
    assert Image.open(io.BytesIO(done.stdout)).size[0] == WIDTH
    assert done.stderr == b""


def test_the_program_ends_by_itself_when_whoever_started_it_does_not_let_go() -> None:
    hurried = "from bot import painter; painter.DEADLINE = 1; painter.main()"
    child = subprocess.Popen([sys.executable, "-c", hurried], stdin=subprocess.PIPE, cwd=ROOT)
    try:
        assert child.wait(30) == -signal.SIGALRM
    finally:
        child.kill()
        child.communicate()


def test_no_marks_stand_on_a_line_without_values() -> None:
    assert list(painter_lines._marked([], 0, 0, 1)) == []
