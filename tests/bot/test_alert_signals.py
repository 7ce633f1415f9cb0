"""What sources say: containers by their state, each cause once, new errors, the bot's own ears, certificates, backups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.alert_signals import Reading, Readings, Signals
from bot.error_index import ErrorIndex
from bot.errors import Unreachable, VccError
from bot.ops.bundle import Ops
from bot.ops.container_values import Service
from bot.store.error_rows import FoundErrors, add
from bot.store.error_rows import Reading as Read
from bot.testing.bot import Bot, a_bot, settings_for
from bot.testing.clock import DAWN
from bot.words import Words
from tests.bot.alerted import STATE, rule

BACKEND = Service(
    name="backend", container_id="c1", container_name="vcc-backend", image="vcc", image_id="i1", state="running", health="healthy",
    exit_code=None, restarts=0, oom_killed=False, started_at=DAWN - 9_000, finished_at=None, pid=7, number=1, project="vcc",
)  # fmt: skip


def signals(
    home: Path, *services: Service, error: VccError | None = None, healthy: dict[str, bool] | None = None, **changes: Any
) -> Signals:
    settings = settings_for(home, **changes)
    ops = Ops(settings)
    ops.containers = Listing(services, error)  # type: ignore[assignment]
    return Signals(ops, Nothing(), settings, Words("en"), lambda: healthy or {})  # type: ignore[arg-type]


class Listing:
    """A Docker that lists these."""

    def __init__(self, services: Sequence[Service], error: VccError | None) -> None:
        self._services, self._error = tuple(services), error

    async def services(self) -> tuple[Service, ...]:
        if self._error is not None:
            raise self._error
        return self._services


class Nothing:
    """An index of errors that never read a log."""

    async def services(self) -> Sequence[str]:
        return ()


def bad(found: Readings) -> set[tuple[str, str]]:
    return {(signal, subject) for signal, readings in found.items() for subject, reading in readings.items() if reading.value}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"state": "exited", "exit_code": 137}, {("service.down", "backend")}),
        ({"state": "exited", "exit_code": 0}, {("service.down", "backend")}),
        ({"state": "paused"}, {("service.down", "backend")}),
        ({"state": "restarting", "exit_code": 1}, {("service.restarting", "backend")}),
        ({"restarts": 3, "started_at": DAWN - 60}, {("service.restarting", "backend")}),
        ({"restarts": 3}, set()),
        ({"health": "unhealthy"}, {("service.unhealthy", "backend")}),
        ({"health": "starting"}, set()),
        ({"oom_killed": True, "state": "exited"}, {("service.down", "backend"), ("service.oom", "backend")}),
        ({"number": 2, "state": "exited"}, {("service.down", "backend#2")}),
    ],
)
async def test_a_container_is_judged_by_its_state(tmp_path: Path, changes: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    found = await signals(tmp_path, replace(BACKEND, **changes)).docker(DAWN)
    assert bad(found) == expected
    assert found["reachable.lost"] == {"docker": Reading(0.0)}
    for signal, subject in expected:
        assert "backend" in found[signal][subject].text
        assert "verdict." not in found[signal][subject].text


async def test_a_docker_that_is_gone_is_all_that_is_known_then(tmp_path: Path) -> None:
    found = await signals(tmp_path, error=Unreachable("docker")).docker(DAWN)
    assert set(found) == {"reachable.lost"}
    assert bad(found) == {("reachable.lost", "docker")}


async def test_what_was_never_set_up_is_not_missed(tmp_path: Path) -> None:
    asked = signals(tmp_path)
    assert await asked.redis() == {}
    assert await asked.backup(DAWN) == {}
    assert (await asked.health(DAWN)) == {"health.bad": {}}
    assert bad(await asked.certificates()) == set()


async def test_ears_that_hear_nobody_are_told(tmp_path: Path) -> None:
    assert bad(await signals(tmp_path, healthy={"slack": False, "discord": True}).connectors()) == {("connector.down", "slack")}


async def test_a_directory_without_a_good_backup_is_told(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    asked = signals(tmp_path, vcc_backup_dir=tmp_path / "backups")
    soon, later = await asked.backup((tmp_path / "backups").stat().st_mtime), await asked.backup(DAWN * 2)
    assert bad(soon) == set()
    assert bad(later) == {("backup.old", "")}


async def test_a_certificate_that_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    found = await signals(tmp_path, vcc_certs=(str(tmp_path / "none.pem"),)).certificates()
    assert found == {"certificate.days": {"none.pem": Reading(None)}, "certificate.fault": {"none.pem": Reading(None)}}


async def test_a_project_without_any_container_is_told_and_offers_no_restart(tmp_path: Path) -> None:
    found = await signals(tmp_path, vcc_compose_project="vcc").docker(DAWN)
    assert bad(found) == {("service.down", "vcc (compose)")}
    assert found["service.down"]["vcc (compose)"].text.startswith("No compose services")
    assert rule(STATE).line_for("vcc (compose)") == ""


async def test_restarts_of_long_ago_are_no_news_and_those_of_the_last_hour_are(tmp_path: Path) -> None:
    asked = signals(tmp_path)

    async def restarting(count: int, at: float) -> bool:
        now = DAWN + at
        asked._ops.containers = Listing([replace(BACKEND, restarts=count, started_at=now - 60)], None)  # type: ignore[assignment]
        return bool(bad(await asked.docker(now)))

    await restarting(7, 0)
    assert not await restarting(8, 4_000), "one crash, however many there were before"
    assert not await restarting(9, 4_300)
    assert await restarting(10, 4_600)
    assert not await restarting(1, 4_700), "started by hand, and counted anew"
    assert await restarting(4, 1_000), "the clock was set back"


async def test_the_container_that_runs_counts_when_a_deployment_left_another_of_its_name(tmp_path: Path) -> None:
    left = replace(BACKEND, container_id="c0", state="exited")
    for both in ((left, BACKEND), (BACKEND, left)):
        assert bad(await signals(tmp_path, *both).docker(DAWN)) == set()


def errors_of(service: str, first: float, count: int, now: float) -> Callable[[Any], bool]:
    found = FoundErrors(f"f{service}{first}", "timeout", "MongoTimeout: no server", (), first, now, {(int(now) // 60 * 60, 60): count})
    return lambda db: add(db, Read(service, f"{service}{first}", "", "p", now, [found]))


async def test_only_errors_of_a_kind_never_seen_before_the_last_hour_count_as_new(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        now = bot.clock()
        for each in (errors_of("backend", now - 300, 12, now - 60), errors_of("backend", now - 90_000, 500, now - 60)):
            await bot.app.store.write(each)
        await bot.app.store.write(errors_of("frontend", now - 90_000, 500, now - 60))
        found = await of(bot).new_errors(now)
        assert {name: reading.value for name, reading in found["errors.new"].items()} == {"backend": 12.0, "frontend": 0.0}
        assert found["errors.new"]["backend"].text == "12× MongoTimeout: no server"


def of(bot: Bot) -> Signals:
    errors: ErrorIndex = bot.app.errors
    return Signals(bot.app.ops, errors, bot.app.settings, bot.app.words, bot.app.health)
