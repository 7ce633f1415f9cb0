"""What follows from something that is told already: not known, and no alert of its own."""

from __future__ import annotations

from bot.alert_causes import without_consequences, without_what_is_worked_on
from bot.alert_signals import Reading
from tests.bot.test_alert_signals import bad

WELL, ILL = Reading(0.0), Reading(1.0)


def test_each_cause_is_told_once() -> None:
    well, ill = Reading(0.0), Reading(1.0)
    found = without_consequences(
        {
            "service.down": {"backend": ill, "redis#2": ill, "frontend": well},
            "health.bad": {"backend": ill, "frontend": ill, "frontend → backend": ill},
            "reachable.lost": {"redis": ill, "mongodb": ill},
        }
    )
    assert bad(found) == {
        ("service.down", "backend"),
        ("service.down", "redis#2"),
        ("health.bad", "frontend"),
        ("reachable.lost", "mongodb"),
    }
    assert found["health.bad"]["backend"].value is None


def test_what_was_not_asked_is_not_made_up() -> None:
    assert set(without_consequences({"service.down": {"backend": Reading(1.0)}})) == {"service.down"}


def test_a_backend_that_hangs_is_one_alert() -> None:
    found = without_consequences(
        {
            "service.unhealthy": {"backend": ILL, "backend#2": ILL, "mongodb": ILL, "frontend": ILL},
            "health.bad": {"backend": ILL, "frontend": WELL, "frontend → backend": ILL},
            "reachable.lost": {"mongodb": ILL, "docker": WELL},
        }
    )
    assert bad(found) == {("health.bad", "backend"), ("service.unhealthy", "frontend"), ("reachable.lost", "mongodb")}


def test_with_no_container_left_that_is_all_there_is_to_tell() -> None:
    found = without_consequences(
        {
            "service.down": {"vcc (compose)": ILL},
            "health.bad": {"backend": ILL, "frontend → backend": ILL},
            "reachable.lost": {"mongodb": ILL, "redis": ILL, "docker": WELL},
        }
    )
    assert bad(found) == {("service.down", "vcc (compose)")}
    assert found["reachable.lost"]["docker"].value == 0.0


def test_what_only_docker_can_tell_is_not_gone_while_docker_is() -> None:
    found = without_consequences({"reachable.lost": {"docker": ILL}, "health.bad": {"backend": WELL}})
    assert found["health.bad"] == {"mcp-server": Reading(None), "backend": WELL}


def test_what_a_command_works_on_is_not_known_and_all_else_is() -> None:
    told = {
        "service.down": {"backend": ILL, "backend#2": ILL, "redis": ILL},
        "health.bad": {"frontend → backend": ILL, "frontend": ILL},
        "reachable.lost": {"mongodb": ILL},
        "queue.oldest_waiting_s": {"image generation": Reading(4_000.0)},
        "service.oom": {"backend": ILL},
    }
    found = without_what_is_worked_on(told, {"service:backend", "service:mongodb", "queue", "backup"})
    assert bad(found) == {("service.down", "redis"), ("health.bad", "frontend"), ("service.oom", "backend")}
    assert without_what_is_worked_on(told, ()) == told
