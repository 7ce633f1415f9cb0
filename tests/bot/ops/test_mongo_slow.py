"""Three tellers of slow operations, one count."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.ops.mongo_shape import Shape
from bot.ops.mongo_slow import SlowOperation, SlowTally, Source, from_log, from_profile, from_running

AT = 1_790_000_000.0
FIND = {"find": "users", "filter": {"email": "a@b.c"}, "$db": "vcc-manager"}
# As mongod 6.0.5 wrote it, shortened by what is not read.
ATTRIBUTES: dict[str, Any] = {
    "type": "command",
    "ns": "vcc-manager.users",
    "appName": "backend",
    "command": FIND,
    "planSummary": "COLLSCAN",
    "keysExamined": 0,
    "docsExamined": 65,
    "nreturned": 60,
    "durationMillis": 97,
}


def log_line(**changed: Any) -> str:
    stamp = {"$date": datetime.fromtimestamp(AT, UTC).isoformat(timespec="milliseconds")}
    entry = {"t": stamp, "s": "I", "c": "COMMAND", "id": 51803, "ctx": "conn12", "msg": "Slow query"}
    return json.dumps({**entry, "attr": {**ATTRIBUTES, **changed}}, separators=(",", ":"))


def profiled(**changed: Any) -> dict[str, Any]:
    told = {key: value for key, value in ATTRIBUTES.items() if key not in ("type", "durationMillis")}
    stamp = datetime.fromtimestamp(AT, UTC).replace(tzinfo=None)
    return {**told, "op": "query", "millis": 97, "ts": stamp, **changed}


def operation(source: Source = Source.LOG, *, at: float = AT, milliseconds: float = 97, name: str = "users") -> SlowOperation:
    return SlowOperation(Shape(name, "find", "{email: ?}"), source, at, milliseconds, "COLLSCAN", 65, 60)


def test_the_log_and_the_profiler_tell_the_same_of_one_operation() -> None:
    read, kept = from_log(log_line(), "vcc-manager"), from_profile(profiled())
    assert read == operation(Source.LOG)
    assert kept == operation(Source.PROFILER)


def test_what_runs_is_told_with_how_long_it_has_run() -> None:
    now = {"op": "query", "ns": "vcc-manager.users", "client": "10.0.0.1:1", "microsecs_running": 2_500_000, "command": FIND}
    found = from_running({**now, "planSummary": "COLLSCAN"}, AT)
    assert found == SlowOperation(Shape("users", "find", "{email: ?}"), Source.RUNNING, AT, 2500, "COLLSCAN")
    cursor = {**now, "op": "getmore", "command": {"getMore": 1, "collection": "users"}, "cursor": {"originatingCommand": FIND}}
    more = from_running(cursor, AT)
    assert more is not None
    assert more.shape == found.shape


@pytest.mark.parametrize(
    "changed",
    [
        {"appName": "vcc-ops-bot"},
        {"ns": "vcc-manager.system.profile"},
        {"ns": "vcc-manager.$cmd", "command": {"update": "users", "ordered": True}},
        {"ns": "vcc-manager.$cmd", "command": {"profile": 1, "slowms": 1}},
    ],
)
def test_what_is_ours_or_told_twice_is_left_out(changed: dict[str, Any]) -> None:
    assert from_log(log_line(**changed), "vcc-manager") is None
    assert from_profile(profiled(**changed)) is None


def test_another_database_s_operations_are_not_this_one_s() -> None:
    assert from_log(log_line(ns="other.users"), "vcc-manager") is None
    assert from_log(log_line(ns="vcc-manager-dev.users"), "vcc-manager") is None


def test_the_server_s_own_work_does_not_count_as_running() -> None:
    assert from_running({"op": "none", "ns": "", "desc": "Checkpointer", "command": {}}, AT) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not json",
        '{"id":51803,"msg":"Slow query"',
        '{"id":51803}',
        '["id":51803]',
        '{"id":51803,"attr":5,"t":7}',
        '{"id":51803,"attr":' + "[" * 50_000,
        '{"msg":"a prompt that says \\"id\\":51803 and Slow query","id":1,"attr":{"ns":"vcc-manager.x"}}',
    ],
)
def test_a_line_that_is_none_of_these_is_passed_over(line: str) -> None:
    assert from_log(line, "vcc-manager") is None


def test_figures_of_the_wrong_kind_do_no_harm() -> None:
    odd = from_log(log_line(durationMillis="x", docsExamined=None, nreturned=[], command=5), "vcc-manager")
    assert odd is not None
    assert (odd.milliseconds, odd.examined, odd.returned, odd.shape.operation) == (0, None, 0, "command")


def test_one_operation_that_two_tell_of_counts_once() -> None:
    tally = SlowTally()
    for each in (
        operation(Source.PROFILER),
        operation(Source.PROFILER),
        operation(at=AT + 1),
        operation(),
        operation(),
        operation(at=AT + 9),
    ):
        tally.add(each)
    (group,) = tally.groups()
    assert group.count == 4  # two from both, the third of that second and the later one from the log alone
    assert group.sources == {Source.PROFILER: 2, Source.LOG: 4}


def test_a_group_tells_slowest_mean_and_what_was_read_for_each_result() -> None:
    tally = SlowTally()
    for milliseconds in (100, 300):
        tally.add(operation(milliseconds=milliseconds, at=AT + milliseconds))
    tally.add(operation(milliseconds=50, name="jobs"))
    first, second = tally.groups()
    assert (first.shape.collection, first.count, first.slowest_ms, first.mean_ms, first.last_at) == ("users", 2, 300, 200, AT + 300)
    assert first.examined_per_returned == pytest.approx(65 / 60)
    assert second.shape.collection == "jobs"


def test_ever_new_shapes_do_not_fill_the_memory() -> None:
    tally = SlowTally()
    for number in range(2_500):
        tally.add(operation(name=f"c{number}"))
    assert (len(tally.groups()), tally.overflow) == (2_000, 500)
