"""The other ways in and the set-up: signed HTTP, user groups as roles, and what ``check`` finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.connectors.slack_manifest import BOT_SCOPES
from tests.platforms.slack import FakeSlack
from tests.platforms.slack_house import House, house, text_of, workspace

HTTP = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "fake-signing-secret"}
GROUPS = {"VCC_ADMINS": "slack-group:S1,slack:U1"}


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        fake.add_group("S1", "admins", ["U2"])
        yield fake


@pytest_asyncio.fixture
async def over_http(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[House]:
    async with house(slack, tmp_path, HTTP) as running:
        yield running


async def test_signed_requests_are_heard_and_answered(over_http: House) -> None:
    bot = over_http
    command = await (await bot.slack.slash("U3", "C1", text="wipe x", transport="http")).acked()
    (card,) = await bot.posted()
    press = await (await bot.slack.press("U1", card, 0, transport="http")).acked()
    await bot.until(lambda: bot.bench.runs)
    await (await bot.slack.say("U3", "C1", f"<@{bot.slack.bot_user}> say hi", transport="http")).acked()
    await bot.settled()
    assert bot.bench.runs == ["wipe x", "say hi"]
    assert command.acked_within_3s
    assert press.acked_within_3s
    assert bot.slack.connections == 0


@pytest.mark.parametrize("signature", ["tampered", "stale", "future", "missing"])
async def test_a_request_that_is_not_slacks_is_refused(over_http: House, signature: str) -> None:
    delivery = await over_http.slack.slash("U1", "C1", text="say hi", transport="http", signature=signature)
    await over_http.until(lambda: delivery.statuses)
    assert delivery.statuses == [401]
    assert over_http.bench.runs == []


async def test_a_repeated_request_runs_once(over_http: House) -> None:
    delivery = await (await over_http.slack.slash("U3", "C1", text="say once", transport="http")).acked()
    await over_http.slack.redeliver(delivery)
    await over_http.settled()
    assert delivery.statuses == [200, 200]
    assert over_http.bench.runs == ["say once"]


async def test_members_of_a_group_hold_its_role_and_are_asked_for_once_a_minute(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, GROUPS) as bot:
        for _ in range(3):
            await (await slack.slash("U2", "C1", text="say hi")).acked()
        await bot.posted(3)
        await (await slack.slash("U9", "C1", text="say hi")).acked()
        assert "slack:U9" in text_of((await bot.whispered("U9"))[0])
        assert len(slack.calls_of("usergroups.users.list")) == 1


async def test_groups_that_cannot_be_known_grant_nothing(slack: FakeSlack, tmp_path: Path) -> None:
    slack.plan_upgrade_required = True
    async with house(slack, tmp_path, GROUPS) as bot:
        await (await slack.slash("U2", "C1", text="say hi")).acked()
        (told,) = await bot.whispered("U2")
        assert bot.word("permissions.roles_unknown", account="slack:U2", admins="slack-group:S1, slack:U1") in text_of(told)
        await (await slack.slash("U1", "C1", text="say hi")).acked()
        await bot.posted()
        assert bot.bench.runs == ["say hi"]


async def test_a_group_that_is_gone_grants_nothing(slack: FakeSlack, tmp_path: Path) -> None:
    slack.remove_group("S1")
    async with house(slack, tmp_path, GROUPS) as bot:
        await (await slack.slash("U2", "C1", text="say hi")).acked()
        await bot.whispered("U2")
        assert bot.bench.runs == []


async def states(bot: House) -> dict[str, str]:
    return {finding.part: finding.state for finding in await bot.door.check(bot.app.words)}


async def test_check_is_content_with_a_good_set_up(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, GROUPS) as bot:
        assert await states(bot) == {"slack": "ok", "slack socket": "ok", "slack C1": "ok", "slack S1": "ok"}


async def test_check_names_what_is_missing_with_its_fix(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, {"VCC_CHANNEL_OPS": "slack:C1,slack:C9,slack:C404", **GROUPS}) as bot:
        slack.scopes.intersection_update(set(BOT_SCOPES) - {"files:write"})
        slack.plan_upgrade_required = True
        found = {finding.part: finding for finding in await bot.door.check(bot.app.words)}
        assert {part for part, finding in found.items() if finding.state == "bad"} == {"slack scopes", "slack C9", "slack C404", "slack S1"}
        assert "files:write" in found["slack scopes"].text
        assert (found["slack rooms"].state, "channels:manage" in found["slack rooms"].text) == ("warn", True)
        assert "plan_upgrade_required" in found["slack S1"].text
        assert all(finding.fix for finding in found.values() if finding.state != "ok")
        slack.site.token_error = "token_revoked"
        assert await states(bot) == {"slack": "bad"}


async def test_check_in_http_mode_needs_no_app_token(over_http: House) -> None:
    assert (await states(over_http))["slack http"] == "ok"


async def test_a_slack_that_is_not_reached_is_no_fault_of_the_token(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, GROUPS) as bot:
        slack.site.token_error = "invalid_auth"
        (refused,) = await bot.door.check(bot.app.words)
        assert refused.fix == bot.word("slack.check.token_fix")
        await slack.stop()
        (lost,) = await bot.door.check(bot.app.words)
        assert lost.fix == bot.word("slack.check.network_fix")
