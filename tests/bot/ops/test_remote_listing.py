"""How a backup is described over there: what was written is read again, and what must not be believed is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import OutsideError
from bot.ops.dump_faults import Damaged
from bot.ops.remote_faults import Unsafe
from bot.ops.remote_listing import checked_tree, read_listing, read_manifest, read_tree, written_listing, written_manifest, written_tree
from bot.ops.remote_names import checked_path
from bot.ops.remote_values import FileEntry, Limits, RemoteBackup

HASH = "ab" * 32
BACKUP = RemoteBackup("b-1", 2, 10, True, 1_700_000_000.5, HASH, HASH)


def entry(path: str, size: int = 5) -> FileEntry:
    return FileEntry(path, size, HASH, 0o640, 1_700_000_000_123_456_789, HASH)


def lines(*entries: FileEntry) -> list[bytes]:
    return b"".join(written_listing(entries)).splitlines(keepends=True)


def test_a_manifest_is_read_as_it_was_written() -> None:
    said = replace(BACKUP, labels=("project=vcc", "database"))
    assert [read_manifest(written_manifest(each), "b-1") for each in (BACKUP, said)] == [BACKUP, said]


def test_an_older_bots_manifest_says_nothing_of_its_parts() -> None:
    older = {name: value for name, value in json.loads(written_manifest(BACKUP)).items() if name != "labels"}
    assert read_manifest(json.dumps(older).encode(), "b-1").labels == ()


@pytest.mark.parametrize(
    "change",
    [
        {"id": "b-2"},
        {"files": -1},
        {"files": "x"},
        {"bytes": None},
        {"listing_sha256": "../x"},
        {"tree_sha256": HASH.upper()},
        {"format": []},
        {"format": float("inf")},
        {"files": 10**400},
        {"bytes": float("inf")},
        {"stored_at": float("nan")},
        {"stored_at": 1e300},
        {"labels": "database"},
        {"labels": [1]},
    ],
    ids=str,
)
def test_a_manifest_that_is_none_is_damaged(change: dict[str, Any]) -> None:
    with pytest.raises(Damaged):
        read_manifest(json.dumps({**json.loads(written_manifest(BACKUP)), **change}).encode(), "b-1")


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 10_000])
def test_what_is_no_manifest_at_all_is_damaged(content: bytes) -> None:
    with pytest.raises(Damaged):
        read_manifest(content, "b-1")


def test_a_newer_manifest_is_told_as_that() -> None:
    with pytest.raises(OutsideError) as told:
        read_manifest(json.dumps({"format": 2}).encode(), "b-1")
    assert told.value.key == "remote.newer"


def test_names_that_are_no_text_are_kept_as_they_are() -> None:
    names = (b"line\nbreak".decode(), b"not \xff utf-8".decode("utf-8", "surrogateescape"), "한글 이름.png", "back\\slash")
    entries = [entry(name, 0) for name in names]
    assert list(read_listing(lines(*entries), replace(BACKUP, files=4, bytes=0), Limits())) == entries


@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/x", "a/../../x", "a/..", "..", ".", "a\0b", "", "a//b", "a/", "./a", "a/" * 70 + "x", "x" * 256, "가" * 90, "\ud800"],
    ids=ascii,
)
def test_a_path_that_leads_elsewhere_or_nowhere_is_refused(path: str) -> None:
    with pytest.raises(Unsafe):
        list(read_listing(lines(entry(path), entry("x")), BACKUP, Limits()))


@given(st.text(max_size=40))
def test_whatever_path_is_taken_stays_within(path: str) -> None:
    try:
        checked_path(path)
    except Unsafe:
        return
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))


def test_more_or_less_than_the_manifest_says_is_refused() -> None:
    for several, fault in (
        ([entry("a"), entry("b"), entry("c", 0)], Unsafe),
        ([entry("a"), entry("b", 6)], Unsafe),
        ([entry("a", 10)], Damaged),
        ([entry("a"), entry("b", 4)], Damaged),
    ):
        with pytest.raises(fault):
            list(read_listing(lines(*several), BACKUP, Limits()))


def test_absurd_sizes_are_refused_before_a_line_is_read() -> None:
    for absurd in (replace(BACKUP, bytes=1 << 60), replace(BACKUP, files=1 << 40)):
        with pytest.raises(Unsafe):
            list(read_listing(iter(()), absurd, Limits()))


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b'["a",-1,"' + HASH.encode() + b'",0,0,"x"]', b'["a",1e999,"x",0,0,"x"]', b"[" * 10_000], ids=ascii
)
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises((Damaged, Unsafe)):
        list(read_listing([line], BACKUP, Limits()))


def test_two_files_cannot_be_in_one_place_or_one_below_the_other() -> None:
    for paths in (("a", "a"), ("a", "a/b"), ("a/b/c", "a/b")):
        with pytest.raises(Unsafe):
            checked_tree(entry(path) for path in paths)
    assert len(checked_tree([entry("a/b"), entry("a/c"), entry("ab")])) == 3


def test_the_objects_names_stand_there_once_each() -> None:
    content, sha256 = written_tree(["cd" * 32, HASH, HASH])
    assert list(read_tree(content, "b-1")) == [HASH, "cd" * 32]
    assert len(sha256) == 64


def test_a_list_with_a_line_that_is_no_name_is_not_used_at_all() -> None:
    with pytest.raises(Damaged):
        list(read_tree(f"{HASH}\n{HASH[:-1]}\n".encode(), "b-1"))
