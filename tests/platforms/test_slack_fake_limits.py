"""The limits and refusals of the fake's Web API, asked through the real client with its own checks out of the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from slack_sdk.errors import SlackApiError

from tests.platforms.slack import FakeSlack, mentions
from tests.platforms.slack.app import client_of, workspace


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        fake.limits.enforced = False
        yield fake


async def call(slack: FakeSlack, method: str, **arguments: Any) -> dict[str, Any]:
    try:
        answer = await client_of(slack).api_call(method, json=arguments)
    except SlackApiError as refused:
        answer = refused.response
    assert isinstance(answer.data, dict)
    return answer.data


async def post(slack: FakeSlack, *blocks: dict[str, Any], text: str = "x") -> str:
    return str((await call(slack, "chat.postMessage", channel="C1", text=text, blocks=list(blocks))).get("error", "ok"))


def section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "a", "value": "v"} | changes


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def table(rows: int, columns: int = 2, text: str = "c") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]}


LEGAL = [
    [section("x" * 3000)],
    [{"type": "divider"}] * 50,
    [{"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}],
    [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 1000}] * 10}],
    [actions(*(button(action_id=f"a{number}") for number in range(25)))],
    [actions(button(value="v" * 2000, text={"type": "plain_text", "text": "x" * 75}))],
    [table(100, 20)],
    [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 10}],
    [{"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}]}]}],
    [{"type": "markdown", "text": "**x**"}],
    [{**section("x"), "accessory": button(style="danger")}],
]
ILLEGAL = [
    [section("x" * 3001)],
    [section("")],
    [{"type": "divider"}] * 51,
    [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
    [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
    [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}],
    [actions(*(button(action_id=f"a{number}") for number in range(26)))],
    [actions()],
    [actions(button(), button())],
    [actions(button(value="v" * 2001))],
    [actions(button(text={"type": "plain_text", "text": "x" * 76}))],
    [actions(button(action_id="a" * 256))],
    [actions(button(style="default"))],
    [{**section("x"), "accessory": button(text={"type": "plain_text", "text": "x" * 76})}],
    [{**section("x"), "block_id": "b" * 256}],
    [{**section("x"), "block_id": "b"}, {**section("y"), "block_id": "b"}],
    [table(101)],
    [table(1, 21)],
    [table(1), table(1)],
    [table(1, text="")],
    [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
    [{"type": "markdown", "text": "x" * 12_001}],
    [{"type": "nonsense"}],
    [{"text": "no type"}],
]


@pytest.mark.parametrize("blocks", LEGAL)
async def test_legal_blocks_are_shown(slack: FakeSlack, blocks: list[dict[str, Any]]) -> None:
    assert await post(slack, *blocks) == "ok"
    assert slack.messages("C1")[0].blocks == blocks


@pytest.mark.parametrize("blocks", ILLEGAL)
async def test_illegal_blocks_are_refused_and_nothing_is_shown(slack: FakeSlack, blocks: list[dict[str, Any]]) -> None:
    assert await post(slack, *blocks) == "invalid_blocks"
    assert slack.messages("C1") == []


async def test_blocks_legal_one_by_one_can_be_too_long_together(slack: FakeSlack) -> None:
    assert await post(slack, *[section("x" * 2750)] * 4) == "ok"
    assert await post(slack, *[section("x" * 2751)] * 4) == "msg_blocks_too_long"


async def test_text_is_cut_at_forty_thousand_with_a_warning(slack: FakeSlack) -> None:
    answer = await call(slack, "chat.postMessage", channel="C1", text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(slack.messages("C1")[0].text) == 40_000


async def test_an_update_takes_four_thousand_and_text_alone_takes_the_blocks_away(slack: FakeSlack) -> None:
    await post(slack, section("card"))
    message = slack.messages("C1")[0]
    assert (await call(slack, "chat.update", channel="C1", ts=message.ts, text="x" * 4001))["error"] == "msg_too_long"
    assert message.blocks
    assert (await call(slack, "chat.update", channel="C1", ts=message.ts, text="done"))["ok"]
    assert (message.text, message.blocks, len(message.edits)) == ("done", [], 1)


async def test_an_ephemeral_message_is_not_there_to_be_changed_or_read(slack: FakeSlack) -> None:
    answer = await call(slack, "chat.postEphemeral", channel="C1", user="U1", text="psst")
    assert (await call(slack, "chat.update", channel="C1", ts=answer["message_ts"], text="y"))["error"] == "message_not_found"
    assert (await call(slack, "conversations.history", channel="C1"))["messages"] == []
    assert slack.ephemerals("U1")[0].text == "psst"


async def test_a_form_carries_blocks_as_a_string(slack: FakeSlack) -> None:
    client = client_of(slack)
    await client.api_call("chat.postMessage", data={"channel": "C1", "blocks": '[{"type": "divider"}]'})
    assert slack.messages("C1")[0].blocks == [{"type": "divider"}]
    with pytest.raises(SlackApiError, match="invalid_blocks_format"):
        await client.api_call("chat.postMessage", data={"channel": "C1", "blocks": "[{"})


async def test_channels_refuse_by_their_own_names(slack: FakeSlack) -> None:
    slack.add_channel("C2", "elsewhere", members_include_bot=False)
    slack.add_channel("C3", "hidden", members_include_bot=False, private=True)
    slack.add_channel("C4", "old").archived = True
    errors = [(await call(slack, "chat.postMessage", channel=name, text="x"))["error"] for name in ("C9", "C2", "C3", "C4")]
    assert errors == ["channel_not_found", "not_in_channel", "channel_not_found", "is_archived"]


@pytest.mark.parametrize(
    ("name", "error"),
    [("Incident", "invalid_name_specials"), ("사건", "invalid_name_specials"), ("x" * 81, "invalid_name_maxlength"), ("ops", "name_taken")],
)
async def test_a_channel_name_must_be_plain_and_free(slack: FakeSlack, name: str, error: str) -> None:
    assert (await call(slack, "conversations.create", name=name))["error"] == error


async def test_a_war_room_can_be_made_furnished_and_filled(slack: FakeSlack) -> None:
    room = (await call(slack, "conversations.create", name="inc-2026-11-22"))["channel"]["id"]
    assert (await call(slack, "conversations.invite", channel=room, users="U1,U2"))["ok"]
    assert (await call(slack, "conversations.invite", channel=room, users="U1"))["error"] == "already_in_channel"
    assert (await call(slack, "conversations.setTopic", channel=room, topic="INC-1"))["channel"]["topic"]["value"] == "INC-1"
    ts = (await call(slack, "chat.postMessage", channel=room, text="start"))["ts"]
    assert (await call(slack, "pins.add", channel=room, timestamp=ts))["ok"]
    assert (await call(slack, "pins.add", channel=room, timestamp=ts))["error"] == "already_pinned"
    refused = await call(slack, "bookmarks.add", channel_id=room, title="runbook", type="link", link="file:///x")
    assert refused["error"] == "invalid_link"
    members = await call(slack, "conversations.members", channel=room)
    assert members["members"] == ["U1", "U2", slack.bot_user]


async def test_groups_can_be_missing_disabled_or_not_in_the_plan(slack: FakeSlack) -> None:
    assert (await call(slack, "usergroups.users.list", usergroup="S1"))["users"] == ["U1"]
    slack.site.world.groups["S1"].disabled = True
    assert (await call(slack, "usergroups.users.list", usergroup="S1"))["error"] == "no_such_subteam"
    slack.plan_upgrade_required = True
    assert (await call(slack, "usergroups.list"))["error"] == "plan_upgrade_required"


async def test_history_is_newest_first_without_replies_and_bounded(slack: FakeSlack) -> None:
    first = (await call(slack, "chat.postMessage", channel="C1", text="1"))["ts"]
    await call(slack, "chat.postMessage", channel="C1", text="reply", thread_ts=first)
    await call(slack, "chat.postMessage", channel="C1", text="2")
    history = await call(slack, "conversations.history", channel="C1", limit=1)
    assert ([message["text"] for message in history["messages"]], history["has_more"]) == (["2"], True)
    later = await call(slack, "conversations.history", channel="C1", oldest=first)
    assert [message["text"] for message in later["messages"]] == ["2"]
    thread = await call(slack, "conversations.replies", channel="C1", ts=first)
    assert [message["text"] for message in thread["messages"]] == ["1", "reply"]


async def test_unescaped_mentions_are_noted_and_escaped_ones_are_not(slack: FakeSlack) -> None:
    await post(slack, section("&lt;!channel&gt; @here"), section("<!here>", "plain_text"), text="&lt;@U1&gt; @channel")
    assert slack.notifications == []
    await post(slack, section("<!subteam^S1|admins>"), {"type": "markdown", "text": "<@U2>"}, text="<!here>")
    assert {(note.kind, note.target) for note in slack.notifications} == {("here", "here"), ("group", "S1"), ("user", "U2")}


async def test_plain_names_mention_only_when_asked_for(slack: FakeSlack) -> None:
    await call(slack, "chat.postMessage", channel="C1", text="@channel mail a@b.kr", link_names=True)
    assert [note.kind for note in slack.notifications] == ["channel"]
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "everyone"}]}]}
    assert list(mentions.in_blocks([rich])) == [("everyone", "everyone")]
