"""The safe restart when things go wrong: whatever happens, a queue that it closed is opened again, and it says so when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest

from bot.errors import Rejected, Unreachable
from bot.ops import safe_restart
from bot.ops.bull import BullQueues
from bot.ops.bull_values import QueueStatus
from bot.ops.container_values import Service
from bot.ops.containers import Containers
from bot.ops.safe_restart import Order, Outcome, SafeRestart

IDLE = QueueStatus("images", 4, 0, 1, 0, 0, 0, False, 0, None)
ORDER = Order(containers=[("backend", "b")], queues=["images"], wait=0.05)


class FakeContainers:
    """Containers that restart at once; ``failing`` is raised instead, ``hanging`` never comes back."""

    def __init__(self) -> None:
        self.restarted: list[str] = []
        self.stopped: list[str] = []
        self.failing: Exception | None = None
        self.hanging: asyncio.Event | None = None
        self.still_dying = 0

    async def container(self, container_id: str) -> Service:
        generation = len(self.restarted) + self.still_dying
        self.still_dying = max(0, self.still_dying - 1)
        return Service("x", container_id, "vcc-x", "i", "i", "running", "", None, 0, False, 1.0 + generation, None, generation, 1, "vcc")

    async def restart(self, container_id: str, timeout: int = 10) -> None:
        if self.hanging is not None:
            self.hanging.set()
            await asyncio.Event().wait()
        if self.failing is not None:
            raise self.failing
        self.restarted.append(container_id)

    async def stop(self, container_id: str, timeout: int = 10) -> None:
        self.stopped.append(container_id)

    async def wait_healthy(self, container_id: str, deadline: float) -> Service:
        return await self.container(container_id)


class FakeQueues:
    """Queues in memory. ``deaf`` counts how many answers to a resume are lost."""

    def __init__(self, *queues: QueueStatus) -> None:
        self.states = {queue.name: queue for queue in queues}
        self.deaf = 0
        self.resumed: list[str] = []

    async def queue(self, name: str) -> QueueStatus:
        return self.states[name]

    async def pause(self, name: str) -> int:
        self.states[name] = replace(self.states[name], is_paused=True)
        return 0

    async def resume(self, name: str) -> int:
        if self.deaf:
            self.deaf -= 1
            raise Unreachable("redis")
        self.resumed.append(name)
        self.states[name] = replace(self.states[name], is_paused=False)
        return 0


class Ground:
    """One restart with its fakes, and what it said."""

    def __init__(self, *queues: QueueStatus) -> None:
        self.containers = FakeContainers()
        self.queues = FakeQueues(*(queues or (IDLE,)))
        self.said: list[str] = []
        self.restart = SafeRestart(cast(Containers, self.containers), cast(BullQueues, self.queues), {}, self._say)

    def _say(self, step: str, values: Mapping[str, object]) -> None:
        self.said.append(step)

    async def run(self, order: Order = ORDER) -> Outcome:
        return await asyncio.wait_for(self.restart.run(order), 60)


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_restart, "POLL", 0.01)
    monkeypatch.setattr(safe_restart, "SETTLED_FOR", 0.01)
    monkeypatch.setattr(safe_restart, "OPENED_WITHIN", 0.2)


async def test_all_goes_well_step_by_step() -> None:
    ground = Ground()
    outcome = await ground.run()
    assert [step.name for step in outcome.steps] == ["pause", "drain", "restart", "healthy", "resume"]
    assert (outcome.failure, outcome.still_closed, outcome.jobs_missing) == (None, (), 0)
    assert not ground.queues.states["images"].is_paused


async def test_a_restart_that_fails_opens_the_queue_again() -> None:
    ground = Ground()
    ground.containers.failing = Rejected("docker")
    outcome = await ground.run()
    assert isinstance(outcome.failure, Rejected)
    assert not ground.queues.states["images"].is_paused


async def test_a_bug_opens_the_queue_again() -> None:
    ground = Ground()
    ground.containers.failing = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await ground.run()
    assert not ground.queues.states["images"].is_paused


async def test_a_cancelled_restart_opens_the_queue_first_and_is_cancelled_then() -> None:
    ground = Ground()
    ground.containers.hanging = asyncio.Event()
    ground.queues.deaf = 2
    task = asyncio.create_task(ground.run())
    await asyncio.wait_for(ground.containers.hanging.wait(), 60)
    assert ground.queues.states["images"].is_paused
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ground.queues.states["images"].is_paused


async def test_a_resume_whose_answer_is_lost_is_tried_again() -> None:
    ground = Ground()
    ground.queues.deaf = 3
    assert (await ground.run()).still_closed == ()
    assert ground.queues.resumed == ["images"]


async def test_a_queue_that_cannot_be_opened_is_told() -> None:
    ground = Ground()
    ground.queues.deaf = 10**6
    assert (await ground.run()).still_closed == ("images",)


async def test_jobs_that_do_not_end_keep_it_from_being_restarted() -> None:
    ground = Ground(replace(IDLE, active=2))
    outcome = await ground.run()
    assert outcome.jobs_left == 2
    assert ground.containers.restarted == []
    assert not ground.queues.states["images"].is_paused
    assert "draining" in ground.said


async def test_force_goes_on_after_the_wait() -> None:
    ground = Ground(replace(IDLE, active=2))
    outcome = await ground.run(replace(ORDER, force=True))
    assert ground.containers.restarted == ["b"]
    assert (outcome.jobs_left, outcome.jobs_missing) == (2, 0)


async def test_jobs_without_a_worker_are_not_waited_for() -> None:
    ground = Ground(replace(IDLE, active=2, stalled=2))
    outcome = await ground.run(replace(ORDER, wait=10))
    assert ground.containers.restarted == ["b"]
    assert (outcome.jobs_left, outcome.jobs_stalled) == (0, 2)


async def test_a_queue_closed_by_somebody_else_is_drained_but_never_opened() -> None:
    ground = Ground(replace(IDLE, is_paused=True, active=1))
    outcome = await ground.run(replace(ORDER, queues=[], closed_before=["images"]))
    assert outcome.jobs_left == 1
    assert ground.queues.resumed == []


async def test_jobs_that_vanish_are_counted() -> None:
    ground = Ground()
    restart = ground.containers.restart

    async def losing(container_id: str, timeout: int = 10) -> None:
        await restart(container_id, timeout)
        ground.queues.states["images"] = replace(ground.queues.states["images"], waiting=1)

    ground.containers.restart = losing  # type: ignore[method-assign]
    assert (await ground.run()).jobs_missing == 3


async def test_what_depends_on_it_must_stay_the_same_process_for_a_while() -> None:
    ground = Ground()
    ground.containers.still_dying = 4
    outcome = await ground.run(replace(ORDER, dependents=[("backend", "d")]))
    assert outcome.steps[-2].name == "follow"
    assert ground.containers.still_dying == 0


async def test_what_it_stops_may_leave_the_queue_closed() -> None:
    ground = Ground()
    outcome = await ground.run(replace(ORDER, stop=True, leave_closed=True))
    assert (ground.containers.stopped, ground.containers.restarted) == (["b"], [])
    assert ground.queues.states["images"].is_paused
    assert outcome.still_closed == ()


async def test_a_stop_that_is_given_up_opens_the_queue_all_the_same() -> None:
    ground = Ground(replace(IDLE, active=1))
    await ground.run(replace(ORDER, stop=True, leave_closed=True))
    assert ground.containers.stopped == []
    assert not ground.queues.states["images"].is_paused


async def test_without_queues_nothing_is_asked_of_redis() -> None:
    ground = Ground()
    restart = SafeRestart(cast(Containers, ground.containers), None, {}, lambda step, values: None)
    outcome = await restart.run(replace(ORDER, queues=[]))
    assert (outcome.failure, ground.containers.restarted) == (None, ["b"])


async def test_a_service_must_answer_before_it_counts_as_back() -> None:
    ground, asked = Ground(), list[int]()

    async def answer() -> None:
        asked.append(1)
        if len(asked) < 3:
            raise Unreachable("redis")

    restart = SafeRestart(
        cast(Containers, ground.containers), cast(BullQueues, ground.queues), {"backend": answer}, lambda step, values: None
    )
    outcome = await restart.run(ORDER)
    assert len(asked) == 3
    assert "answers" in [step.name for step in outcome.steps]
