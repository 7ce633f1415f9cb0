"""Names: mongodump's file names and back, the bot's own collections, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import OutsideError
from bot.ops.dump_names import (
    Side,
    checked_collection,
    checked_database,
    collection_of,
    is_cut,
    is_dumped,
    is_ours,
    mark_of,
    stem,
)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("users", "users"),
        ("fs.files", "fs.files"),
        ("a b", "a+b"),
        ("a/b", "a%2Fb"),
        ("a%+b", "a%25%2Bb"),
        ("한", "%ED%95%9C"),
        ("~_-.", "~_-."),
    ],
)
def test_a_collection_is_filed_as_mongodump_files_it(name: str, file: str) -> None:
    assert (stem(name), collection_of(file), is_cut(file)) == (file, name, False)


def test_a_long_name_is_cut_and_marked_with_its_hash() -> None:
    # As mongodump does it: 208 letters of the escaped name, an escaped dollar, the SHA-1 in 27 letters.
    file = stem("x" * 250)
    assert (file, is_cut(file)) == ("x" * 208 + "%24" + "w37xfIBcVRZ6y_7nlLrmMpphjzQ", True)
    assert stem("x" * 251) != file


@given(st.text(min_size=1, max_size=60))
def test_no_name_of_a_collection_leaves_its_directory(name: str) -> None:
    try:
        file = stem(name)
    except UnicodeEncodeError:
        return
    assert "/" not in file
    assert "\0" not in file
    assert len(file) <= 238


@pytest.mark.parametrize("name", ["", "a\0b", "../x", "a/../b", "..", "x" * 256])
def test_a_name_that_no_honest_dump_has_is_refused(name: str) -> None:
    with pytest.raises(OutsideError, match="unsafe_name"):
        checked_collection(name)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a.b", "a b", "a$b", "x" * 64, "a\nb", "a\\b"])
def test_a_database_that_no_server_would_take_is_refused(name: str) -> None:
    with pytest.raises(OutsideError, match="unsafe_name"):
        checked_database(name)


def test_honest_names_pass() -> None:
    assert checked_collection("odd/name. 한글") == "odd/name. 한글"
    assert checked_database("vcc-manager") == "vcc-manager"


def test_the_servers_own_and_the_bots_own_are_not_dumped() -> None:
    names = [
        "users",
        "system.js",
        "system.profile",
        "system.views",
        "system.buckets.x",
        "vccbot.swap",
        "vccbot.old.a.users",
        "vccbots",
        "a$b",
    ]
    assert [name for name in names if is_dumped(name)] == ["users", "system.js", "vccbots"]
    assert is_ours("vccbot.new.a.users")


def test_names_beside_the_live_ones_tell_their_restore_and_fit_every_server() -> None:
    side = Side("vcc-manager", "r-1")
    assert (side.incoming("users"), side.outgoing("users")) == ("vccbot.new.r-1.users", "vccbot.old.r-1.users")
    for name in ("users", "a.b.c", "x" * 200, "한" * 70):
        for beside in (side.incoming(name), side.outgoing(name)):
            assert (mark_of(beside), is_ours(beside)) == ("r-1", True)
            assert len(f"{side.database}.{beside}".encode()) <= 120
    assert side.incoming("x" * 200) != side.incoming("x" * 201)
    assert [mark_of(name) for name in ("users", "vccbot.swap", "vccbot.new.x", "a.new.b.c")] == ["", "", "", ""]


def test_a_database_of_its_own_keeps_the_names() -> None:
    side = Side("vcc-manager", "drill", scratch=True)
    assert (side.database, side.incoming("users"), side.prefix) == ("vcc-manager-vccbot-drill", "users", "")
    assert len(Side("d" * 63, "m" * 20, scratch=True).database) <= 63


@pytest.mark.parametrize("mark", ["a.b", "a/b", "x" * 21, "한"])
def test_a_mark_is_letters_digits_and_dashes(mark: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        Side("vcc-manager", mark)
