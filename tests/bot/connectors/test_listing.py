"""What the chat renderers say alike: marks in colour, and wide tables as lists."""

from __future__ import annotations

import pytest

from bot.connectors.listing import entries, is_wide, painted
from bot.model import Reply, Table


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "✘ Error logs: 94\n! Disk: 85%\n? Queue\n☐ Review\n✔ Services",
            "❌ Error logs: 94\n⚠️ Disk: 85%\n❓ Queue\n⬜ Review\n✅ Services",
        ),
        ("backend ✔ frontend ✘", "backend ✅ frontend ❌"),
        ("✘1 !2 ✔3", "❌1 ⚠️2 ✅3"),
        ("Stop! Why? ! not at the start", "Stop! Why? ! not at the start"),
        ("!important ?", "!important ?"),
    ],
)
def test_marks_are_shown_in_colour_and_other_signs_stay(said: str, shown: str) -> None:
    reply = painted(Reply("t", said, fields=(("f", said),), tables=(Table(("a",), ((said,),)),), code=said))
    assert (reply.text, reply.fields[0][1], reply.tables[0].rows[0][0]) == (shown, shown, shown)
    assert reply.code == said, "what is quoted stays as it is"


def test_a_table_of_more_than_forty_columns_breaks_on_a_phone() -> None:
    assert not is_wide(Table(("name", "what"), (("x" * 10, "y" * 28),)))
    assert is_wide(Table(("name", "what"), (("x" * 10, "y" * 29),)))
    assert is_wide(Table(("이름", "뜻"), (("가" * 10, "나" * 10),)))
    assert not is_wide(Table((), ()))


def test_a_row_is_told_by_what_it_is_about_and_its_values_by_their_names() -> None:
    table = Table(("service", "state", "health", "restarts"), (("backend", "running", "healthy", "0"), ("redis", "exited", "-", "")))
    assert list(entries(table)) == [("backend", "state running · health healthy · restarts 0"), ("redis", "state exited")]


def test_a_mark_stands_before_the_name_and_one_value_alone_needs_no_name() -> None:
    table = Table(("", "part", "state"), (("✅", "redis", "6.2\n84 keys"), ("❌", "", "-")))
    assert list(entries(table)) == [("✅ redis", "6.2 84 keys"), ("❌", "")]
    assert list(entries(Table(("name",), (("",),)))) == [("-", "")]
