"""The shape of an operation keeps its fields and operators, and none of its values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.ops.mongo_shape import shape_of

NS = "vcc-manager.users"


@pytest.mark.parametrize(
    ("kind", "command", "operation", "pattern"),
    [
        ("query", {"find": "users", "filter": {"email": "a@b.c", "n": {"$gte": 5, "$lt": 9}}}, "find", "{email: ?, n: {$gte: ?, $lt: ?}}"),
        ("query", {"find": "users", "filter": {}, "sort": {"createdAt": -1, "n": 1}}, "find", "{} sort {createdAt: -1, n: 1}"),
        ("command", {"find": "users", "filter": {"_id": {"$oid": "65a000000000000000000000"}}}, "find", "{_id: ?}"),
        ("command", {"find": "users", "filter": {"status": {"$in": ["a", "b"]}}}, "find", "{status: {$in: ?}}"),
        ("command", {"find": "users", "filter": {"$or": [{"b": 1}, {"a": 2}, {"b": 3}]}}, "find", "{$or: [{a: ?}, {b: ?}]}"),
        ("command", {"find": "users", "filter": {"tags": {"$elemMatch": {"name": "x"}}}}, "find", "{tags: {$elemMatch: {name: ?}}}"),
        ("command", {"find": "users", "filter": {"address": {"street": "Main"}}}, "find", "{address: ?}"),
        ("update", {"q": {"email": "a@b.c"}, "u": {"$set": {"name": "x"}}}, "update", "{email: ?}"),
        ("remove", {"q": {"n": 1}, "limit": 0}, "delete", "{n: ?}"),
        ("command", {"distinct": "users", "key": "n", "query": {"a": 1}}, "distinct", "n {a: ?}"),
        ("command", {"findAndModify": "users", "query": {"a": 1}, "update": {"$set": {"b": 2}}}, "findAndModify", "{a: ?}"),
        (
            "command",
            {"aggregate": "users", "pipeline": [{"$match": {"a": {"$gt": 1}}}, {"$sort": {"b": -1}}, {"$group": {"_id": "$c"}}]},
            "aggregate",
            "$match {a: {$gt: ?}} $sort {b: -1} $group",
        ),
        ("command", {}, "command", ""),
    ],
)
def test_an_operation_is_told_by_its_fields_and_operators(kind: str, command: dict[str, Any], operation: str, pattern: str) -> None:
    shape = shape_of(NS, kind, command)
    assert (shape.collection, shape.operation, shape.pattern) == ("users", operation, pattern)


def test_the_order_of_fields_and_the_values_make_no_other_shape() -> None:
    first = shape_of(NS, "query", {"find": "users", "filter": {"a": 1, "b": {"$lt": 2, "$gt": 1}}, "limit": 5})
    second = shape_of(NS, "query", {"find": "users", "filter": {"b": {"$gt": 7, "$lt": 8}, "a": "x"}, "limit": 50})
    assert first == second


def test_the_rest_of_a_cursor_is_the_query_that_opened_it() -> None:
    opened = {"find": "users", "filter": {"a": 1}}
    assert shape_of(NS, "getmore", {"getMore": 42, "collection": "users"}, opened) == shape_of(NS, "query", opened)


@pytest.mark.parametrize(
    "name", ["a@b.c", "65a000000000000000000000", "tokens.eyJhbGciOi.x y", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "1234"]
)
def test_data_in_the_place_of_a_field_s_name_is_not_shown(name: str) -> None:
    pattern = shape_of(NS, "query", {"find": "users", "filter": {f"seen.{name}": True}}).pattern
    assert name not in pattern
    assert pattern.startswith("{seen.")


def test_a_filter_as_large_as_can_be_has_a_short_shape() -> None:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(50):
        deep = {"$and": [deep]}
    wide = {f"field{number}": number for number in range(5_000)}
    assert len(shape_of(NS, "query", {"find": "users", "filter": deep}).pattern) < 100
    assert len(shape_of(NS, "query", {"find": "users", "filter": wide}).pattern) < 400


VALUE = some.text(some.sampled_from("abcdefgh"), min_size=12, max_size=20).map(lambda text: f"PERSONAL{text}")
CONDITION = some.one_of(
    VALUE,
    some.lists(VALUE, max_size=3),
    some.dictionaries(some.sampled_from(["$gt", "$in", "$regex", "$eq", "$oid"]), VALUE, min_size=1),
    some.dictionaries(some.sampled_from(["a", "b"]), VALUE),
)
FILTER = some.recursive(
    some.dictionaries(some.sampled_from(["email", "status", "inputData.prompt"]), CONDITION, max_size=3),
    lambda inner: some.dictionaries(some.sampled_from(["$and", "$or", "$nor"]), some.lists(inner, max_size=3), max_size=2),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(FILTER, some.sampled_from(["filter", "query", "q", "pipeline", "sort", "key", "let"]))
def test_no_value_is_ever_in_a_shape(filter: dict[str, Any], where: str) -> None:
    command = {"find": "users", where: [{"$match": filter}] if where == "pipeline" else filter}
    assert "PERSONAL" not in shape_of(NS, "command", command).pattern
