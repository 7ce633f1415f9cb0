"""The fake Slack, driven by the real Bolt over Socket Mode: commands, buttons, files, modals and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond, AsyncSay
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack import FakeSlack
from tests.platforms.slack.app import app_of, client_of, connected, workspace

CARD: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Delete 12 files?"}},
    {
        "type": "actions",
        "elements": [
            {"type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "types", "value": "approve 1"},
            {"type": "button", "text": {"type": "plain_text", "text": "Deny"}, "action_id": "denies", "value": "deny 1"},
        ],
    },
]


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        yield fake


def app_with_command(slack: FakeSlack) -> AsyncApp:
    app = app_of(slack)

    @app.command("/vcc")
    async def run(ack: AsyncAck, say: AsyncSay, respond: AsyncRespond, command: dict[str, Any]) -> None:
        await ack()
        await say(f"running {command['text']}")
        await respond("only you see this")

    return app


async def test_a_command_is_acknowledged_said_and_answered_in_private(slack: FakeSlack) -> None:
    async with connected(slack, app_with_command(slack)):
        delivery = await (await slack.slash("U1", "C1", text="status")).acked()
        await slack.until(lambda: delivery.shown)
    assert delivery.acked_within_3s
    assert [message.text for message in slack.messages("C1")] == ["running status"]
    assert [message.text for message in slack.ephemerals("U1")] == ["only you see this"]
    assert slack.ephemerals("U2") == []


async def test_an_ack_can_carry_the_answer(slack: FakeSlack) -> None:
    app = app_of(slack)

    @app.command("/vcc")
    async def run(ack: AsyncAck) -> None:
        await ack(text="everybody", response_type="in_channel")

    async with connected(slack, app):
        await (await slack.slash("U1", "C1")).acked()
    assert [message.text for message in slack.messages("C1")] == ["everybody"]


async def test_a_command_not_acknowledged_in_three_seconds_tells_the_person(slack: FakeSlack) -> None:
    app, release = app_of(slack), asyncio.Event()

    @app.command("/vcc")
    async def run(ack: AsyncAck) -> None:
        await release.wait()
        await ack("too late")

    async with connected(slack, app):
        delivery = await slack.slash("U1", "C1")
        slack.clock.advance(3.1)
        await slack.until(lambda: slack.ephemerals("U1"))
        release.set()
        await delivery.acked()
    assert not delivery.acked_within_3s
    assert [message.text for message in slack.ephemerals("U1")] == ['/vcc failed with the error "operation_timeout"']


async def test_a_command_with_no_connection_tells_the_person(slack: FakeSlack) -> None:
    delivery = await slack.slash("U1", "C1")
    assert delivery.error == "dispatch_failed"
    assert "dispatch_failed" in slack.ephemerals("U1")[0].text


async def test_a_button_press_can_replace_the_card(slack: FakeSlack) -> None:
    app = app_of(slack)

    @app.action("types")
    async def pressed(ack: AsyncAck, respond: AsyncRespond, action: dict[str, Any], body: dict[str, Any]) -> None:
        await ack()
        await respond(f"{body['user']['id']} typed {action['value']}", replace_original=True)

    async with connected(slack, app):
        posted = await client_of(slack).chat_postMessage(channel="C1", text="card", blocks=CARD)
        await (await slack.press("U2", posted["ts"], "Approve")).acked()
        await slack.until(lambda: slack.messages("C1")[0].edits)
    card = slack.messages("C1")[0]
    assert card.text == "U2 typed approve 1"
    assert card.blocks == []
    with pytest.raises(LookupError):
        await slack.press("U2", card, "Approve")


async def test_a_press_on_an_ephemeral_carries_no_message_and_can_delete_it(slack: FakeSlack) -> None:
    app, seen = app_of(slack), list[dict[str, Any]]()

    @app.action("denies")
    async def pressed(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        seen.append(body)
        await respond(delete_original=True)

    async with connected(slack, app):
        await client_of(slack).chat_postEphemeral(channel="C1", user="U1", text="card", blocks=CARD)
        card = slack.ephemerals("U1")[0]
        with pytest.raises(LookupError):
            await slack.press("U2", card, 1)
        await slack.press("U1", card, 1)
        await slack.until(lambda: card.deleted)
    assert "message" not in seen[0]
    assert seen[0]["container"]["is_ephemeral"] is True


async def test_a_response_url_is_good_five_times_and_for_half_an_hour(slack: FakeSlack) -> None:
    app, responds = app_of(slack), list[AsyncRespond]()

    @app.command("/vcc")
    async def run(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        responds.append(respond)

    async with connected(slack, app):
        await (await slack.slash("U1", "C1")).acked()
        await (await slack.slash("U1", "C1")).acked()
        await slack.until(lambda: len(responds) == 2)
        answers = [(await responds[0]("again")).status_code for _ in range(6)]
        slack.clock.advance(30 * 60 + 1)
        expired = await responds[1]("late")
    assert answers == [200] * 5 + [404]
    assert "expired_url" in expired.body


async def test_a_file_goes_through_both_steps_and_the_upload(slack: FakeSlack) -> None:
    client = client_of(slack)
    thread = (await client.chat_postMessage(channel="C1", text="logs"))["ts"]
    await client.files_upload_v2(channel="C1", thread_ts=thread, filename="a.log", title="Log", content="한글 로그", initial_comment="here")
    file = slack.files("C1")[0]
    assert (file.name, file.title, file.bytes.decode(), file.thread_ts) == ("a.log", "Log", "한글 로그", thread)
    assert slack.messages("C1")[1].files == [file.id]


async def test_a_picture_is_described_in_a_thousand_characters(slack: FakeSlack) -> None:
    client = client_of(slack)
    await client.files_upload_v2(channel="C1", filename="a.png", content=b"png", alt_txt="x" * 1_000)
    assert slack.files("C1")[0].alt == "x" * 1_000
    with pytest.raises(SlackApiError) as refused:
        await client.files_upload_v2(channel="C1", filename="a.png", content=b"png", alt_txt="x" * 1_001)
    assert refused.value.response["error"] == "alt_txt_too_large"


async def test_a_file_for_a_channel_without_the_bot_is_refused(slack: FakeSlack) -> None:
    slack.add_channel("C2", "elsewhere", members_include_bot=False)
    with pytest.raises(SlackApiError) as refused:
        await client_of(slack).files_upload_v2(channel="C2", filename="a.log", content="x")
    assert refused.value.response["error"] == "not_in_channel"
    assert slack.files("C2") == []


async def test_a_trigger_opens_one_modal_within_three_seconds(slack: FakeSlack) -> None:
    app, submitted = app_of(slack), list[dict[str, Any]]()
    view = {"type": "modal", "callback_id": "code", "title": {"type": "plain_text", "text": "Code"}, "blocks": CARD[:1]}

    @app.view("code")
    async def sent(ack: AsyncAck, view: dict[str, Any]) -> None:
        await ack()
        submitted.append(view["state"]["values"])

    async with connected(slack, app_with_command(slack)):
        fresh, late = await slack.slash("U1", "C1"), await slack.slash("U1", "C1")
    opened = await client_of(slack).views_open(trigger_id=fresh.trigger_id, view=view)
    assert await _error(client_of(slack).views_open(trigger_id=fresh.trigger_id, view=view)) == "exchanged_trigger_id"
    slack.clock.advance(3.1)
    assert await _error(client_of(slack).views_open(trigger_id=late.trigger_id, view=view)) == "expired_trigger_id"
    async with connected(slack, app):
        await (await slack.submit("U1", opened["view"]["id"], {"b": {"a": {"value": "1234"}}})).acked()
    assert submitted == [{"b": {"a": {"value": "1234"}}}]


async def test_an_event_comes_again_when_nobody_acknowledges_it(slack: FakeSlack) -> None:
    delivery = await slack.say("U1", "C1", f"<@{slack.bot_user}> help")
    seen: list[tuple[str, str]] = []
    app = app_of(slack)

    @app.event("app_mention")
    async def heard(ack: AsyncAck, body: dict[str, Any], request: Any) -> None:
        seen.append((body["event_id"], request.headers.get("x-slack-retry-num", ["0"])[0]))

    async with connected(slack, app):
        slack.clock.advance(3.1)
        await delivery.acked()
        await slack.redeliver(delivery, attempt=2)
        await slack.until(lambda: len(seen) == 2)
    assert seen == [(delivery.payload["event_id"], "1"), (delivery.payload["event_id"], "2")]


async def test_rate_limits_answer_429_and_the_real_retry_handler_waits(slack: FakeSlack) -> None:
    client = client_of(slack)
    for number in range(5):
        await client.chat_postMessage(channel="C1", text=str(number))
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel="C1", text="too fast")
    assert limited.value.response.headers["Retry-After"] == "1"
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    slack.add_channel("C2", "second")
    slack.fail("chat.postMessage", status=429, retry_after=0)
    await client.chat_postMessage(channel="C2", text="second try")
    assert [call.status for call in slack.calls_of("chat.postMessage")][-2:] == [429, 200]
    slack.clock.advance(1)
    await client.chat_postMessage(channel="C1", text="later")


async def test_a_tier_is_counted_by_the_minute(slack: FakeSlack) -> None:
    client = client_of(slack)
    for _ in range(20):
        await client.usergroups_users_list(usergroup="S1")
    assert await _error(client.usergroups_users_list(usergroup="S1")) == "ratelimited"
    slack.clock.advance(60)
    assert (await client.usergroups_users_list(usergroup="S1"))["users"] == ["U1"]


async def _error(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_the_client_can_be_any_number_of_real_clients_at_once(slack: FakeSlack) -> None:
    clients: list[AsyncWebClient] = [client_of(slack) for _ in range(3)]
    stamps = await asyncio.gather(*(client.chat_postMessage(channel="C1", text="x") for client in clients))
    assert len({answer["ts"] for answer in stamps}) == 3
