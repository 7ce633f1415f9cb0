"""The renderer of Slack messages: within every limit for any reply, inert, complete, and as the golden files show it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import slackblocks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from bot.connectors.slack_blocks import Rendered, render
from bot.model import Button, Reply
from bot.words import Words
from tests.golden.any_reply import REPLIES
from tests.golden.replies import LANGUAGES, replies
from tests.platforms.slack.blocks import check_blocks
from tests.platforms.slack.limits import POST_TEXT, UPDATE_TEXT, check_sum, text_size
from tests.platforms.slack.mentions import in_blocks, in_text

GOLDEN = Path(__file__).parents[2] / "golden" / "slack"
WORDS = Words("ko")


def parts_of(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [part for item in node for part in parts_of(item)]
    if isinstance(node, dict):
        return [node, *(part for item in node.values() for part in parts_of(item))]
    return []


def said(rendered: Rendered) -> str:
    return "\n".join(str(part["text"]) for part in parts_of(rendered.blocks) if isinstance(part.get("text"), str))


def built_strictly(block: dict[str, Any]) -> None:
    """slackblocks judges what it is built with; it cannot read every kind of block back."""
    if block["type"] in ("header", "context"):
        slackblocks.Block.from_dict(block)
    elif block["type"] == "table":
        slackblocks.TableBlock([[slackblocks.RawText(cell["text"]) for cell in row] for row in block["rows"]])
    elif block["type"] == "actions":
        buttons: list[Any] = [
            slackblocks.Button(each["text"]["text"], each["action_id"], value=each["value"]) for each in block["elements"]
        ]
        slackblocks.ActionsBlock(buttons)


def assert_legal(rendered: Rendered) -> None:
    check_blocks(rendered.blocks)  # slack_sdk's and slackblocks' validators, and what both miss
    check_sum(rendered.blocks)
    assert text_size(rendered.blocks) <= 9_500
    assert len(rendered.text) <= UPDATE_TEXT < POST_TEXT
    for block in rendered.blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
        built_strictly(block)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(REPLIES, st.booleans())
def test_any_reply_is_a_legal_message_that_calls_nobody_but_those_it_is_to_call(reply: Reply, direct: bool) -> None:
    rendered = render(reply, WORDS, asker="ada", direct=direct)
    assert_legal(rendered)
    wanted = {("user", each.id) for each in reply.mentions if each.platform == "slack"}
    assert set(in_blocks(rendered.blocks)) == set(in_text(rendered.text)) <= wanted
    json.dumps(rendered.blocks).encode("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(replies(WORDS)))
def test_a_reply_looks_as_its_golden_file_shows(name: str, language: str) -> None:
    rendered = render(replies(Words(language))[name], Words(language), asker="ada")
    assert_legal(rendered)
    shown = {"text": rendered.text, "blocks": rendered.blocks, "files": [[file.name, len(file.content)] for file in rendered.files]}
    path = GOLDEN / f"{name}.{language}.json"
    if os.environ.get("VCC_GOLDEN") == "write":
        path.write_text(json.dumps(shown, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert json.loads(json.dumps(shown)) == json.loads(path.read_text(encoding="utf-8"))


def test_no_foreign_text_stands_where_slack_reads_markup() -> None:
    rendered = render(replies(WORDS)["hostile"], WORDS)
    assert {part["type"] for part in parts_of(rendered.blocks) if "type" in part} <= {
        "header",
        "plain_text",
        "rich_text",
        "rich_text_section",
        "rich_text_preformatted",
        "text",
        "table",
        "raw_text",
        "context",
        "actions",
        "button",
    }
    assert "<" not in rendered.text
    assert "\x1b" not in said(rendered)
    assert "\u202e" not in said(rendered)


def test_what_does_not_fit_is_whole_in_the_file_and_the_message_says_so() -> None:
    reply = replies(WORDS)["long_log"]
    rendered = render(reply, WORDS)
    (file,) = rendered.files
    whole = file.content.decode()
    assert reply.code in whole
    assert all(row[0] in whole for row in reply.tables[0].rows)
    assert file.name in said(rendered)
    assert text_size(rendered.blocks) > 5_000, "what fits is shown"


def test_what_fits_needs_no_file() -> None:
    rendered = render(replies(WORDS)["status"], WORDS)
    assert rendered.files == ()
    cells = [cell["text"] for block in rendered.blocks if block["type"] == "table" for row in block["rows"] for cell in row]
    assert cells[:5] == ["service", "state", "health", "restarts", "uptime"]
    assert "image-generation" in said(rendered)


def test_a_button_carries_the_very_line_it_types() -> None:
    card = replies(WORDS)["card"]
    buttons = [part for part in parts_of(render(card, WORDS).blocks) if part.get("type") == "button"]
    assert [button["value"] for button in buttons] == [button.types for button in card.buttons]
    assert [button.get("style") for button in buttons] == ["primary", "danger"]


def test_a_button_whose_line_is_too_long_to_carry_is_left_to_the_file() -> None:
    rendered = render(Reply("t", buttons=(Button("go", "x " * 1_500),)), WORDS)
    assert not [part for part in parts_of(rendered.blocks) if part.get("type") == "button"]
    assert len(rendered.files) == 1


def test_a_message_with_a_picture_tells_where_it_is() -> None:
    picture = replies(WORDS)["picture"]
    assert WORDS("slack.picture_below") in said(render(picture, WORDS))
    assert WORDS("slack.picture_below") not in said(render(Reply("t", files=picture.files[1:]), WORDS))
    assert WORDS("slack.picture_below") not in said(render(picture, WORDS, below=True)), "in a thread it follows at once"
    private = said(render(picture, WORDS, direct=True))
    assert WORDS("slack.files_direct") in private
    assert WORDS("slack.picture_below") not in private


def test_only_the_people_a_reply_is_to_call_are_called() -> None:
    rendered = render(replies(WORDS)["call"], WORDS)
    assert list(in_blocks(rendered.blocks)) == list(in_text(rendered.text)) == [("user", "U0KIM")]


def test_a_message_names_who_asked_and_tells_where_private_files_go() -> None:
    assert WORDS("slack.asked_by", name="ada") in said(render(Reply("t"), WORDS, asker="ada"))
    assert WORDS("slack.files_direct") not in said(render(Reply("t"), WORDS, direct=True))
    assert WORDS("slack.files_direct") in said(render(Reply("t", "x" * 20_000), WORDS, direct=True))
