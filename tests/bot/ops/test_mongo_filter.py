"""Only filters that compare values pass; whatever runs code, or is too much, is refused by name and at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64, ObjectId
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.errors import Usage
from bot.ops.mongo_filter import DEEPEST, LONGEST, object_in, parse

ID = "65a000000000000000000000"


@pytest.mark.parametrize(
    ("text", "filter"),
    [
        ("{}", {}),
        ('{"status":"failed","n":{"$gte":1,"$lt":9}}', {"status": "failed", "n": {"$gte": 1, "$lt": 9}}),
        ('{"$or":[{"a":1},{"b":{"$in":[1,null,"x"]}}]}', {"$or": [{"a": 1}, {"b": {"$in": [1, None, "x"]}}]}),
        (f'{{"_id":{{"$oid":"{ID}"}}}}', {"_id": ObjectId(ID)}),
        ('{"at":{"$lt":{"$date":"2026-01-22T10:00:00Z"}}}', {"at": {"$lt": datetime(2026, 1, 22, 10, tzinfo=UTC)}}),
        ('{"at":{"$date":{"$numberLong":"0"}}}', {"at": datetime(1970, 1, 1, tzinfo=UTC)}),
        ('{"n":{"$numberLong":"7"},"m":{"$numberDecimal":"1.5"}}', {"n": Int64(7), "m": Decimal128("1.5")}),
        ('{"tags":{"$elemMatch":{"name":"x","n":{"$ne":1}}}}', {"tags": {"$elemMatch": {"name": "x", "n": {"$ne": 1}}}}),
        ('{"n":{"$elemMatch":{"$gt":1}}}', {"n": {"$elemMatch": {"$gt": 1}}}),
        ('{"name":{"$not":{"$regex":"^a","$options":"i"}}}', {"name": {"$not": {"$regex": "^a", "$options": "i"}}}),
        ('{"a":{"b":{"c":[1,{"d":2}]}}}', {"a": {"b": {"c": [1, {"d": 2}]}}}),
        ('{"a":{"$exists":false},"b":{"$type":"string"},"c":{"$size":2},"d":{"$mod":[4,0]}}', None),
        ('{"이름":"홍길동"}', {"이름": "홍길동"}),
    ],
)
def test_what_compares_values_passes(text: str, filter: dict[str, Any] | None) -> None:
    read = parse(text)
    assert read == (json.loads(text) if filter is None else filter)
    assert bson.decode(bson.encode(read)) is not None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"$where":"sleep(1000)||true"}', "$where"),
        ('{"a":{"$where":"1"}}', "$where"),
        ('{"$or":[{"a":1},{"$where":"1"}]}', "$where"),
        ('{"$expr":{"$function":{"body":"function(){}","args":[],"lang":"js"}}}', "$expr"),
        ('{"a":{"$function":{"body":"x"}}}', "$function"),
        ('{"a":{"$accumulator":{}}}', "$accumulator"),
        ('{"a":{"$elemMatch":{"$where":"1"}}}', "$where"),
        ('{"a":{"$not":{"$where":"1"}}}', "$where"),
        ('{"a":{"$in":[{"$where":"1"}]}}', "$where"),
        ('{"a":{"$eq":{"$code":"x"}}}', "$code"),
        ('{"a":{"b":{"$where":"1"}}}', "$where"),
        ('{"$jsonSchema":{}}', "$jsonSchema"),
        ('{"$text":{"$search":"x"}}', "$text"),
        ('{"a":{"$gt":1,"b":2}}', "b"),
    ],
)
def test_what_runs_code_or_is_not_known_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(Usage) as caught:
        parse(text)
    assert (caught.value.key, caught.value.values["name"]) == ("db.filter_operator", named)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "db.filter_json"),
        ("{status:failed}", "db.filter_json"),
        ('{"a":NaN}', "db.filter_json"),
        ('{"a":' + "9" * 5000 + "}", "db.filter_json"),
        ("[]", "db.filter_object"),
        ("7", "db.filter_object"),
        ('"x"', "db.filter_object"),
        ('{"a":1,"a":2}', "db.filter_twice"),
        ('{"a":{"$gt":1,"$gt":2}}', "db.filter_twice"),
        ('{"a":' + "[" * DEEPEST + "]" * DEEPEST + "}", "db.filter_deep"),
        ('{"a":' * 400 + "1" + "}" * 400, "db.filter_deep"),
        ('{"a":"' + "x" * LONGEST + '"}', "db.filter_long"),
        ('{"a":"' + "한" * (LONGEST // 2) + '"}', "db.filter_long"),
        ('{"a":123456789012345678901234567890}', "db.filter_number"),
        ('{"a":{"$numberLong":"123456789012345678901234567890"}}', "db.filter_number"),
        ('{"a":{"$numberInt":"-123456789012345678901234567890"}}', "db.filter_number"),
        ('{"a":{"$size":123456789012345678901234567890}}', "db.filter_number"),
        ('{"a":{"$exists":123456789012345678901234567890}}', "db.filter_number"),
        ('{"_id":{"$oid":null}}', "db.filter_value"),
        ('{"a":"\\ud800"}', "db.filter_text"),
        ('{"a\\u0000b":1}', "db.filter_value"),
        ('{"_id":{"$oid":"zz"}}', "db.filter_value"),
        ('{"_id":{"$oid":"' + ID + '","x":1}}', "db.filter_value"),
        ('{"a":{"$date":"yesterday"}}', "db.filter_value"),
        ('{"a":{"$in":5}}', "db.filter_value"),
        ('{"$or":[]}', "db.filter_value"),
        ('{"$and":{"a":1}}', "db.filter_value"),
        ('{"a":{"$regex":"x","$options":"e"}}', "db.filter_value"),
        ('{"a":{"$regex":"' + "(a+)+" * 50 + '"}}', "db.filter_regex"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_what_is_no_filter_or_too_much_is_refused_with_the_reason(text: str, key: str) -> None:
    with pytest.raises(Usage) as caught:
        parse(text)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "text",
    [
        '{"password":{"$gte":"$2b$12$a"}}',
        '{"passwordResetToken":{"$regex":"^a"}}',
        '{"$or":[{"workboardData.apiKey":{"$gt":"sk-a"}}]}',
        '{"servers":{"$elemMatch":{"apiKey":{"$lt":"sk-a"}}}}',
        '{"config":{"$gt":{"apiKey":"sk-a"}}}',
        '{"password":{"$exists":true,"$gt":"a"}}',
        '{"password":{"$not":{"$regex":"^a"}}}',
        '{"_id":{"$regex":"^a"}}',
    ],
)
def test_a_secret_is_not_to_be_guessed_letter_by_letter(text: str) -> None:
    with pytest.raises(Usage) as caught:
        parse(text, ("_id",))
    assert caught.value.key == "db.filter_secret"


def test_whether_a_secret_is_there_may_be_asked() -> None:
    assert parse('{"googleId":"1","password":{"$exists":true},"_id":"a"}') == {"googleId": "1", "password": {"$exists": True}, "_id": "a"}


def test_sixteen_megabytes_are_refused_at_once() -> None:
    text = '{"a":"' + "x" * (16 << 20) + '"}'
    began = time.perf_counter()
    with pytest.raises(Usage):
        parse(text)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('db explain jobs {"a":{"b":[1]}} --limit 5', '{"a":{"b":[1]}}'),
        ('db explain jobs {"a":"}{"} x', '{"a":"}{"}'),
        (r'db explain jobs {"a":"\"}"} x', r'{"a":"\"}"}'),
        ("db explain jobs", ""),
        ('db explain jobs {"a":1', ""),
    ],
)
def test_the_filter_is_found_inside_a_line(line: str, found: str) -> None:
    assert object_in(line) == found


NAMES = some.sampled_from(
    ["a", "b.c", "$or", "$and", "$gt", "$in", "$not", "$elemMatch", "$regex", "$where", "$function", "$oid", "$date", "$expr"]
)
LEAVES = some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=5))
ANYTHING = some.recursive(LEAVES, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(NAMES, inner, max_size=3), max_leaves=12)


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_any_json_at_all_is_a_safe_filter_or_a_usage(value: Any) -> None:
    try:
        read = parse(json.dumps(value))
    except Usage as error:
        # Refused, in words that say what is wrong.
        read = {} if error.key.startswith("db.filter_") else {"$where": error.key}
    assert not {"$where", "$function", "$expr", "$oid", "$date"} & set(keys_of(read))
    bson.encode(read)
