"""A reply as a letter: whole, inert, with one line of subject, and with lines to type where others have buttons."""

from __future__ import annotations

import datetime
import re
from email import message_from_bytes, policy
from html.parser import HTMLParser

from hypothesis import HealthCheck, given, settings

from bot.connectors.mail_text import render
from bot.model import Button, Reply, Tone
from bot.ops.mail import composed
from bot.ops.mail_values import Letter
from bot.words import Words
from tests.golden.any_reply import REPLIES
from tests.golden.replies import HOSTILE, replies
from tests.mail_parts import text_of

WORDS = Words("ko")
OURS = {"html", "body", "p", "strong", "br", "table", "tr", "th", "td", "div", "code"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert {name for name, _ in attrs} <= {"style", "lang"}

    def handle_data(self, data: str) -> None:
        self.said += data


def read(page: str) -> _Tags:
    tags = _Tags()
    tags.feed(page)
    return tags


@given(REPLIES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_reply_at_all_is_a_letter_that_holds_no_foreign_markup_and_no_foreign_header(reply: Reply) -> None:
    made = render(reply, WORDS)
    assert read(made.html).found <= OURS
    letter = Letter("a@b.kr", made.subject, made.text, made.html, "<1@b.kr>", (), datetime.datetime.now(datetime.UTC))
    came = message_from_bytes(composed(letter, "c@b.kr").as_bytes(), policy=policy.default)
    assert sorted(came.keys()) == sorted(["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"])
    assert len(made.subject) < 180
    assert text_of(came).splitlines() == made.text.splitlines()


def test_all_of_a_reply_is_in_both_forms() -> None:
    made = render(replies(WORDS)["status"], WORDS)
    for said in (made.text, read(made.html).said):
        assert all(part in said for part in ("VCC Manager", "3/4 services are up.", "mongodb", "웹툰 변환", "디스크"))


def test_a_button_is_a_line_to_type() -> None:
    made = render(Reply("t", buttons=(Button("확인", "alert ack 7"),)), WORDS)
    assert "  확인: /vcc alert ack 7" in made.text
    assert "확인: /vcc alert ack 7" in read(made.html).said


def test_a_hostile_reply_stays_text() -> None:
    made = render(replies(WORDS)["hostile"], WORDS)
    assert "<@U1|ada>" in made.text
    assert "\u202e" not in made.text
    assert "<@U1" not in re.sub(r"&lt;", "", made.html)
    assert "\x1b" not in made.subject
    assert HOSTILE.split(" ", maxsplit=1)[0] in read(made.html).said


def test_the_subject_tells_how_it_stands() -> None:
    assert render(Reply("디스크", tone=Tone.BAD), WORDS).subject == "[VCC] ✘ 디스크"
    assert render(Reply("a\r\nBcc: x@y.kr"), WORDS).subject == "[VCC] a Bcc: x@y.kr"


def test_what_could_not_come_along_is_named() -> None:
    assert "chart.png" in render(Reply("t"), WORDS, ["chart.png"]).text
