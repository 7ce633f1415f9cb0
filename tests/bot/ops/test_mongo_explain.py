"""A real server's plans, and the forms that other versions give them, come to the same few facts."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bot.ops.mongo_explain import Query, UsedIndex, explained
from tests.bot.ops.test_mongo import adapter
from tests.servers import RealMongod


@pytest.fixture
def jobs(real_mongod: RealMongod) -> RealMongod:
    """Two hundred jobs, half of them failed, with an index on status and number."""
    with real_mongod.client() as client:
        jobs = client[real_mongod.database].jobs
        jobs.insert_many([{"_id": number, "status": "failed" if number % 2 else "done", "n": number} for number in range(200)])
        jobs.create_index([("status", 1), ("n", -1)])
    return real_mongod


async def test_a_query_with_an_index_reads_what_it_returns(jobs: RealMongod) -> None:
    async with adapter(jobs.uri) as mongo:
        plan = await mongo.planner.explain(Query("jobs", {"status": "failed"}, (("n", -1),), 30), 5)
    assert plan.indexes == (UsedIndex("status_1_n_-1", (("status", 1), ("n", -1))),)
    assert (plan.scans, plan.by_id, plan.sorts, plan.ended, plan.spilled) == (False, False, False, True, False)
    assert (plan.examined, plan.keys_examined, plan.returned, plan.examined_per_returned) == (30, 30, 30, 1)


async def test_a_query_without_an_index_reads_everything_and_may_sort_in_memory(jobs: RealMongod) -> None:
    async with adapter(jobs.uri) as mongo:
        plan = await mongo.planner.explain(Query("jobs", {"n": {"$lt": 20}}, (("other", 1),)), 5)
        nothing = await mongo.planner.explain(Query("jobs", {"n": -1}), 5)
        either = await mongo.planner.explain(Query("jobs", {"$or": [{"status": "x"}, {"n": 3}]}), 5)
    assert (plan.scans, plan.sorts, plan.indexes, plan.examined, plan.returned) == (True, True, (), 200, 20)
    assert plan.examined_per_returned == 10
    assert (nothing.scans, nothing.returned, nothing.examined_per_returned) == (True, 0, None)
    assert either.scans


async def test_a_document_by_its_id_needs_no_scan(jobs: RealMongod) -> None:
    async with adapter(jobs.uri) as mongo:
        plan = await mongo.planner.explain(Query("jobs", {"_id": 7}), 5)
    assert (plan.by_id, plan.scans, plan.returned) == (True, False, 1)


async def test_a_query_that_takes_too_long_is_stopped_and_its_plan_told_without_figures(jobs: RealMongod) -> None:
    began = time.monotonic()
    async with adapter(jobs.uri) as mongo:
        plan = await mongo.planner.explain(Query("jobs", {"$where": "sleep(50)||true"}), 0.3)
        running = await mongo.profiler.running(0)
    assert time.monotonic() - began < 20
    assert (plan.ended, plan.scans, plan.examined, plan.returned, plan.milliseconds) == (False, True, None, None, None)
    assert running == ()


SCAN = {"stage": "COLLSCAN", "direction": "forward"}
BY_INDEX = {"stage": "FETCH", "inputStage": {"stage": "IXSCAN", "indexName": "a_1", "keyPattern": {"a": 1}}}
FIGURES = {"nReturned": 2, "executionTimeMillis": 3, "totalKeysExamined": 4, "totalDocsExamined": 6}


@pytest.mark.parametrize(
    ("winning", "stages", "facts"),
    [
        ({"queryPlan": {**BY_INDEX, "planNodeId": 2}, "slotBasedPlan": {"stages": "[2] nlj"}}, ("FETCH", "IXSCAN"), (False, False, False)),
        ({"isCached": False, "stage": "EXPRESS_IXSCAN", "indexName": "_id_", "keyPattern": {"_id": 1}}, None, (False, True, False)),
        ({"stage": "SORT", "inputStage": {"stage": "OR", "inputStages": [BY_INDEX, SCAN]}}, None, (True, False, True)),
        (
            {"stage": "SINGLE_SHARD", "shards": [{"shardName": "s1", "winningPlan": SCAN}]},
            ("SINGLE_SHARD", "COLLSCAN"),
            (True, False, False),
        ),
        ({"stage": "EOF"}, ("EOF",), (False, False, False)),
        ({}, (), (False, False, False)),
    ],
)
def test_every_form_of_a_plan_is_read(winning: dict[str, Any], stages: tuple[str, ...] | None, facts: tuple[bool, ...]) -> None:
    plan = explained({"queryPlanner": {"winningPlan": winning}, "executionStats": FIGURES})
    assert stages in (None, plan.stages)
    assert (plan.scans, plan.by_id, plan.sorts) == facts
    assert (plan.returned, plan.milliseconds, plan.keys_examined, plan.examined_per_returned) == (2, 3, 4, 3)


def test_a_sort_that_went_to_the_disk_is_told() -> None:
    running = {"stage": "SORT", "usedDisk": True, "inputStage": SCAN}
    assert explained({"queryPlanner": {"winningPlan": running}, "executionStats": {**FIGURES, "executionStages": running}}).spilled
