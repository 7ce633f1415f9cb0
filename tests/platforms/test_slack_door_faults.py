"""What breaks at Slack's door and must not be seen: lost answers, limits, cut and half-open sockets, crashes, an unwritable record."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from bot import dispatch
from bot.connectors.slack_link import Pace
from bot.errors import RecordUnwritable
from bot.model import Account, Outcome
from bot.outbox import Checkpoint
from bot.services import Finding
from bot.store.message_rows import Message
from bot.words import Words
from tests.platforms.slack import FakeSlack
from tests.platforms.slack_house import House, house, text_of, workspace


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        yield fake


@pytest.fixture
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that hang are given up after a second instead of ten."""
    for room in ("slack", "slack_courier"):
        monkeypatch.setattr(f"bot.connectors.{room}.TIMEOUT", 1)


@pytest_asyncio.fixture
async def bot(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[House]:
    async with house(slack, tmp_path) as running:
        yield running


async def works(bot: House, word: str = "again") -> None:
    count = len(bot.messages())
    await (await bot.slack.slash("U3", "C1", text=f"say {word}")).acked()
    await bot.posted(count + 1)
    assert bot.bench.runs[-1] == f"say {word}"


@pytest.mark.parametrize(("status", "after"), [(429, False), (500, False), (500, True), ("hang", False), ("hang", True), ("drop", True)])
async def test_a_post_that_fails_or_loses_its_answer_is_seen_exactly_once(
    short_calls: None, bot: House, status: int | str, after: bool
) -> None:
    bot.slack.fail("chat.postMessage", status=status, after=after, retry_after=1)
    await (await bot.slack.slash("U3", "C1", text="say once")).acked()
    await bot.settled()
    assert ["once" in message.text for message in bot.messages()] == [True]
    assert bot.bench.runs == ["say once"]


async def test_a_limit_on_one_channel_holds_up_no_other(slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slack.add_channel("C2", "second")
    async with house(slack, tmp_path, {"VCC_CHANNEL_OPS": "slack:C1,slack:C2"}) as bot:
        slack.fail("chat.postMessage", status=429, retry_after=600)
        await (await slack.slash("U3", "C1", text="say first")).acked()
        await bot.until(lambda: any(call.status == 429 for call in slack.calls_of("chat.postMessage")))
        await (await slack.slash("U3", "C2", text="say second")).acked()
        await bot.posted(channel="C2")
        assert bot.messages("C1") == []
        monkeypatch.setattr(bot.app._outboxes["slack"], "_clock", lambda: time.time() + 600)
        await bot.settled()
        assert len(bot.messages("C1")) == 1


async def test_a_file_whose_sharing_was_in_doubt_is_shared_once(bot: House) -> None:
    bot.slack.fail("files.completeUploadExternal", status="drop", after=True)
    await (await bot.slack.slash("U3", "C1", text="long")).acked()
    await bot.settled()
    names = [file.name for file in bot.slack.files("C1")]
    assert len(names) == len(set(names)) == 2
    assert len(bot.messages()) == 3, "the message and two shares below it"


async def test_a_private_answer_is_said_once_though_its_file_had_to_be_tried_again(bot: House) -> None:
    bot.slack.fail("files.completeUploadExternal", status="drop", after=True)
    await (await bot.slack.slash("U3", "C1", text="whisper 2000")).acked()
    await bot.settled()
    assert len(bot.slack.ephemerals("U3")) == 1
    assert len(bot.slack.files("D3")) == 1
    assert bot.messages("C1") == []


async def test_a_file_that_slack_refuses_is_told_below_the_answer(bot: House) -> None:
    bot.slack.scopes.discard("files:write")
    await (await bot.slack.slash("U3", "C1", text="long")).acked()
    await bot.settled()
    assert "missing_scope" in bot.messages()[-1].text
    assert len(bot.messages()) == 3


async def test_blocks_that_slack_dislikes_are_said_in_plain_words(bot: House) -> None:
    bot.slack.fail("chat.postMessage", status=200, error="invalid_blocks")
    await works(bot)
    (message,) = bot.messages()
    assert message.blocks == []
    assert "again" in message.text


async def test_a_crash_between_posting_and_noting_it_posts_nothing_twice(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path) as before:
        slack.fail("chat.postMessage", status="hang", after=True)
        await (await slack.slash("U3", "C1", text="say once")).acked()
        await before.posted()
        await before.crash()
    async with house(slack, tmp_path) as after:
        await after.settled()
        await works(after)
        await after.settled()
    assert len([message for message in after.messages() if "once" in message.text]) == 1


async def test_after_a_cut_the_bot_is_back(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, pace=Pace(ping=1, look=0.05)) as bot:
        slack.drop_sockets()
        await bot.until(lambda: not bot.door.healthy())
        await bot.until(bot.door.healthy)
        await works(bot)


async def test_a_refresh_loses_nothing(bot: House) -> None:
    await bot.slack.disconnect("refresh_requested")
    await bot.until(lambda: len(bot.slack.hub.closed) == 1 and bot.door.healthy())
    await works(bot)


async def test_a_half_open_socket_is_noticed_and_replaced(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path, pace=Pace(ping=1, look=0.05)) as bot:
        slack.half_open()
        await bot.until(lambda: slack.hub.open and not any(one.muted for one in slack.hub.open) and bot.door.healthy())
        await works(bot)


async def test_a_spent_address_does_not_hold_the_bot_away(slack: FakeSlack, tmp_path: Path) -> None:
    patient = Pace(ping=0.3, look=0.05, probe=5, connect=3, away=60)
    async with house(slack, tmp_path, pace=patient) as bot:
        slack.fail("socket", status=503)
        slack.drop_sockets()
        await bot.until(lambda: not bot.door.healthy())
        await bot.until(bot.door.healthy)
        await works(bot)


async def test_a_connection_that_is_never_greeted_is_not_healthy_and_is_begun_anew(slack: FakeSlack, tmp_path: Path) -> None:
    pace = Pace(ping=30, look=0.05, probe=5, connect=3, away=0.5)
    async with house(slack, tmp_path, pace=pace) as bot:
        slack.half_open(new_too=True)
        slack.drop_sockets()
        await bot.until(lambda: not bot.door.healthy())
        await bot.until(lambda: len(slack.calls_of("apps.connections.open")) >= 3)  # the SDK's own second one was opened, never greeted
        slack.heal()
        await bot.until(bot.door.healthy)
        await works(bot)


class Other:
    """A second platform that only counts its starts."""

    platform = "discord"

    def __init__(self) -> None:
        self.starts = 0

    async def run(self) -> None:
        self.starts += 1
        await asyncio.Event().wait()

    async def check(self, words: Words) -> Sequence[Finding]:
        return ()

    def healthy(self) -> bool:
        return True

    def routes(self) -> Sequence[web.RouteDef]:
        return ()

    def lane(self, message: Message) -> str:
        return ""

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        return {}

    async def find(self, message: Message) -> Mapping[str, str] | None:
        return None

    async def groups_of(self, account: Account) -> frozenset[Account]:
        return frozenset()


async def test_a_revoked_token_ends_slack_alone_until_it_is_good_again(
    slack: FakeSlack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = Other()
    async with house(slack, tmp_path, pace=Pace(look=0.05, probe=0.3)) as bot:
        bot.app.add(other)
        await bot.crash()
        bot.task = asyncio.create_task(bot.app.run())
        await bot.until(bot.door.healthy)
        slack.site.token_error = "token_revoked"
        await bot.until(lambda: "slack connector died" in caplog.text)
        assert "Denied" in caplog.text
        assert not bot.door.healthy()
        assert not bot.task.done()
        slack.site.token_error = ""
        await bot.until(bot.door.healthy)
        await works(bot)
        assert other.starts == 1


async def test_what_cannot_be_recorded_does_not_run_and_is_told_at_once(bot: House) -> None:
    with contextlib.suppress(RecordUnwritable):  # other rows of the bot's own may wait for the same commit, which is then unwritten
        await bot.app.store.write(lambda db: db.execute("PRAGMA query_only = 1"))
    delivery = await (await bot.slack.slash("U3", "C1", text="say never")).acked()
    (told,) = await bot.whispered("U3")
    assert told.text == bot.word("error.record_unwritable")
    assert delivery.acked_within_3s
    mention = await bot.slack.say("U3", "C1", f"<@{bot.slack.bot_user}> say never")
    await mention.acked()
    assert (await bot.whispered("U3", 2))[1].text == bot.word("error.record_unwritable")
    assert bot.bench.runs == []


async def test_a_record_that_comes_too_late_runs_nothing_and_is_closed_as_refused(
    slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(slack, tmp_path) as bot:
        assert dispatch._RECORDED_WITHIN <= 2.0
        # The rest of Slack's three seconds is the machine's.
        monkeypatch.setattr(bot.app.dispatch, "accept", partial(bot.app.dispatch.accept, within=0.5))
        lock = sqlite3.connect(tmp_path / "vcc.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        delivery = await (await slack.slash("U3", "C1", text="say late")).acked()
        assert delivery.acked_within_3s
        assert (await bot.whispered("U3"))[0].text == bot.word("error.record_unwritable")
        lock.execute("ROLLBACK")
        lock.close()
        monkeypatch.undo()
        await works(bot, "after")
        assert bot.bench.runs == ["say after"]
        await bot.settled()  # it may be closed a moment after it was opened
        late = [row["outcome"] for row in await bot.app.audit.tail(10) if row["line"] == "say late" and row["event"] == "closed"]
        assert late == [Outcome.REFUSED]


async def test_work_that_a_crash_cut_off_is_told_at_the_next_start(slack: FakeSlack, tmp_path: Path) -> None:
    async with house(slack, tmp_path) as before:
        await (await slack.slash("U3", "C1", text="slow")).acked()
        await before.posted()
        before.bench.go.clear()
        await before.crash()
        await before.app.dispatch.stop(0)
    async with house(slack, tmp_path) as after:
        await after.until(lambda: after.word("app.interrupted", line="slow") in text_of(after.messages()[0]))
        rows = await after.app.audit.tail(5)
        assert Outcome.INTERRUPTED in {row["outcome"] for row in rows}
        assert len(after.messages()) == 1
