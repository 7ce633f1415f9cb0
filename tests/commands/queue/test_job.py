"""``queue job``: one job in full; what it carries for an admin only, in private, and never a secret of it."""

from __future__ import annotations

import json

import pytest

from bot.model import Outcome, Tone
from tests.commands.conftest import Bot
from tests.commands.queue.conftest import API_KEY, DATA, OTHER, PROMPT, QUEUE, Shelf

SIGNATURE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"


async def test_a_failed_job_tells_why_and_offers_to_be_retried(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", f"Request failed, token={API_KEY}")
    reply = await bot("queue job 7", "vera")
    fields = dict(reply.fields)
    assert (fields["실패 횟수"], fields["문서 ID"]) == ("3/3", DATA["jobId"])
    assert "redacted" in fields["실패 사유"]
    assert reply.code.startswith("Error: Request failed")
    (button,) = reply.buttons
    assert (await bot(button.types)).data["retried"] == ["7"]
    assert [secret for secret in (API_KEY, PROMPT, SIGNATURE) if secret in repr(reply)] == []


async def test_of_what_it_carries_only_names_and_sizes_are_told(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", "no")
    reply = await bot("queue job 7")
    rows = {row[0]: row[1:] for row in reply.tables[0].rows}
    assert set(rows) >= {"jobId", "inputData", "inputData.prompt", "workboardData.apiKey"}
    assert rows["inputData.prompt"] == ("문자열", f"{len(json.dumps(PROMPT, ensure_ascii=False).encode())} B")
    assert reply.private is False


async def test_an_admin_sees_the_prompt_in_private_and_still_no_secret(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", "no")
    reply = await bot("queue job 7 --data", "ada")
    assert (reply.private, reply.outcome) == (True, Outcome.DONE)
    assert PROMPT in reply.code
    assert "comfyui.example" in reply.code
    assert [secret for secret in (API_KEY, SIGNATURE) if secret in repr(reply)] == []
    assert "감사 기록" in reply.text
    recorded = await bot("audit tail --lines 20", "ada")
    assert any(row["line"] == "queue job 7 --data" and row["person"] == "ada" for row in recorded.data)
    assert PROMPT not in repr(recorded)


async def test_others_do_not_see_it(bot: Bot, shelf: Shelf) -> None:
    shelf.failed("7", "no")
    for who in ("olga", "vera"):
        refused = await bot("queue job 7 --data", who)
        assert (refused.outcome, "ada" in refused.text, PROMPT in repr(refused)) == (Outcome.REFUSED, True, False)


async def test_much_data_is_a_file_without_secrets(bot: Bot, shelf: Shelf) -> None:
    nodes = {f"node{number}": {"class": "KSampler", "apiKey": API_KEY} for number in range(200)}
    shelf.failed("7", "no", data=json.dumps({**DATA, "workflow": nodes}))
    reply = await bot("queue job 7 --data", "ada")
    (file,) = reply.files
    text = file.path.read_text(encoding="utf-8")
    assert (reply.code, "KSampler" in text, API_KEY in text, SIGNATURE in text) == ("", True, False, False)


@pytest.mark.parametrize("data", [f"plain text with api_key={API_KEY}", "[1, 2", '"only a text"', "null", "[" * 5000])
async def test_data_of_any_form_is_told_and_shown(bot: Bot, shelf: Shelf, data: str) -> None:
    shelf.failed("7", "no", data=data)
    for line in ("queue job 7", "queue job 7 --data"):
        reply = await bot(line, "ada")
        assert (reply.outcome, API_KEY in repr(reply)) == (Outcome.DONE, False)


async def test_a_job_of_which_only_the_number_is_left_is_said_to_be_so(bot: Bot, shelf: Shelf) -> None:
    shelf.client.lpush(shelf.key("wait"), "gone")
    reply = await bot("queue job gone")
    assert (reply.tone, reply.fields, reply.buttons) == (Tone.WARN, (), ())
    assert "해시가 없음" in reply.text
    stray = await bot(f"queue job {shelf.job('stray')}")
    assert stray.data["state"] == "stuck"


async def test_an_id_that_two_queues_know_is_asked_about(bot: Bot, shelf: Shelf, other: Shelf) -> None:
    shelf.failed("7", "no")
    other.failed("7", "no")
    asked = await bot("queue job 7")
    assert (asked.data["usage"], QUEUE in asked.text, OTHER in asked.text) == (True, True, True)
    assert (await bot(f"queue job 7 --queue '{OTHER}'")).data["queue"] == OTHER
    other.failed("8", "no")
    assert (await bot("queue job 8")).data["queue"] == OTHER
    assert (await bot("queue job 9")).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("job", "typed"), [("a b", '"a b"'), ("그림:1", "그림:1"), ("--odd", "-- --odd"), ('it\'s "so"', '"it\'s "\'"so"\'')]
)
async def test_ids_of_any_form_can_be_typed(bot: Bot, shelf: Shelf, job: str, typed: str) -> None:
    shelf.failed(job, "no")
    reply = await bot(f"queue job {typed}")
    assert reply.data["id"] == job
    assert (await bot(reply.buttons[0].types)).data["retried"] == [job]
