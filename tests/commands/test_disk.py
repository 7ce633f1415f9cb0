"""``disk`` on a real deployment: all parts, parts missing, growth, and the uploads directory that is only a placeholder."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import Outcome, Tone
from bot.sandbox.deployment import Deployment
from bot.series import Series
from tests.commands.conftest import Bot, MakeBot
from tests.commands.record import DAY, record

GIB = float(1 << 30)


def kinds(data: dict[str, list[dict[str, str]]]) -> set[str]:
    """The problems told."""
    return {problem["kind"] for problem in data["problems"]}


async def test_all_parts_are_told(bot_on_sandbox: Bot, sandbox: Deployment) -> None:
    reply = await bot_on_sandbox("disk", "vera")
    data = reply.data
    assert data["file_systems"][0]["total_bytes"] > 0
    assert data["docker"]["images"] > 0
    assert {kind["kind"] for kind in data["uploads"]["kinds"]} >= {"generated", "reference"}
    assert data["documents_with_files"] > 0
    assert data["docker_root"]["engine_path"] == sandbox.env["VCC_DOCKER_DATA_DIR"]
    assert data["docker_root"]["file_system"]["percent"] > 0
    assert data["placement"]["looked_for"] > 0
    assert data["placement"]["root"] == "/app/uploads"
    assert not kinds(data) & {"uploads_placeholder", "uploads_elsewhere", "uploads_few"}
    assert "아직 기록이 없습니다" in dict(reply.fields)["증가 추세"]
    assert data["file_systems"][0]["growth"]["course"] == "unknown"


async def test_an_empty_placeholder_is_a_loud_warning(make_bot: MakeBot, whole_sandbox: None, tmp_path: Path) -> None:
    for kind in ("generated", "reference"):
        (tmp_path / "uploads" / kind).mkdir(parents=True)
        (tmp_path / "uploads" / kind / ".gitkeep").touch()
    reply = await (await make_bot(VCC_UPLOADS_DIR=str(tmp_path / "uploads")))("disk")
    assert reply.tone is Tone.BAD
    assert "uploads_placeholder" in kinds(reply.data)
    assert str(tmp_path / "uploads") in reply.text
    assert "vcc-manager_uploads_data" in reply.text
    assert reply.data["placement"]["missing"] == reply.data["placement"]["looked_for"] > 0


async def test_a_few_strangers_among_the_placeholders_do_not_hide_it(make_bot: MakeBot, whole_sandbox: None, tmp_path: Path) -> None:
    (tmp_path / "uploads" / "generated").mkdir(parents=True)
    (tmp_path / "uploads" / "generated" / "generated_1_0.png").write_bytes(b"png")
    reply = await (await make_bot(VCC_UPLOADS_DIR=str(tmp_path / "uploads")))("disk")
    assert "uploads_placeholder" in kinds(reply.data)
    assert reply.tone is Tone.BAD


async def test_another_full_directory_is_told_as_another_one(make_bot: MakeBot, whole_sandbox: None, tmp_path: Path) -> None:
    (tmp_path / "uploads" / "generated").mkdir(parents=True)
    for number in range(500):
        (tmp_path / "uploads" / "generated" / f"other_{number}.png").write_bytes(b"png")
    reply = await (await make_bot(VCC_UPLOADS_DIR=str(tmp_path / "uploads")))("disk")
    assert "uploads_elsewhere" in kinds(reply.data)


async def test_without_docker_the_file_systems_are_still_shown(make_bot: MakeBot) -> None:
    reply = await (await make_bot(DOCKER_HOST="unix:///nowhere/docker.sock"))("disk")
    assert reply.outcome is Outcome.DONE
    assert reply.data["docker"] is None
    assert reply.data["file_systems"]
    assert "docker" in reply.text


async def test_growth_is_told_with_its_basis_and_drawn(bot_on_sandbox: Bot) -> None:
    (entry, *_) = (await bot_on_sandbox("disk")).data["file_systems"]

    def used(ago: float) -> float:
        return float(entry["used_bytes"]) - ago / DAY * GIB * 50

    await record(bot_on_sandbox, {Series("disk", entry["path"], "used_bytes"): used}, 24 * 7, 3_600)
    reply = await bot_on_sandbox("disk --range 7d")
    growth = next(each for each in reply.data["file_systems"] if each["path"] == entry["path"])["growth"]
    assert (growth["course"], growth["confidence"]) == ("growing", "high")
    assert growth["per_day"] == pytest.approx(50 * GIB, rel=0.02)
    assert growth["days_until_full"] == pytest.approx(entry["free_bytes"] / (50 * GIB), rel=0.1)
    told = dict(reply.fields)["증가 추세"]
    assert "하루 +" in told
    assert "뒤 가득 참" in told
    assert "신뢰도 높음" in told
    assert reply.files[0].alt.startswith("디스크 사용량")
