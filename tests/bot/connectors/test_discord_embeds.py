"""The renderer of Discord messages: within every limit for any reply, inert, complete, and as the golden files show it."""

from __future__ import annotations

import functools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.connectors.discord_embeds import PREFIX, Rendered, line_of, render
from bot.connectors.discord_text import code_block, escaped, fitted, size
from bot.model import Attachment, Button, Reply, Table
from bot.words import Words
from tests.golden.any_reply import REPLIES, TEXTS
from tests.golden.replies import LANGUAGES, replies
from tests.parts import absent
from tests.platforms.discord import Oracle
from tests.platforms.discord.message_rules import check_message, check_not_empty

GOLDEN = Path(__file__).parents[2] / "golden" / "discord"
WORDS = Words("ko")
POST = "/channels/{channel_id}/messages"


@functools.cache
def oracle() -> Oracle | None:
    return Oracle() if Oracle.present() else None


def assert_legal(rendered: Rendered) -> None:
    body = json.loads(json.dumps(rendered.body))
    check_message(body)
    check_not_empty(body["content"], body["embeds"], body["components"], [])
    assert size(body["content"]) <= 2_000
    assert sum(map(size, _embed_texts(body))) <= 6_000
    assert len(rendered.texts) + len(rendered.files) <= 10
    pictures = [file.name for file in rendered.files if file.is_picture]
    assert [f"attachment://{name}" for name in pictures] == [embed["image"]["url"] for embed in body["embeds"] if "image" in embed]
    assert len(set(pictures)) == len(pictures)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", name) for name in pictures), "Discord keeps these names as they are"
    called = re.findall(r"(?<!\\)<@([0-9]+)>", body["content"])
    assert body["allowed_mentions"] == ({"parse": [], "users": called} if called else {"parse": []})
    faults = oracle()
    assert faults is None or faults.faults_in_request("POST", POST, body) == []


def _embed_texts(body: Any) -> list[str]:
    texts = []
    for embed in body["embeds"]:
        texts += [embed.get("description", ""), embed.get("footer", {}).get("text", "")]
        texts += [text for field in embed.get("fields", ()) for text in (field["name"], field["value"])]
    return texts


def said(rendered: Rendered) -> str:
    return "\n".join([rendered.body["content"], *_embed_texts(rendered.body)])


def _unfenced(text: str) -> str:
    return re.sub(r"(?s)^```\n.*?\n```$", "", text, flags=re.MULTILINE)


@given(REPLIES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_reply_at_all_is_a_legal_message(reply: Reply) -> None:
    assert_legal(render(reply, WORDS))


def test_only_the_people_a_reply_is_to_call_are_called() -> None:
    body = render(replies(WORDS)["call"], WORDS).body
    assert body["content"].endswith("** <@4201>")
    assert body["allowed_mentions"] == {"parse": [], "users": ["4201"]}


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_escaped_text_reads_as_it_came_and_holds_no_markup(text: str) -> None:
    shown = escaped(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_~|<>\[\]]", shown)
    assert "@everyone" not in shown
    assert "@here" not in shown


@given(TEXTS, st.integers(0, 300))
@settings(max_examples=200, deadline=None)
def test_cut_text_keeps_its_escapes_whole(text: str, limit: int) -> None:
    shown, whole = fitted(text, limit)
    assert size(shown) <= limit
    assert whole == (size(escaped(text)) <= limit)
    assert not re.search(r"(?<!\\)(?:\\\\)*\\$", shown.removesuffix("…"))


@given(TEXTS, st.integers(0, 500))
@settings(max_examples=200, deadline=None)
def test_nothing_gets_out_of_a_code_block(text: str, limit: int) -> None:
    block, _ = code_block(text, limit)
    assert size(block) <= max(0, limit)
    assert block.count("```") in (0, 2)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(replies(WORDS)))
def test_a_reply_looks_as_its_golden_file_shows(name: str, language: str) -> None:
    words = Words(language)
    rendered = render(replies(words)[name], words)
    assert_legal(rendered)
    drawn = {"body": rendered.body, "texts": [[name, len(text)] for name, text in rendered.texts]}
    shown = json.dumps(drawn, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path = GOLDEN / f"{name}.{language}.json"
    if os.environ.get("VCC_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == shown


def test_the_bodies_satisfy_discords_own_description() -> None:
    described = oracle()
    if described is None:
        absent("discord-openapi.json is not beside the repository")
    for reply in replies(WORDS).values():
        assert described.faults_in_request("POST", POST, json.loads(json.dumps(render(reply, WORDS).body))) == []
    assert described.faults_in_request("POST", POST, {"content": 5}) != []


def test_hostile_text_mentions_nobody_and_formats_nothing() -> None:
    rendered = render(replies(WORDS)["hostile"], WORDS)
    (embed,) = rendered.body["embeds"]
    shown = _unfenced(said(rendered).replace(embed["footer"]["text"], ""))  # Discord reads no markup in a footer
    for markup in ("<@1>", "<@&2>", "<#3>", "@everyone", "@here", "[a](", "\u202e", "\x1b"):
        assert markup not in shown
    assert "\\<!channel\\>" in shown
    assert "@everyone" not in embed["footer"]["text"]


def test_what_does_not_fit_goes_out_whole_as_a_file() -> None:
    rendered = render(replies(WORDS)["long_log"], WORDS)
    ((name, text),) = rendered.texts
    assert name == "whole-answer.txt"
    assert "job 399 failed" in text
    assert WORDS("discord.see_file") in said(rendered)


def test_one_very_long_line_is_whole_in_the_file() -> None:
    rendered = render(Reply("t", "x" * 10_000), WORDS)
    assert "x" * 10_000 in rendered.texts[0][1]
    assert size(said(rendered)) < 6_000


def test_what_fits_has_no_file() -> None:
    assert render(replies(WORDS)["status"], WORDS).texts == ()


def test_the_files_of_a_reply_go_with_it() -> None:
    files = tuple(Attachment(f"{number}.txt", Path(f"{number}.txt")) for number in range(12))
    assert render(Reply("t", files=files[:3]), WORDS).files == files[:3]
    assert len(render(Reply("t", files=files), WORDS).files) == 9


def test_pictures_stand_in_the_answer_each_under_a_name_of_its_own() -> None:
    names = ("cpu 24h.png", "cpu_24h.png", "그림.png", "c.txt")
    files = tuple(Attachment(name, Path(name), "image/png" if name.endswith("png") else "text/plain", "alt") for name in names)
    rendered = render(Reply("t", "text", files=files), WORDS)
    assert [file.name for file in rendered.files] == ["cpu-24h.png", "cpu-24h-1.png", "picture.png", "c.txt"]
    assert rendered.body["embeds"][0]["description"] == "text"
    assert_legal(rendered)


def test_buttons_carry_the_line_they_type() -> None:
    rendered = render(Reply("t", buttons=(Button("Go", "approve 1 --plan abc", "primary"),)), WORDS)
    (button,) = rendered.body["components"][0]["components"]
    assert (button["custom_id"], button["style"]) == (f"{PREFIX}approve 1 --plan abc", 1)
    assert line_of(button["custom_id"]) == "approve 1 --plan abc"
    assert line_of("other") is None
    assert line_of(PREFIX) is None


def test_a_button_whose_line_is_too_long_is_written_out_in_the_file() -> None:
    line = "approve 1 " + "x" * 100
    rendered = render(Reply("t", buttons=(Button("Go", line),)), WORDS)
    assert rendered.body["components"] == []
    assert line in rendered.texts[0][1]


def test_a_table_too_wide_for_a_phone_becomes_a_list() -> None:
    table = Table(("name", "what"), (("backend", "x" * 55), ("redis", "y")))
    shown = said(render(Reply("t", tables=(table,)), WORDS))
    assert "```" not in shown
    assert "**redis** — y" in shown
