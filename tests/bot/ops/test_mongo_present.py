"""Which documents are there, on a real server: in any collection but those that the bot keeps for itself."""

from __future__ import annotations

import pytest
from bson import ObjectId

from bot.errors import OutsideError
from bot.ops.mongo import JOBS, Mongo
from tests.servers import RealMongod


async def test_a_document_is_there_in_whatever_collection_it_is(real_mongod: RealMongod) -> None:
    jobs, runs, gone, kept = (ObjectId() for _ in range(4))
    with real_mongod.client() as client:
        database = client[real_mongod.database]
        database[JOBS].insert_one({"_id": jobs})
        database["pipelineruns"].insert_one({"_id": runs})
        database["vccbot.old.m1.imagegenerationjobs"].insert_one({"_id": kept})
        database.command("create", "view", viewOn="vccbot.old.m1.imagegenerationjobs", pipeline=[])
        database["sessions"].insert_one({"_id": str(gone)})
    mongo = Mongo(real_mongod.uri)
    ids = [str(each) for each in (jobs, runs, gone, kept)]
    assert await mongo.presence.present([*ids, "no id", ""], (JOBS,)) == {str(jobs), str(runs)}
    assert await mongo.presence.present([]) == frozenset()
    await mongo.close()


async def test_thousands_are_looked_for_a_part_at_a_time(real_mongod: RealMongod) -> None:
    ids = [ObjectId() for _ in range(2_500)]
    with real_mongod.client() as client:
        client[real_mongod.database][JOBS].insert_many([{"_id": each} for each in ids[::2]])
        client[real_mongod.database]["others"].insert_many([{"_id": each} for each in ids[::3]])
    mongo = Mongo(real_mongod.uri)
    there = await mongo.presence.present([str(each) for each in ids])
    await mongo.close()
    assert there == {str(each) for at, each in enumerate(ids) if at % 2 == 0 or at % 3 == 0}


async def test_a_server_that_is_gone_is_told_not_taken_for_an_empty_one() -> None:
    mongo = Mongo("mongodb://127.0.0.1:1/vcc-manager", 0.5)
    try:
        with pytest.raises(OutsideError):
            await mongo.presence.present([str(ObjectId())])
    finally:
        await mongo.close()
