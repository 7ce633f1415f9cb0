"""Replies of every shape and size, for property tests: whatever a handler says, a renderer must stay within its platform's limits."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from bot.model import Account, Attachment, Button, Outcome, Reply, Table, Tone
from tests.golden.replies import HOSTILE

_ODD = ["", " ", "\n", "\x00", "x" * 9_000, "가나다 " * 4_000, "*_`" * 3_000, "&<>" * 3_000, "a\n" * 6_000, HOSTILE, "\ud800", "```"]
TEXTS = st.one_of(
    st.text(max_size=40), st.text(alphabet=st.characters(codec="utf-8"), max_size=400), st.sampled_from([*_ODD, "😀" * 3_000])
)
TABLES = st.builds(
    Table,
    st.lists(TEXTS, max_size=25).map(tuple),
    st.one_of(
        st.lists(st.lists(TEXTS, max_size=25).map(tuple), max_size=5).map(tuple),
        st.integers(0, 300).map(lambda count: tuple(("cell", str(row), "값" * 40) for row in range(count))),
    ),
    TEXTS,
)
PICTURES = st.lists(st.builds(Attachment, TEXTS, st.just(Path("a.png")), st.just("image/png"), TEXTS), max_size=14).map(tuple)
_IDS = st.sampled_from(["U1", "W2", "17", "0", "!here", "@1", "U1>", "\uff11", ""])
_STYLES = st.sampled_from(["default", "primary", "danger", "strange"])
REPLIES = st.builds(
    Reply,
    title=TEXTS,
    text=TEXTS,
    outcome=st.sampled_from(Outcome),
    tone=st.sampled_from(Tone),
    fields=st.one_of(
        st.lists(st.tuples(TEXTS, TEXTS), max_size=6).map(tuple), st.integers(0, 90).map(lambda count: (("name", "value " * 30),) * count)
    ),
    tables=st.lists(TABLES, max_size=4).map(tuple),
    code=TEXTS,
    files=st.one_of(st.integers(0, 14).map(lambda count: (Attachment("a.txt", Path("a.txt")),) * count), PICTURES),
    buttons=st.lists(st.builds(Button, TEXTS, TEXTS, _STYLES), max_size=60).map(tuple),
    footer=TEXTS,
    reference=TEXTS,
    private=st.booleans(),
    mentions=st.lists(st.builds(Account, st.sampled_from(["slack", "discord", "local"]), st.one_of(_IDS, TEXTS)), max_size=14).map(tuple),
)
