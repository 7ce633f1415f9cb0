"""Slack's markup to plain text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.connectors.slack_text import escaped, plain
from tests.platforms.slack.mentions import in_text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("logs search &lt;b&gt; &amp;&amp; x", "logs search <b> && x"),
        ("access explain <@U2|ben> restart", "access explain slack:U2 restart"),
        ("<@U2>", "slack:U2"),
        ("in <#C9|ops>", "in slack:C9"),
        ("<!subteam^S1|@admins>", "slack-group:S1"),
        ("<!here> <!channel|channel>", "@here channel"),
        ("check <http://example.com|example.com> now", "check example.com now"),
        ("<https://a.b/c?d=1&amp;e=2>", "https://a.b/c?d=1&e=2"),
        ("<https://evil.test|harmless words>", "https://evil.test"),
        ("&amp;lt;not a tag&amp;gt;", "&lt;not a tag&gt;"),
    ],
)
def test_what_people_type_reaches_us_as_they_meant_it(typed: str, meant: str) -> None:
    assert plain(typed) == meant


@given(st.text(alphabet="<>&;!@#|UCS1amplt ", max_size=80), st.integers(10, 60))
def test_escaped_text_names_nobody_and_keeps_its_limit(text: str, limit: int) -> None:
    safe = escaped(text, limit)
    assert len(safe) <= limit
    assert not list(in_text(safe))
    assert "<" not in safe
    assert ">" not in safe
    assert text.startswith(plain(safe.removesuffix("…"))) or plain(safe) == text
