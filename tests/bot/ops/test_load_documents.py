"""Documents ready for the driver: as they are, in order, and those the server would change are known."""

from __future__ import annotations

from collections.abc import Generator

import bson
from bson.timestamp import Timestamp

from bot.ops.load_documents import Batch, Batches

ZERO = Timestamp(0, 0)


def one(document: dict[str, object]) -> Batch:
    def stream() -> Generator[tuple[str, bytes, int], None, None]:
        yield "x", bson.encode(document), 1

    batches = Batches(stream(), ["x"], 1)
    batch = batches.next()
    assert batch is not None
    assert (batches.next(), batches.taken["x"].result().documents) == (None, 1)
    batches.close()
    return batch


def test_only_a_zero_timestamp_of_the_document_itself_is_changed_by_the_server() -> None:
    cases: list[tuple[dict[str, object], int]] = [
        ({"_id": 1, "t": ZERO}, 1),
        ({"_id": 1, "a": {"t": ZERO}}, 0),
        ({"_id": ZERO}, 0),
        ({"_id": 1, "t": Timestamp(1, 0)}, 0),
        ({"_id": 1, "data": b"\x11t\0" + b"\0" * 12}, 0),
        ({"_id": 1, "list": [ZERO], "z": ZERO}, 1),
    ]
    assert [len(one(document).stamped) for document, _ in cases] == [count for _, count in cases]


def test_documents_stay_undecoded_and_in_order() -> None:
    documents = [bson.encode({"_id": number}) for number in (3, 1, 2)]

    def stream() -> Generator[tuple[str, bytes, int], None, None]:
        yield "x", b"".join(documents), 3

    batch = Batches(stream(), ["x"], 1).next()
    assert batch is not None
    assert ([each.raw for each in batch.documents], batch.bytes) == (documents, sum(map(len, documents)))
