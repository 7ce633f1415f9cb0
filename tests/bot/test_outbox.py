"""A message is a row first, and gets to its platform whatever happens in between: once, in order, and never silently not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot import outbox
from bot.model import Account, Place, Reply
from bot.outbox import NotDelivered, Outbox
from bot.store import message_rows
from bot.store.engine import Store
from bot.testing.chat import TestChat
from bot.testing.clock import Clock
from bot.testing.waiting import until

HERE, THERE = Place("slack", "HERE"), Place("slack", "THERE")
WHO = Account("slack", "vera")


class Post:
    """A state file, a chat, a clock, and the outbox between them, which may be started, killed and started again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.chat = TestChat()
        self.clock = Clock()
        self.outbox = Outbox(store, "slack", self.chat, self.clock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver meanwhile; leaving is a crash."""
        self.outbox = Outbox(self.store, "slack", self.chat, self.clock)
        task = asyncio.create_task(self.outbox.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def say(self, text: str, place: Place = HERE, message: int | None = None) -> int:
        """Want this shown, in a new message or an old one."""
        now = self.clock()
        number = await self._new(place) if message is None else message
        await self.store.write(lambda db: message_rows.show(db, number, Reply(text), now))
        self.outbox.wake()
        return number

    async def _new(self, place: Place) -> int:
        now = self.clock()
        return await self.store.write(lambda db: message_rows.insert(db, place, WHO, {}, now))

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.forward(seconds)
        self.outbox.wake()

    def said(self, place: Place = HERE) -> list[str]:
        """What stands in a place now."""
        return [post.reply.title for post in self.chat.at(place)]

    async def shows(self, *texts: str, place: Place = HERE) -> None:
        """Wait until exactly this stands there."""
        await until(lambda: self.said(place) == list(texts), f"{texts} stand in {place}; there is {self.said(place)}")

    async def state(self) -> tuple[int, int]:
        """Messages that wait, messages given up."""
        rows = await outbox.state(self.store)
        return (rows[0][1], rows[0][2]) if rows else (0, 0)

    async def column(self, name: str, message: int) -> object:
        """What the row says."""
        return await self.store.read(lambda db: db.execute(f"SELECT {name} FROM messages WHERE id = ?", (message,)).fetchone()[0])

    async def tried(self, message: int, times: int) -> None:
        """Wait until it failed so often."""

        async def enough() -> bool:
            return await self.column("attempts", message) == times

        await until(enough, f"{times} tries failed")


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A post office."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    yield Post(store)
    store.close()


async def test_a_message_is_delivered_and_then_nothing_waits(post: Post) -> None:
    async with post.running():
        await post.say("hello")
        await post.shows("hello")

        async def done() -> bool:
            return await post.state() == (0, 0)

        await until(done, "nothing waits")


async def test_a_failure_is_tried_again_later_each_time(post: Post) -> None:
    post.chat.fail(NotDelivered("down"), times=3)
    async with post.running():
        number = await post.say("hello")
        for times, wait in ((1, 1), (2, 2), (3, 4)):
            await post.tried(number, times)
            assert await post.column("next_at", number) == post.clock() + wait
            post.forward(wait)
        await post.shows("hello")
        assert len(post.chat.deliveries) == 1


async def test_the_wait_between_two_tries_is_bounded(post: Post) -> None:
    await post.store.write(lambda db: None)
    post.chat.fail(NotDelivered("down"))
    number = await post.say("hello")
    await post.store.write(lambda db: db.execute("UPDATE messages SET attempts = 400"))
    async with post.running():
        await post.tried(number, 401)
        assert await post.column("next_at", number) == post.clock() + 60


async def test_a_rate_limit_holds_the_whole_lane_and_no_other(post: Post) -> None:
    post.chat.fail(NotDelivered("slow down", retry_after=30), times=1)
    async with post.running():
        first = await post.say("first")
        await post.tried(first, 1)
        await post.say("second")
        await post.say("elsewhere", THERE)
        await post.shows("elsewhere", place=THERE)
        assert post.said() == []
        post.forward(31)
        await post.shows("first", "second")


async def test_messages_of_a_lane_come_in_order(post: Post) -> None:
    post.chat.hold()
    async with post.running():
        for number in range(20):
            await post.say(str(number))
        post.chat.let_go()
        await post.shows(*map(str, range(20)))


async def test_a_channel_that_is_down_holds_up_no_other_even_with_hundreds_waiting(post: Post) -> None:
    post.chat.fail(NotDelivered("slow down", retry_after=600), channel="HERE")
    for number in range(300):
        await post.say(str(number))
    async with post.running():
        await until(lambda: post.chat.spoilt > 0, "the lane is held")
        await post.say("elsewhere", THERE)
        await post.shows("elsewhere", place=THERE)


async def test_a_hanging_channel_holds_up_no_other(post: Post) -> None:
    async with post.running():
        post.chat.hold("HERE")
        await post.say("stuck")
        await post.say("elsewhere", THERE)
        await post.shows("elsewhere", place=THERE)
        assert post.said() == []


async def test_what_will_never_arrive_is_given_up_where_people_see_it(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.chat.fail(NotDelivered("channel is archived", final=True))
    async with post.running():
        number = await post.say("hello")
        await post.tried(number, 1)
        assert await post.state() == (0, 1)
        assert await post.column("error", number) == "channel is archived"
        assert any("given up" in record.getMessage() for record in caplog.records)
        post.forward(3600)
        await post.say("elsewhere", THERE)
        await post.tried(number, 1)


async def test_a_message_given_up_is_tried_again_when_it_has_something_new_to_say(post: Post) -> None:
    post.chat.fail(NotDelivered("no", final=True), times=1)
    async with post.running():
        number = await post.say("old")
        await post.tried(number, 1)
        await post.say("new", message=number)
        post.forward(60)
        await post.shows("new")


async def test_edits_come_down_to_the_newest_version(post: Post) -> None:
    async with post.running():
        number = await post.say("0")
        await post.shows("0")
        post.chat.hold()
        for version in range(1, 30):
            await post.say(str(version), message=number)
        post.chat.let_go()
        await post.shows("29")
        (message,) = post.chat.at(HERE)
        assert len(message.said) <= 3


async def test_an_edit_changes_the_message_and_posts_no_other(post: Post) -> None:
    async with post.running():
        number = await post.say("before")
        await post.shows("before")
        await post.say("after", message=number)
        await post.shows("after")


async def test_a_lost_answer_is_looked_up_and_not_posted_twice(post: Post) -> None:
    post.chat.loses_answers = True
    async with post.running():
        number = await post.say("hello")
        await post.tried(number, 1)
        post.chat.loses_answers = False
        post.forward(5)
        await until(lambda: post.chat.looked_up == [number], "it is looked up")
        await post.shows("hello")


async def test_what_was_not_posted_after_all_is_posted(post: Post) -> None:
    post.chat.fail(NotDelivered("connection lost", in_doubt=True), times=1)
    async with post.running():
        number = await post.say("hello")
        await post.tried(number, 1)
        post.forward(5)
        await post.shows("hello")
        assert post.chat.looked_up == [number]


async def test_a_crash_between_posting_and_noting_it_posts_nothing_twice(post: Post) -> None:
    post.chat.hold_after_posting()
    async with post.running():
        await post.say("hello")
        await post.shows("hello")
    post.chat.let_go()
    async with post.running():

        async def done() -> bool:
            return await post.state() == (0, 0)

        await until(done, "it is known to be delivered")
        assert post.said() == ["hello"]
        assert post.chat.looked_up == [1]


async def test_a_doubt_survives_a_platform_that_cannot_be_asked(post: Post) -> None:
    post.chat.loses_answers = True
    async with post.running():
        number = await post.say("hello")
        await post.tried(number, 1)
        post.chat.loses_answers = False
        post.chat.fail(NotDelivered("down"), times=1)
        post.forward(5)
        await post.tried(number, 2)
        post.forward(10)

        async def done() -> bool:
            return await post.state() == (0, 0)

        await until(done, "it is delivered")
        assert post.said() == ["hello"]


async def test_a_bug_in_a_courier_is_logged_and_does_not_end_the_outbox(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.chat.fail(ZeroDivisionError("bug"), times=1, channel="HERE")
    async with post.running():
        await post.say("hello")
        await until(lambda: any("broke" in record.getMessage() for record in caplog.records), "the bug is logged")
        await post.say("elsewhere", THERE)
        await post.shows("elsewhere", place=THERE)
        post.forward(61)
        await post.shows("hello")


async def test_a_clock_that_is_set_back_keeps_no_message_waiting_until_its_old_time(post: Post) -> None:
    post.chat.fail(NotDelivered("down"), times=1)
    async with post.running():
        number = await post.say("tried before")
        await post.tried(number, 1)
        post.forward(-86_400.0)
        await post.shows("tried before")
    post.clock.forward(86_400.0)
    await post.say("written before", THERE)
    post.clock.forward(-86_400.0)
    async with post.running():
        await post.shows("written before", place=THERE)
