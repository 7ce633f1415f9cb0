"""What a job carries: told by names and sizes, or shown without any secret."""

from __future__ import annotations

import json

import pytest

from bot.ops.job_data import LONGEST_VALUE, NAMES_AT_MOST, Part, document_of, parts, shown

API_KEY = "sk-proj-Zk3vQw8xT1yB7nM4pL9dR2sF6gH0jC5a"
KNOWN = "correct-horse-battery"


def test_names_are_told_two_levels_deep_with_their_sizes() -> None:
    text = json.dumps({"jobId": "65aa", "inputData": {"prompt": "가", "deep": {"deeper": 1}}, "list": [1, 2], "none": None, "yes": True})
    assert parts(text) == (
        Part("jobId", "text", 6),
        Part("inputData", "object", 40),
        Part("inputData.prompt", "text", 5),
        Part("inputData.deep", "object", 13),
        Part("list", "list", 6),
        Part("none", "null", 4),
        Part("yes", "yes_no", 4),
    )


def test_what_is_no_object_and_no_json_is_told_too() -> None:
    assert parts("[1]") == (Part("", "list", 3),)
    assert parts("nonsense") is None
    assert parts("[" * 100_000) is None
    assert len(parts(json.dumps({str(number): 1 for number in range(500)})) or ()) == NAMES_AT_MOST


@pytest.mark.parametrize(
    "data",
    [
        {"workboardData": {"apiKey": API_KEY}},
        {"deep": [[{"Authorization": f"Bearer {API_KEY}"}]]},
        {"text": f"call with api_key={API_KEY} please"},
        {"split": API_KEY[:10] + "\u200b" + API_KEY[10:]},
        {"known": f"it is {KNOWN}."},
        {"url": f"redis://:{API_KEY}@redis:6379"},
        {f"x {API_KEY}": 1},
        {"late": "x " * 490 + API_KEY},
        {"name": "apiKey", "value": API_KEY},
    ],
)
def test_secrets_stay_masked_wherever_they_stand(data: object) -> None:
    for text in (json.dumps(data), json.dumps(data) + "}"):  # the second is no JSON
        said = shown(text, [KNOWN])
        assert [secret for secret in (API_KEY, KNOWN) if secret in said.replace("\u200b", "")] == []


def test_a_prompt_is_shown_and_a_long_one_is_cut_behind_it() -> None:
    prompt = "바닷가의 고양이 " * 1_000
    said = json.loads(shown(json.dumps({"prompt": prompt, "short": "고양이"}), []))
    assert said["short"] == "고양이"
    assert (len(said["prompt"]), said["prompt"][:8]) == (LONGEST_VALUE, prompt[:8])


@pytest.mark.parametrize(
    ("data", "document"),
    [
        ({"jobId": "65aa"}, "65aa"),
        ({"pipelineRunId": "65bb"}, "65bb"),
        ({"runId": 7}, "7"),
        ({"runId": "65cc", "jobId": "65aa"}, "65aa"),
        ({"jobId": None, "runId": "65cc"}, "65cc"),
        ({"inputData": {"jobId": "65aa"}, "userId": "65dd"}, None),
        (["jobId"], None),
        (None, None),
    ],
)
def test_a_jobs_document_is_told_by_the_top_of_its_data_and_by_nothing_else(data: object, document: str | None) -> None:
    assert document_of(data) == document
