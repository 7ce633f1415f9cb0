"""Job hashes of any form become values: nothing in one raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.bull_read import SUMMARY, arguments, hash_of, job_of, stack_of
from bot.ops.bull_values import Fault, Job

WHOLE = {"name": "a", "timestamp": "1790000000000", "opts": '{"attempts": 3}', "data": '{"jobId": "65aa"}'}


def read(fields: dict[str, str], lengths: dict[str, int] | None = None, **place: Any) -> Job:
    row: list[object] = ["hash"]
    for name in SUMMARY:
        row += [(lengths or {}).get(name, len(fields[name])) if name in fields else -1, fields.get(name, "")]
    return job_of(("q", "1", place.get("state", "failed")), hash_of(row, SUMMARY), SUMMARY, place.get("score"))


@given(st.dictionaries(st.sampled_from(list(SUMMARY)), st.text(max_size=30)))
def test_no_text_in_any_field_raises(fields: dict[str, str]) -> None:
    assert read({**WHOLE, **fields}).id == "1"
    assert read(fields).queue == "q"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_no_json_in_any_field_raises(value: Any) -> None:
    written = json.dumps(value)
    job = read({**WHOLE, **dict.fromkeys(("opts", "data", "progress", "attemptsMade"), written)})
    assert job.fault in (Fault.NONE, Fault.NOT_JSON)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (WHOLE, Fault.NONE),
        ({**WHOLE, "opts": "null"}, Fault.NOT_JSON),
        ({**WHOLE, "data": "nope"}, Fault.NOT_JSON),
        ({name: value for name, value in WHOLE.items() if name != "data"}, Fault.HALF),
        ({}, Fault.HALF),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, str], fault: Fault) -> None:
    assert read(fields).fault is fault


def test_of_data_that_was_cut_nothing_is_said_but_its_own_id() -> None:
    job = read({**WHOLE, "data": '{"jobId": "65bb", "rest": "cut off he'}, {"data": 10_000_000})
    assert (job.fault, job.data_job_id, job.data_bytes) == (Fault.NONE, "65bb", 10_000_000)
    run = read({**WHOLE, "data": '{"pipelineRunId": "65cc", "jobId": "cut off he'}, {"data": 10_000_000})
    assert run.data_job_id == "65cc"


def test_a_key_that_is_gone_or_no_hash_says_so() -> None:
    for kind, fault in (("none", Fault.MISSING), ("string", Fault.NOT_A_HASH)):
        job = job_of(("q", "1", "delayed"), hash_of([kind], SUMMARY), SUMMARY, 1_790_000_000_000 * 4096)
        assert (job.fault, job.due_at) == (fault, 1_790_000_000.0)


def test_the_newest_trace_is_told_and_what_is_no_list_as_it_stands() -> None:
    assert stack_of(json.dumps(["old", "new"])) == "new"
    assert stack_of("[]") == ""
    assert stack_of('["cut off') == '["cut off'


def test_the_script_is_told_how_much_of_each_field() -> None:
    assert arguments({"a": 1, "b": 22}) == ["a", "1", "b", "22"]
