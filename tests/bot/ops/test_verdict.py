"""What is wrong in a look at the deployment: limits, order, and each cause told once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import OutsideError, Unreachable
from bot.figures import Figures
from bot.model import Tone
from bot.ops.bull_values import QueueStatus
from bot.ops.container_values import Service
from bot.ops.health import HealthReason, HealthResult
from bot.ops.host import FileSystem, HostStatus
from bot.ops.mongo_values import MongoPing
from bot.ops.overview import Overview
from bot.ops.redis_server import RedisInfo, info_from
from bot.ops.telling import Telling, tone
from bot.ops.verdict import Severity, disk_problems, problems
from bot.words import LANGUAGES, Words

NOW = 1_000_000.0


def service(name: str, **changed: object) -> Service:
    whole = Service(name, f"id-{name}", f"vcc-{name}", "i", "i", "running", "", None, 0, False, NOW - 9e4, None, 7, 1, "vcc")
    return replace(whole, **changed)  # type: ignore[arg-type]


def disk(percent: float = 50.0, inodes: float | None = 5.0) -> FileSystem:
    return FileSystem("/", "/dev/a", "ext4", 100, 50, 50, percent, 100, 95, inodes)


def redis(**changed: object) -> RedisInfo:
    return replace(info_from({"maxmemory_policy": "noeviction"}, 1, 0.1), **changed)  # type: ignore[arg-type]


QUEUE = QueueStatus("images", 1, 1, 0, 0, 0, 0, False, 0, NOW - 10)
HOST = HostStatus(5, 2, (0.1, 0.1, 0.1), 100, 50, 50.0, 0, 0, (disk(),), 0, 1)
WELL = Overview(
    services=tuple(service(name) for name in ("backend", "frontend", "mongodb", "redis")),
    usage=(),
    mongodb=MongoPing(1, "7.0", 1, 1, 1000, 0, "wiredTiger", None, True),
    redis=redis(),
    queues=(QUEUE,),
    host=HOST,
    health=(HealthResult("backend", "http://b/health", True, 200, 1, HealthReason.OK),),
)


def names(seen: Overview) -> list[str]:
    return [problem.name for problem in problems(seen, NOW)]


def test_nothing_is_wrong_with_a_whole_deployment() -> None:
    assert problems(WELL, NOW) == ()
    assert tone(()) is Tone.GOOD


@pytest.mark.parametrize(
    ("changed", "name", "severity"),
    [
        ({"state": "exited", "exit_code": 1}, "service_down", Severity.BAD),
        ({"state": "restarting"}, "service_down", Severity.BAD),
        ({"health": "unhealthy"}, "service_unhealthy", Severity.BAD),
        ({"health": "starting"}, "service_starting", Severity.WARN),
        ({"restarts": 3, "started_at": NOW - 60}, "service_flapping", Severity.WARN),
        ({"oom_killed": True}, "service_oom", Severity.WARN),
    ],
)
def test_a_service_that_is_not_well_is_named(changed: dict[str, object], name: str, severity: Severity) -> None:
    (found,) = problems(replace(WELL, services=(service("backend", **changed),)), NOW)
    assert (found.name, found.part, found.severity) == (name, "backend", severity)


def test_old_restarts_are_forgotten() -> None:
    assert names(replace(WELL, services=(service("backend", restarts=9, started_at=NOW - 9e4),))) == []


def test_a_stopped_service_is_not_told_again_by_what_depends_on_it() -> None:
    stopped = (service("redis", state="exited"), service("backend", state="exited"))
    down = (HealthResult("backend", "http://b/health", False, 0, 1, HealthReason.UNREACHABLE),)
    lost = Unreachable("redis")
    assert names(replace(WELL, services=stopped, redis=lost, queues=lost, health=down)) == ["service_down", "service_down"]


def test_a_server_that_does_not_answer_though_its_container_runs_is_told() -> None:
    assert names(replace(WELL, mongodb=Unreachable("mongodb"))) == ["down"]


def test_a_missing_setting_is_only_a_warning() -> None:
    (found,) = problems(replace(WELL, mongodb=OutsideError("error.not_configured", system="mongodb", setting="MONGODB_URI")), NOW)
    assert (found.name, found.severity) == ("unset", Severity.WARN)


@pytest.mark.parametrize(("percent", "severity"), [(79.9, None), (80.0, Severity.WARN), (90.0, Severity.BAD), (100.0, Severity.BAD)])
def test_disks_and_inodes_have_the_same_limits(percent: float, severity: Severity | None) -> None:
    expected = [] if severity is None else [severity]
    assert [problem.severity for problem in disk_problems(disk(percent=percent))] == expected
    assert [problem.severity for problem in disk_problems(disk(inodes=percent))] == expected


def test_no_inodes_is_no_problem() -> None:
    assert list(disk_problems(disk(inodes=None))) == []


def test_a_queue_that_is_paused_stalled_and_slow_says_all_three() -> None:
    queue = replace(QUEUE, is_paused=True, stalled=2, oldest_waiting_at=NOW - 3600)
    assert names(replace(WELL, queues=(queue,))) == ["queue_paused", "queue_stalled", "queue_slow"]


def test_redis_is_judged_by_what_would_lose_jobs() -> None:
    bad = redis(policy="allkeys-lru", policy_ok_for_bull=False, maxmemory=100, used_memory=95, last_save_ok=False, loading=True)
    assert names(replace(WELL, redis=bad)) == ["redis_memory", "redis_save", "redis_policy", "redis_loading"]


def test_the_worst_comes_first() -> None:
    seen = replace(WELL, queues=(replace(QUEUE, is_paused=True),), host=replace(HOST, file_systems=(disk(percent=95),)))
    assert names(seen) == ["disk", "queue_paused"]
    assert tone(problems(seen, NOW)) is Tone.BAD


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_is_told_with_what_to_do(language: str) -> None:
    lost = Unreachable("docker")
    seen = Overview(lost, lost, lost, lost, (replace(QUEUE, is_paused=True, stalled=1, oldest_waiting_at=1),), lost, lost)
    more = replace(
        WELL,
        services=(service("a", state="exited"), service("b", health="unhealthy"), service("c", health="starting", oom_killed=True)),
        redis=redis(policy_ok_for_bull=False, maxmemory=1, used_memory=2, last_save_ok=False, loading=True),
        host=replace(HOST, memory_percent=99, file_systems=(disk(99, 99),)),
        health=(HealthResult("x", "http://x", False, 0, 1, HealthReason.FAILED),),
    )
    telling = Telling(Words(language), Figures(language, "UTC"))
    for problem in (*problems(seen, NOW), *problems(more, NOW), *problems(replace(WELL, services=()), NOW)):
        for said in (telling.sentence(problem), telling.hint(problem)):
            assert said
            assert not said.startswith("verdict.")
            assert "{" not in said


def test_what_docker_starts_again_has_no_exit_code_and_a_dead_address_no_http_status() -> None:
    services = tuple(service(name, **({"state": "restarting"} if name == "redis" else {})) for name in ("backend", "redis"))
    lost = (HealthResult("backend", "http://b/health", False, 0, 1, HealthReason.UNREACHABLE),)
    telling = Telling(Words("ko"), Figures("ko", "UTC"))
    told = [telling.sentence(each) for each in problems(replace(WELL, services=services, health=lost), NOW)]
    assert told == ["redis 꺼짐 (restarting)", "backend 헬스체크 실패 (연결 안 됨)"]
