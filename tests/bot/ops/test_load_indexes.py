"""From definitions to commands: nothing of an index is lost, and nothing expires while it is loaded."""

from __future__ import annotations

from bot.ops.dump_values import Definition
from bot.ops.load_indexes import NEVER, Expiry, create_command, expiries, expiry_command, index_specifications

ID = {"v": 2, "key": {"_id": 1}, "name": "_id_"}


def collection(*indexes: dict[str, object], **options: object) -> Definition:
    return Definition("users", "collection", options, (ID, *indexes))


def test_every_option_of_an_index_is_kept_and_old_words_are_not() -> None:
    index = {
        "v": 2,
        "key": {"a": 1, "b": -1},
        "name": "x",
        "unique": True,
        "sparse": True,
        "hidden": True,
        "partialFilterExpression": {"a": 1},
        "collation": {"locale": "en"},
    }
    assert index_specifications(collection({**index, "ns": "db.users", "dropDups": True})) == [index]


def test_the_index_every_collection_has_is_not_made_again() -> None:
    clustered = {"v": 2, "key": {"_id": 1}, "name": "own", "unique": True, "clustered": True}
    hashed = {"v": 2, "key": {"_id": "hashed"}, "name": "_id_hashed"}
    assert index_specifications(collection(clustered, hashed)) == [hashed]


def test_an_index_without_collation_stays_so_in_a_collection_that_has_one() -> None:
    (made,) = index_specifications(collection({"key": {"a": 1}, "name": "a"}, collation={"locale": "ko"}))
    assert made["collation"] == {"locale": "simple"}


def test_expiry_is_far_away_first_and_told_for_later() -> None:
    definition = collection(
        {"key": {"e": 1}, "name": "e_1", "expireAfterSeconds": 0}, expireAfterSeconds=60, clusteredIndex={"unique": True}
    )
    assert index_specifications(definition)[0]["expireAfterSeconds"] == NEVER
    assert create_command(definition, "new") == {"create": "new", "clusteredIndex": {"unique": True}}
    found = expiries([definition, Definition("v", "view", {"expireAfterSeconds": 1})])
    assert found == (Expiry("users", "", 60), Expiry("users", "e_1", 0))
    assert [expiry_command(each, "new") for each in found] == [
        {"collMod": "new", "expireAfterSeconds": 60},
        {"collMod": "new", "index": {"name": "e_1", "expireAfterSeconds": 0}},
    ]


def test_options_go_to_the_server_without_what_it_no_longer_takes() -> None:
    options = {"capped": True, "size": 4096, "autoIndexId": True, "uuid": b"x"}
    assert create_command(Definition("c", "capped", options), "n") == {"create": "n", "capped": True, "size": 4096}
