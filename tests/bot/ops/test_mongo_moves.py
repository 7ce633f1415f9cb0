"""What the server says was written meanwhile covers all that was, on a real server; and who may not ask is told nothing."""

from __future__ import annotations

import time

import pymongo
import pytest

from bot.errors import Conflict
from bot.ops.mongo import Mongo
from bot.ops.mongo_moves import Moves
from tests.servers import RealMongod


async def test_every_document_that_came_or_went_is_counted(real_mongod: RealMongod) -> None:
    mongo = Mongo(real_mongod.uri)
    before = await mongo.movement.so_far()
    with real_mongod.client() as client:
        things = client[real_mongod.database]["things"]
        things.insert_many([{"n": number} for number in range(5)])
        things.update_one({"n": 99}, {"$set": {"n": 99}}, upsert=True)
        things.bulk_write([pymongo.UpdateOne({"n": 100 + number}, {"$set": {"x": 1}}, upsert=True) for number in range(3)])
        things.find_one_and_update({"n": 200}, {"$set": {"x": 1}}, upsert=True)
        things.delete_many({"n": {"$lt": 2}})
    after = await mongo.movement.so_far()
    await mongo.close()
    assert before is not None
    assert after is not None
    moved = before.until(after)
    assert moved is not None
    assert moved[0] >= 10
    assert moved[1] >= 2


def test_across_a_restart_nobody_knows() -> None:
    assert Moves("host/1", 5, 5).until(Moves("host/2", 9, 9)) is None
    assert Moves("host/1", 5, 5).until(Moves("host/1", 4, 9)) is None
    assert Moves("host/1", 5, 5).until(Moves("host/1", 7, 6)) == (2, 1)


async def test_the_newest_document_is_known_by_its_id(real_mongod: RealMongod) -> None:
    mongo = Mongo(real_mongod.uri)
    with real_mongod.client() as client:
        database = client[real_mongod.database]
        database["things"].insert_one({})
        database["sessions"].insert_one({"_id": "a text tells no time"})
    assert await mongo.movement.newest(["sessions", "none"]) is None
    newest = await mongo.movement.newest(["sessions", "things"])
    await mongo.close()
    assert newest is not None
    assert abs(newest - time.time()) < 60


@pytest.mark.parametrize(
    ("collection", "status", "key"),
    [
        ("backupjobs", "pending", "backup.app_busy_backup"),
        ("backupjobs", "processing", "backup.app_busy_backup"),
        ("restorejobs", "validating", "backup.app_busy_restore"),
        ("restorejobs", "processing", "backup.app_busy_restore"),
    ],
)
async def test_the_applications_own_backup_or_restore_at_work_is_seen(
    real_mongod: RealMongod, collection: str, status: str, key: str
) -> None:
    mongo = Mongo(real_mongod.uri)
    try:
        await mongo.app_backups.refuse_while_running()
        with real_mongod.client() as client:
            client[real_mongod.database][collection].insert_many([{"status": "failed"}, {"status": status}])
        with pytest.raises(Conflict) as refusal:
            await mongo.app_backups.refuse_while_running()
        assert refusal.value.key == key
    finally:
        await mongo.close()
