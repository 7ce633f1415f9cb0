"""Who may come in, on a real server: counted, and ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from bot.errors import Denied, NotFound
from bot.ops.mongo import Mongo
from bot.ops.mongo_access import account_of, with_password
from tests.servers import RealMongod


def plant(client: MongoClient[dict[str, Any]], name: str) -> tuple[str, str]:
    """Two users with a session and a key each; their ids."""
    database, ids = client[name], [ObjectId(), ObjectId()]
    emails = ("mallory@example.org", "mina@example.org")
    for identity, email in zip(ids, emails, strict=True):
        database["users"].insert_one({"_id": identity, "email": email, "isActive": True, "passwordResetToken": "x"})
        session = json.dumps({"cookie": {}, "passport": {"user": str(identity)}})
        database["sessions"].insert_one({"_id": f"s{identity}", "session": session, "expires": datetime.now(UTC)})
        database["apikeys"].insert_one({"userId": identity, "keyHash": "x"})
    return str(ids[0]), str(ids[1])


async def test_one_user_is_found_by_address_or_id_and_locked_out_alone(real_mongod: RealMongod) -> None:
    with real_mongod.client() as client:
        mallory, mina = plant(client, real_mongod.database)
        access = (mongo := Mongo(real_mongod.uri)).access
        found = await access.user(" Mallory@Example.org")
        assert (found, found.id) == (await access.user(mallory), mallory)
        assert (found.active, found.sessions, found.keys, found.resetting) == (True, 1, 1, True)
        await access.set_active(mallory, active=False)
        assert (await access.end_sessions(mallory), await access.revoke_keys(mallory)) == (1, 1)
        after = await access.user(mallory)
        assert (after.active, after.sessions, after.keys, after.resetting) == (False, 0, 0, False)
        other = await access.user(mina)
        assert (other.active, other.sessions, other.keys, other.resetting) == (True, 1, 1, True)
        assert (await access.revoke_keys(mallory), await access.end_sessions(mallory)) == (0, 0)
        assert (await access.end_sessions(), await access.revoke_keys()) == (1, 1)
        assert (await access.sessions(), await access.keys()) == (0, 0)
        await mongo.close()


async def test_a_version_without_sessions_and_keys_has_none(real_mongod: RealMongod) -> None:
    mongo = Mongo(real_mongod.uri)
    assert (await mongo.access.sessions(), await mongo.access.keys()) == (0, 0)
    assert (await mongo.access.end_sessions(), await mongo.access.revoke_keys()) == (0, 0)
    with pytest.raises(NotFound):
        await mongo.access.user("nobody@example.org")
    with pytest.raises(NotFound):
        await mongo.access.set_active(str(ObjectId()), active=False)
    await mongo.close()


async def test_the_password_of_an_account_is_changed_and_the_old_one_is_refused(real_mongod: RealMongod) -> None:
    with real_mongod.client() as client:
        client.admin.command("createUser", "ops", pwd="before", roles=["root"])
    uri = with_password(real_mongod.uri.replace(f"//{account_of(real_mongod.uri)}:", "//ops:"), "before")
    mongo = Mongo(uri)
    await mongo.access.change_password("ops", "f" * 64)
    await mongo.close()
    stale = Mongo(uri)  # as a bot's that was started again with its old settings
    with pytest.raises(Denied):
        await stale.access.change_password("ops", "x")
    await stale.close()
    for address, lets_in in ((uri, False), (with_password(uri, "f" * 64), True)):
        other = Mongo(address)
        if lets_in:
            await other.ping()
        else:
            with pytest.raises(Denied):
                await other.ping()
        await other.close()
    with real_mongod.client() as client:
        client.admin.command("dropUser", "ops")


@pytest.mark.parametrize(
    ("uri", "changed"),
    [
        ("mongodb://u:p@mongodb:27017/vcc?authSource=admin", "mongodb://u:new@mongodb:27017/vcc?authSource=admin"),
        ("redis://:p@redis:6379", "redis://:new@redis:6379"),
        ("redis://:p@ss@redis:6379", "redis://:new@redis:6379"),
        ("mongodb://mongodb:27017/vcc", "mongodb://mongodb:27017/vcc"),
    ],
)
def test_an_address_with_another_password_is_otherwise_the_same(uri: str, changed: str) -> None:
    assert with_password(uri, "new") == changed
