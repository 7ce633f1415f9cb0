"""Fingerprints: the same for the same documents in any order and any pieces, and for no others."""

from __future__ import annotations

from pathlib import Path

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.bson_fingerprint import Fingerprint, Fingerprinter, fingerprint_file
from bot.ops.dump_faults import Damaged

DOCUMENTS = [bson.encode({"_id": number, "text": "x" * (number % 7)}) for number in range(200)]


def taken(documents: list[bytes], sample: int = 1, piece: int = 1) -> Fingerprint:
    fingerprinter = Fingerprinter(sample)
    for at in range(0, len(documents), piece):
        fingerprinter.add(b"".join(documents[at : at + piece]))
    return fingerprinter.result()


@given(st.permutations(DOCUMENTS[:30]), st.integers(1, 30), st.sampled_from([1, 3]))
def test_order_and_pieces_do_not_matter(documents: list[bytes], piece: int, sample: int) -> None:
    assert taken(documents, sample, piece) == taken(DOCUMENTS[:30], sample)


def test_any_other_document_does() -> None:
    whole = taken(DOCUMENTS)
    others = [
        DOCUMENTS[:-1],
        [*DOCUMENTS, DOCUMENTS[0]],
        [*DOCUMENTS[:-1], DOCUMENTS[0]],
        [DOCUMENTS[0].replace(b"_id", b"_ie"), *DOCUMENTS[1:]],
    ]
    assert whole not in [taken(each) for each in others]
    assert (whole.documents, whole.sampled, whole.bytes) == (200, 200, sum(map(len, DOCUMENTS)))


def test_two_equal_documents_do_not_cancel_each_other_out() -> None:
    assert taken([]).digest != taken(DOCUMENTS[:1] * 2).digest != taken(DOCUMENTS[1:2] * 2).digest


def test_a_sample_hashes_some_and_counts_all() -> None:
    some = taken(DOCUMENTS, 8)
    assert (some.documents, some.bytes, 5 < some.sampled < 60) == (200, sum(map(len, DOCUMENTS)), True)


def test_a_file_is_read_to_its_end_or_told_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.bson"
    path.write_bytes(b"".join(DOCUMENTS))
    assert fingerprint_file(path) == taken(DOCUMENTS)
    path.write_bytes(b"".join(DOCUMENTS)[:-1])
    with pytest.raises(Damaged):
        fingerprint_file(path)
