"""``db`` on a real MongoDB, up and down: what it holds, and the plans and indexes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pymongo
import pytest

from bot.model import Outcome, Reply, Tone
from bot.sandbox.deployment import Deployment
from tests.commands.conftest import Bot, MakeBot, stop

MANY_WORDS = '{"$or": [{"status": "failed"}, {"error.message": {"$regex": "^Request failed with"}}]}'


async def test_ping_tells_version_and_size(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox("db", "vera")
    assert reply.tone is Tone.GOOD
    assert reply.data["version"].startswith(("6.", "7.", "8."))
    assert reply.data["stats"]["documents"] > 0


async def test_counts_agree_with_themselves(bot_on_sandbox: Bot) -> None:
    exact = await bot_on_sandbox("db counts --exact")
    by_name = {each["name"]: each for each in exact.data["collections"]}
    assert by_name["users"]["exact"] is True
    assert by_name["users"]["count"] > 0
    assert set(exact.data["jobs_by_status"]) <= {"pending", "processing", "completed", "failed", "cancelled"}


async def test_counts_name_what_is_an_estimate_and_what_was_counted(make_bot: MakeBot) -> None:
    bot = await make_bot(VCC_LANG="en")
    fast, exact = await bot("db counts"), await bot("db counts --exact")
    assert "(estimated)" in fast.title
    assert [column for column in fast.tables[0].columns if "Docs" in column] == ["Docs (est.)"]
    assert "(exact)" in exact.title
    assert [column for column in exact.tables[0].columns if "Docs" in column] == ["Docs (exact)", "Docs (est.)"]


async def test_a_database_that_is_down_is_said_with_what_to_do(bot_on_sandbox: Bot) -> None:
    await stop(bot_on_sandbox, "mongodb")
    reply = await bot_on_sandbox("db ping")
    assert (reply.outcome, "mongodb" in reply.text) == (Outcome.FAILED, True)
    slow = await bot_on_sandbox("db slow")  # the log is still there
    assert (slow.outcome, slow.data["sources"]["log"]["used"], slow.data["sources"]["profiler"]["used"]) == (Outcome.DONE, True, False)


def _shown(reply: Reply) -> str:
    return json.dumps([reply.title, reply.text, reply.fields, [table.rows for table in reply.tables], reply.code, reply.data], default=str)


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ('imagegenerationjobs {"status":"failed"}', {"way": "index", "sorts": False, "ended": True}),
        ('imagegenerationjobs \'{"status": "failed"}\' --limit 3', {"way": "index", "returned": 3}),
        ("imagegenerationjobs “{}” --limit 5", {"way": "scan", "returned": 5}),
        ('imagegenerationjobs {"progress": {"$gte": 0}} --sort retryCount:-1 --limit 2', {"way": "scan", "sorts": True, "returned": 2}),
        ('imagegenerationjobs {"status":"failed"} --sort priority:-1,createdAt', {"way": "index", "sorts": False}),
        ('imagegenerationjobs {"_id":{"$oid":"65a000000000000000000000"}}', {"way": "id", "returned": 0}),
        ('users {"name": "Kim O\'Brien", "email": "a b@c.d"}', {"way": "index", "returned": 0}),
        (f"imagegenerationjobs {MANY_WORDS}", {"way": "scan"}),
    ],
)
async def test_a_filter_is_understood_however_it_was_quoted(make_bot: MakeBot, words: str, facts: Mapping[str, Any]) -> None:
    bot = await make_bot()
    reply = await bot(f"db explain {words}", "vera")
    assert reply.outcome is Outcome.DONE, reply
    assert {name: reply.data[name] for name in facts} == facts


async def test_a_plan_is_told_in_words_with_the_figures(make_bot: MakeBot, sandbox: Deployment) -> None:
    bot = await make_bot(VCC_LANG="en")
    with pymongo.MongoClient[dict[str, Any]](sandbox.env["MONGODB_URI"]) as client:
        jobs = client.get_default_database().imagegenerationjobs
        failed, everything = jobs.count_documents({"status": "failed"}), jobs.count_documents({})
    good = await bot('db explain imagegenerationjobs {"status":"failed"}')
    assert (good.title, good.tone) == ("imagegenerationjobs: uses the index status_1_priority_-1_createdAt_1", Tone.GOOD)
    assert abs(good.data["returned"] - failed) <= 5
    assert good.data["examined_per_returned"] == 1
    bad = await bot('db explain imagegenerationjobs {"progress":-7} --sort retryCount')
    assert (bad.title, bad.tone) == ("imagegenerationjobs: full scan (no index used)", Tone.WARN)
    assert abs(bad.data["examined"] - everything) <= 5
    assert "sorted in memory" in bad.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('users {"$where":"sleep(9999)||true"}', "$where"),
        ('users {"$expr":{"$function":{"body":"x","args":[],"lang":"js"}}}', "$expr"),
        ('users {"a":{"$regex":"' + "(a+)+" * 60 + '"}}', "regular expression"),
        ('users {"a":1,"a":2}', "twice"),
        ('users {"a":{"$regex":"("}}', "does not accept"),
        ('users {"a":{"$type":"nonsense"}}', "does not accept"),
        ("users " + '{"a":' * 25 + "1" + "}" * 25, "deep"),
        ("users []", "JSON object"),
        ("users nonsense", "valid JSON"),
        ('usres {"a":1}', "Did you mean: users"),
        ('system.users {"a":1}', "no collection"),
        ('"; drop $(x) ‘" {}', "no collection"),
        ("users", "filter"),
        ('users {"password":"hunter22-Hunter22"}', "secret"),
        ("users {} --sort $natural:1", "--sort"),
        ("users {} --limit 0", "limit"),
        ("users " + '{"a":"' + "x" * (1 << 20) + '"}', "2000"),
    ],
    ids=lambda value: value[:30],
)
async def test_a_filter_that_cannot_be_is_refused_with_the_reason(make_bot: MakeBot, words: str, said: str) -> None:
    bot = await make_bot(VCC_LANG="en")
    reply = await bot(f"db explain {words}")
    assert reply.outcome is Outcome.REFUSED
    assert said in reply.text, reply.text


async def test_every_index_is_listed_with_its_use(make_bot: MakeBot, sandbox: Deployment) -> None:
    bot = await make_bot(VCC_LANG="en")
    reply = await bot("db indexes", "vera")
    with pymongo.MongoClient[dict[str, Any]](sandbox.env["MONGODB_URI"]) as client:
        database = client.get_default_database()
        names = [name for name in database.list_collection_names() if not name.startswith("system.")]
        real = {(name, each["name"]) for name in names for each in database[name].list_indexes()}
    assert {(each["collection"], each["name"]) for each in reply.data["indexes"]} == real
    flags = {row[1]: row[-1] for row in reply.tables[0].rows}
    assert (flags["email_1"], flags["expires_1"], flags["_id_"]) == ("unique", "TTL", "-")
    one = await bot("db indexes users")
    assert {each["collection"] for each in one.data["indexes"]} == {"users"}
    assert (await bot("db indexes nobody")).outcome is Outcome.REFUSED


async def test_an_index_that_only_repeats_another_is_said(make_bot: MakeBot, sandbox: Deployment) -> None:
    bot = await make_bot(VCC_LANG="en")
    with pymongo.MongoClient[dict[str, Any]](sandbox.env["MONGODB_URI"]) as client:
        jobs = client.get_default_database().imagegenerationjobs
        jobs.create_index("status", name="status_alone")
        try:
            reply = await bot("db indexes imagegenerationjobs")
        finally:
            jobs.drop_index("status_alone")
    assert (reply.data["redundant"], reply.tone) == (["imagegenerationjobs.status_alone"], Tone.WARN)
    assert "repeats status_1_priority_-1_createdAt_1" in _shown(reply)
