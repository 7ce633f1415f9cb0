"""Pictures of answers: what the painter is told, what becomes of a painter that fails, hangs or talks, and the answer without a picture."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot import pictures as pictures_room
from bot.chart import Chart, Line, Unit
from bot.command import Group
from bot.context import Context
from bot.model import Attachment, Reply, Risk
from bot.pictures import LONGEST_ALT, Pictures
from bot.redact import Redactor
from bot.testing.bot import a_bot
from bot.testing.waiting import until
from bot.words import Words
from tests.bot.demo import SECRET

NOW = 1_769_084_220.0  # 2026-01-22 21:17 in Seoul
GIB = 1024.0**3
SIGNATURE = r"b'\x89PNG\r\n\x1a\n'"
# Painters of our own: each reads what it is told, as the real one does.
COPIES = f"open(sys.argv[1] + '/spec', 'wb').write(told); sys.stdout.buffer.write({SIGNATURE})"
TELLS = f"open(sys.argv[1] + '/env', 'w').write(json.dumps(dict(os.environ))); sys.stdout.buffer.write({SIGNATURE})"
HANGS = "open(sys.argv[1] + '/pid', 'w').write(str(os.getpid())); os.rename(sys.argv[1] + '/pid', sys.argv[1] + '/hangs'); time.sleep(60)"
TALKS = f"print('no font, but {SECRET}', file=sys.stderr); sys.stdout.buffer.write({SIGNATURE})"
DIES = f"sys.stdout.buffer.write({SIGNATURE}); sys.exit(3)"
SAYS_OTHER = "print('hello')"
TAKES_TURNS = f"""
mine = sys.argv[1] + '/turn-%d' % os.getpid(); open(mine, 'w').close()
while not os.path.exists(sys.argv[1] + '/go'): time.sleep(0.01)
os.remove(mine); sys.stdout.buffer.write({SIGNATURE})"""


def chart(*values: float | None, **more: Any) -> Chart:
    """A chart of one line that ends now, a value a minute."""
    points = tuple((NOW - 60.0 * (len(values) - 1 - number), value) for number, value in enumerate(values))
    ready: dict[str, Any] = {"unit": Unit.PERCENT, "lines": (Line("backend", points),), "alt": "CPU: backend 44%"}
    return Chart(**{"title": "CPU 사용률", "since": NOW - 3_600.0, "until": NOW, **ready, **more})


def with_painter(folder: Path, program: str, **more: Any) -> Pictures:
    """Pictures whose painter does something else with what it is told."""
    argv = (sys.executable, "-c", f"import json, os, sys, time; told = sys.stdin.buffer.read()\n{program}", str(folder))
    return Pictures(folder, "ko", "Asia/Seoul", Redactor(["known-hunter22"]), argv, **more)


async def told(folder: Path, *charts: Chart) -> list[dict[str, Any]]:
    """The panels the painter is told to draw."""
    assert await with_painter(folder, COPIES).draw("R-1", "x", *charts)
    panels: list[dict[str, Any]] = json.loads((folder / "spec").read_text(encoding="utf-8"))["panels"]
    return panels


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_charts_become_a_picture_among_the_files_of_the_request(tmp_path: Path) -> None:
    picture = await Pictures(tmp_path, "ko", "Asia/Seoul").draw(
        "R-1", "cpu 24h", chart(1, 2, None, 4), chart(unit=Unit.BYTES, title="메모리")
    )
    assert picture == Attachment(
        "cpu-24h.png", tmp_path / "files" / "R-1" / "cpu-24h.png", "image/png", "CPU: backend 44%\nCPU: backend 44%"
    )
    assert picture.is_picture
    assert picture.path.read_bytes().startswith(b"\x89PNG")
    assert picture.path.stat().st_size > 10_000
    assert list((tmp_path / "cache" / "matplotlib").glob("fontlist-*")), "the next one need not look for fonts"


async def test_the_painter_gets_words_and_figures_ready_made(tmp_path: Path) -> None:
    (panel,) = await told(tmp_path, chart(1.0, None, 43.9, unit=Unit.BYTES, limit=64.0, limit_label="한도"))
    words = Words("ko")
    assert (panel["title"], panel["unit"], panel["time"]) == ("CPU 사용률", "B", words("pictures.time", zone="Asia/Seoul"))
    assert panel["x"][0][1] == "20:30"
    assert (panel["y"][0], panel["top"]) == ([0, "0"], 80)
    assert panel["lines"] == [{"label": "backend", "latest": "44 B", "points": [[NOW - 120, 1.0], [NOW - 60, None], [NOW, 43.9]]}]
    assert (panel["limit"], panel["beyond"], panel["empty"]) == ({"value": 64.0, "label": "한도 64 B"}, "", "")


async def test_a_line_that_ends_in_a_gap_has_no_value_now(tmp_path: Path) -> None:
    (panel,) = await told(tmp_path, chart(1.0, 2.0, None))
    assert panel["lines"][0]["latest"] == "-"


@pytest.mark.parametrize("unit", [Unit.COUNT, Unit.PER_MINUTE])
async def test_an_axis_without_a_unit_is_named_in_words(tmp_path: Path, unit: Unit) -> None:
    (panel,) = await told(tmp_path, chart(3.0, unit=unit))
    assert panel["unit"] == Words("ko")(f"pictures.unit.{unit}")


async def test_no_data_is_said_in_words_and_strange_values_are_none(tmp_path: Path) -> None:
    empty, strange = await told(
        tmp_path, chart(limit=256.0, limit_label="maxmemory 256", since=NOW, until=NOW), chart(float("nan"), float("inf"))
    )
    assert empty["empty"] == strange["empty"] == Words("ko")("pictures.empty")
    assert empty["limit"] == {"value": 256.0, "label": "maxmemory 256"}
    assert empty["until"] > empty["since"]


async def test_a_limit_far_above_does_not_press_the_lines_flat(tmp_path: Path) -> None:
    (panel,) = await told(tmp_path, chart(1 * GIB, unit=Unit.BYTES, limit=64 * GIB, limit_label="한도"))
    assert (panel["limit"], panel["beyond"], panel["top"]) == (None, "한도 64.0 GiB", 1.25 * GIB)


async def test_many_points_are_thinned_before_they_are_handed_over(tmp_path: Path) -> None:
    points = tuple((NOW - 30 * number, float(number % 83)) for number in reversed(range(2_880)))
    (panel,) = await told(tmp_path, chart(lines=tuple(Line(f"line {number}", points) for number in range(12)), since=NOW - 86_400))
    assert len(panel["lines"]) == 8
    assert all(300 < len(line["points"]) < 1_500 for line in panel["lines"])
    assert max(value for _, value in panel["lines"][7]["points"]) == 82


async def test_foreign_names_are_harmless_and_without_secrets(tmp_path: Path) -> None:
    hostile = chart(1.0, title=f"a\x1b[31m\u202eb {SECRET}", alt=f"known-hunter22 {SECRET}", lines=(Line(f"q {SECRET}", ((NOW, 1.0),)),))
    (panel,) = await told(tmp_path, hostile)
    said = json.dumps(panel, ensure_ascii=False)
    assert "hunter22" not in said
    assert "\\u001b" not in said
    assert "\u202e" not in said
    picture = await with_painter(tmp_path, COPIES).draw("R-1", "../../x", hostile)
    assert picture is not None
    assert "hunter22" not in picture.alt
    assert picture.path.parent == tmp_path / "files" / "R-1"


async def test_no_invisible_sign_splits_a_secret_on_a_picture(tmp_path: Path) -> None:
    (panel,) = await told(
        tmp_path, chart(1.0, title="redis://:hun\u200bter22x@redis:6379", lines=(Line("known-hun\u00adter22", ((NOW, 1.0),)),))
    )
    assert "ter22" not in json.dumps(panel, ensure_ascii=False)


async def test_the_alternative_text_has_an_end(tmp_path: Path) -> None:
    picture = await with_painter(tmp_path, COPIES).draw("R-1", "x", *(chart(1.0, alt="가" * 400) for _ in range(5)))
    assert picture is not None
    assert len(picture.alt) <= LONGEST_ALT


async def test_a_chart_of_no_time_at_all_is_no_failure(tmp_path: Path) -> None:
    assert await with_painter(tmp_path, COPIES).draw("R-1", "x", chart(1.0, since=1e30, until=2e30)) is None


# ------------------------------------------------------------ the child
@pytest.mark.parametrize("program", [DIES, SAYS_OTHER, "raise SystemExit('broken')"])
async def test_a_painter_that_fails_fails_nothing_else(tmp_path: Path, program: str, caplog: pytest.LogCaptureFixture) -> None:
    assert await with_painter(tmp_path, program).draw("R-1", "x", chart(1.0)) is None
    assert "R-1 was not drawn" in caplog.text


async def test_a_painter_that_hangs_is_killed_and_reaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_room, "_FIRST_DEADLINE", 1.0)
    assert await with_painter(tmp_path, HANGS).draw("R-1", "x", chart(1.0)) is None
    assert gone(int((tmp_path / "hangs").read_text()))


async def test_a_request_that_is_cancelled_takes_its_painter_along(tmp_path: Path) -> None:
    drawing = asyncio.create_task(with_painter(tmp_path, HANGS).draw("R-1", "x", chart(1.0)))
    await until((tmp_path / "hangs").exists, "the painter runs")
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert gone(int((tmp_path / "hangs").read_text()))


async def test_two_are_drawn_at_once_and_no_more(tmp_path: Path) -> None:
    pictures = with_painter(tmp_path, TAKES_TURNS)
    drawing = [asyncio.create_task(pictures.draw("R-1", f"x{number}", chart(1.0))) for number in range(5)]
    seen = set[int]()

    def two_run() -> bool:
        seen.add(len(list(tmp_path.glob("turn-*"))))
        return 2 in seen

    await until(two_run, "two painters run")
    (tmp_path / "go").touch()
    while not all(task.done() for task in drawing):
        two_run()
        await asyncio.sleep(0.005)
    assert all([await task for task in drawing])
    assert max(seen) == 2


async def test_what_the_painter_says_goes_to_our_log_without_secrets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert await with_painter(tmp_path, TALKS).draw("R-1", "x", chart(1.0))
    assert "no font" in caplog.text
    assert "hunter22" not in caplog.text


async def test_the_painter_sees_no_setting_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "MONGODB_URI", "VCC_HOME", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    assert await with_painter(tmp_path, TELLS).draw("R-1", "x", chart(1.0))
    seen = json.loads((tmp_path / "env").read_text())
    assert SECRET not in seen.values()
    assert seen.keys() <= {"PATH", "HOME", "LC_ALL", "LC_CTYPE", "MPLCONFIGDIR", "MPLBACKEND", "PYTHONPATH", "TMPDIR", "LD_LIBRARY_PATH"}


async def test_without_room_for_files_there_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way", encoding="utf-8")
    assert await with_painter(tmp_path, COPIES).draw("R-1", "x", chart(1.0)) is None


def test_the_bot_itself_never_loads_what_draws() -> None:
    look = "import sys, bot.app, bot.connectors.slack, bot.connectors.discord, bot.registry; bot.registry.discover(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[2]
    )
    assert "bot.pictures" in loaded.stdout.split()
    assert not {"matplotlib", "numpy", "PIL", "bot.painter"} & set(loaded.stdout.split())


# ------------------------------------------------------------ the answer
def drawing_group(change: Callable[[Context], Awaitable[None]]) -> Group:
    group = Group("draw")

    @group.command("draw", Risk.READ, examples=("draw",))
    async def draw(ctx: Context) -> Reply:
        await change(ctx)
        return await ctx.illustrated(Reply("CPU", footer="the footer"), "cpu", chart(1.0, 2.0))

    return group


async def nothing(ctx: Context) -> None:
    return None


async def no_room(ctx: Context) -> None:
    (ctx.settings.vcc_home / "cache").write_text("in the way", encoding="utf-8")


async def test_an_answer_carries_its_picture(tmp_path: Path) -> None:
    async with a_bot(tmp_path, drawing_group(nothing)) as bot:
        reply = await bot.types("slack:ada", "draw")
        assert [(file.name, file.alt) for file in reply.files] == [("cpu.png", "CPU: backend 44%")]
        assert reply.footer == "the footer"


async def test_an_answer_whose_picture_cannot_be_drawn_says_so_in_a_line(tmp_path: Path) -> None:
    async with a_bot(tmp_path, drawing_group(no_room)) as bot:
        reply = await bot.types("slack:ada", "draw")
        assert (reply.title, reply.files) == ("CPU", ())
        assert reply.footer == f"the footer\n{Words('en')('pictures.failed')}"
