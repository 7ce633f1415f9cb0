"""What of the database goes into a bundle of evidence, on a real server: named fields only."""

from __future__ import annotations

from bson import ObjectId

from bot.ops.mongo import Mongo
from bot.ops.mongo_excerpts import NAMES
from tests.servers import RealMongod


async def test_no_password_and_no_prompt_is_among_the_excerpts(real_mongod: RealMongod) -> None:
    with real_mongod.client() as client:
        database = client[real_mongod.database]
        database["users"].insert_one({"email": "a@example.org", "password": "HASH", "isAdmin": True, "passwordResetToken": "RESET"})
        database["imagegenerationjobs"].insert_one(
            {"status": "failed", "userId": ObjectId(), "inputData": {"prompt": "PROMPT"}, "workflowData": "FLOW", "error": {"details": "D"}}
        )
    mongo = Mongo(real_mongod.uri)
    told = {name: [each async for each in mongo.excerpts.read(name)] for name in NAMES}
    await mongo.close()
    assert [each["email"] for each in told["users"]] == ["a@example.org"]
    assert told["jobs"][0].keys() == {"_id", "status", "userId"}
    assert told["keys"] == []
    assert not [secret for secret in ("HASH", "RESET", "PROMPT", "FLOW") if secret in str(told)]
