"""Restarting with jobs in flight, asked by one person and approved by another: nothing lost, nothing done twice, all well after."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.connectors import plain
from bot.model import Outcome, Reply
from tests.approving import approved_by
from tests.grounds.conftest import Ask
from tests.grounds.ground import SERVICES, Ground
from tests.grounds.jobs import Jobs

QUEUE = "image generation"


def processes(ground: Ground) -> dict[str, tuple[str, int, str]]:
    """Which container, which process and since when, for each service."""
    return {name: (ground.container_id(name), ground.pid(name), ground.started_at(name)) for name in SERVICES}


def anew(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The services that are another process now; none may be another container."""
    assert {name: entry[0] for name, entry in before.items()} == {name: entry[0] for name, entry in after.items()}
    return {name for name in before if before[name][1] != after[name][1] and before[name][2] < after[name][2]}


def were_in_flight(reply: Reply) -> bool:
    """Whether jobs were being worked on when the queue was closed, and others waited behind them."""
    drained = [step["seconds"] for step in reply.data["steps"] if step["name"] == "drain"]
    return bool(drained[0] > 0.5 and reply.data["jobs"]["before"] >= 1)


async def test_a_restart_asked_for_does_nothing_before_it_is_approved(ground: Ground, ask: Ask, jobs: Jobs) -> None:
    before = processes(ground)
    asked = await ask("restart backend", "olga")
    assert asked.outcome is Outcome.PENDING
    assert "backend" in plain.text(asked)
    assert processes(ground) == before
    assert jobs.counts()["isPaused"] is False
    assert (await ask(f"deny {asked.ticket}", "ada")).outcome is Outcome.DONE
    assert (await ask(f"approve {asked.ticket}", "ada")).outcome is Outcome.REFUSED
    assert processes(ground) == before


@pytest.mark.parametrize(
    ("line", "restarted"),
    [
        ("restart backend", {"backend"}),
        ("restart redis", {"redis", "backend"}),  # the backend dies of a lost Redis, and its policy starts it again
        ("restart mongodb", {"mongodb"}),
    ],
)
async def test_a_restart_with_jobs_in_flight_loses_none_and_does_none_twice(
    ground: Ground, ask: Ask, jobs: Jobs, line: str, restarted: set[str]
) -> None:
    before = processes(ground)
    made = jobs.make(12, 1500)
    jobs.wait_active()
    reply = await approved_by(ask, line)
    assert reply.outcome is Outcome.DONE, plain.text(reply)
    assert were_in_flight(reply)
    assert restarted <= anew(before, processes(ground))
    assert ground.well()
    assert jobs.counts()["isPaused"] is False
    jobs.check_once(made)
    assert [secret for secret in ground.secrets if secret in plain.text(reply)] == []


async def test_restart_all_brings_everything_back_and_loses_no_job(ground: Ground, ask: Ask, jobs: Jobs) -> None:
    before = processes(ground)
    made = jobs.make(12, 1500)
    jobs.wait_active()
    reply = await approved_by(ask, "restart all")
    assert reply.outcome is Outcome.DONE, plain.text(reply)
    assert were_in_flight(reply)
    assert anew(before, processes(ground)) == set(SERVICES)
    assert ground.well()
    assert jobs.counts()["isPaused"] is False
    jobs.check_once(made)


async def test_a_queue_that_was_closed_before_stays_closed(ground: Ground, ask: Ask, still: Jobs) -> None:
    made = still.make(2)
    reply = await approved_by(ask, "restart backend")
    assert reply.outcome is Outcome.DONE, plain.text(reply)
    assert still.counts()["isPaused"] is True
    assert set(still.bull.run("states", ids=made.ids).values()) == {"paused"}
    still.bull.run("resume")
    still.check_once(made)


async def test_a_job_that_does_not_end_is_not_cut_off_and_the_queue_is_opened_again(ground: Ground, ask: Ask, still: Jobs) -> None:
    before = processes(ground)
    with still.endless() as held:
        still.bull.run("resume")
        reply = await approved_by(ask, "restart backend --wait 10s")
        assert reply.outcome is Outcome.FAILED, plain.text(reply)
        assert still.bull.state(held) == "active"
    assert processes(ground) == before
    assert still.counts()["isPaused"] is False


async def test_a_restart_overtaken_by_events_is_asked_for_again(ground: Ground, ask: Ask) -> None:
    asked = await ask("restart frontend", "olga")
    await asyncio.to_thread(ground.container("frontend").restart, timeout=5)
    meanwhile = processes(ground)
    again = await ask(f"approve {asked.ticket}", "ada")
    assert again.outcome is Outcome.PENDING, plain.text(again)
    assert again.ticket != asked.ticket
    assert processes(ground) == meanwhile
