"""SIGKILL at every point between request and answer: nothing runs twice, nothing is lost, what was interrupted is said."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlite_utils import Database

from bot import outbox
from bot.store import audit_rows, lock_rows, request_rows, ticket_rows
from bot.store.engine import Store
from bot.store.ticket_rows import Ticket
from bot.testing.waiting import until
from tests.faults import victim
from tests.faults.programs import processes
from tests.parts import no_schedules
from tests.platforms.slack import FakeSlack, Message

CHANNEL = "C1"
MOST_POINTS = 60
ENOUGH = 60.0


@asynccontextmanager
async def workspace() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        slack.limits.enforced = False
        slack.add_user("UOLGA", "olga")
        slack.add_user("UADA", "ada")
        slack.add_channel(CHANNEL, "ops")
        yield slack


@asynccontextmanager
async def bot(slack: FakeSlack, home: Path, fatal: int = 0) -> AsyncIterator[BaseProcess]:
    """A bot process, connected; ended with SIGTERM unless it is dead by then."""
    environment = {
        "VCC_HOME": str(home),
        **no_schedules(home),
        "VCC_LANG": "en",
        "VCC_ADMINS": "slack:UADA",
        "VCC_OPERATORS": "slack:UOLGA",
        "VCC_CHANNEL_OPS": f"slack:{CHANNEL}",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.base_url,
    }
    opened = slack.opened
    process = processes.Process(target=victim.main, args=(environment, fatal))
    process.start()
    try:
        await slack.until(lambda: slack.opened > opened or not process.is_alive(), ENOUGH)
        yield process
    finally:
        if process.is_alive():
            process.terminate()
        await asyncio.to_thread(process.join, ENOUGH)
        assert not process.is_alive()
        process.close()
        # The fake must have noticed, or what is typed next may go to the dead one.
        await slack.until(lambda: not slack.hub.open, ENOUGH)


def final(message: Message) -> bool:
    text = json.dumps([message.text, message.blocks], ensure_ascii=False)
    return any(word in text for word in ("WORK DONE", "Interrupted", "interrupted"))


def _ticket(number: int, db: Database) -> Ticket | None:
    return ticket_rows.get(db, number)


async def state_of(home: Path) -> tuple[int, int, list[str], list[str]]:
    """(first broken audit row, open requests, held locks, states of tickets) of a bot that has ended."""
    store = Store(home / "vcc.db")
    store.open()
    try:
        chain = audit_rows.Chain()
        page, head = await store.read(partial(audit_rows.page_and_head, after=0))
        broken = chain.follow(page) or chain.end(head)
        requests = await store.read(request_rows.still_open)
        locks = await store.read(lock_rows.everything)
        tickets = [await store.read(partial(_ticket, number)) for number in range(1, 5)]
        return broken, len(requests), [lock.target for lock in locks], [ticket.state for ticket in tickets if ticket]
    finally:
        store.close()


async def nothing_left(home: Path) -> bool:
    """Whether every request is closed and every message stands as it should."""
    store = Store(home / "vcc.db")
    store.open()
    try:
        waiting = await outbox.state(store)
        return not await store.read(request_rows.still_open) and all(count == 0 for _, count, _, _ in waiting)
    finally:
        store.close()


def effects(home: Path) -> int:
    path = home / "effects"
    return len(path.read_text().splitlines()) if path.exists() else 0


async def closed(home: Path) -> None:
    """The card may be final a moment before the press that ended it is closed."""

    async def nothing_open() -> bool:
        return (await state_of(home))[1] == 0

    await until(nothing_open, "every request is closed", ENOUGH)


async def killed_or_done(process: BaseProcess, home: Path) -> bool:
    """Wait until the process is dead, or has no more to do; whether it is dead.

    Done means: nothing is open and nothing unsent. The point after the last commit lies a moment later.
    """

    async def ended() -> bool:
        return not process.is_alive() or await nothing_left(home)

    await until(ended, "it is dead or done", ENOUGH)
    await asyncio.to_thread(process.join, 0.5)
    killed = process.exitcode == -signal.SIGKILL
    assert killed or process.is_alive()
    return killed


async def answered(slack: FakeSlack, seen: int, context: str) -> None:
    """Wait for a final answer among the messages after the first ``seen``."""
    try:
        await slack.until(lambda: any(final(each) for each in slack.messages(CHANNEL)[seen:]), ENOUGH)
    except TimeoutError as error:
        raise AssertionError(f"{context}: never answered: {[each.text for each in slack.messages(CHANNEL)[seen:]]}") from error


async def one_kill(slack: FakeSlack, home: Path, fatal: int) -> bool:
    """Ask for a change, die at a point, start again, and check; False when the point was never reached."""
    seen = len(slack.messages(CHANNEL))
    async with bot(slack, home, fatal) as process:
        delivery = await slack.slash("UOLGA", CHANNEL, text="work once")
        await slack.until(lambda: not process.is_alive() or any(final(each) for each in slack.messages(CHANNEL)[seen:]), ENOUGH)
        killed = await killed_or_done(process, home)
    acked = bool(delivery.acks)
    async with bot(slack, home):
        if acked:
            await answered(slack, seen, f"killed at point {fatal}")
    answers = slack.messages(CHANNEL)[seen:]
    broken, still_open, locks, _ = await state_of(home)
    context = f"killed at point {fatal}: {[each.text for each in answers]}"
    assert (broken, still_open, locks) == (0, 0, []), context
    assert effects(home) <= 1, context
    assert len(answers) <= 1, context
    if acked:
        assert [final(each) for each in answers] == [True], context
    return killed


async def test_a_change_killed_at_any_point_runs_once_at_most_and_is_answered_exactly_once(place: Path) -> None:
    async with workspace() as slack:
        reached = 0
        for fatal in range(1, MOST_POINTS):
            home = place / str(fatal)
            home.mkdir()
            (home / "armed").touch()
            if not await one_kill(slack, home, fatal):
                break
            reached = fatal
        # At least: before and after opening, locking, releasing, closing, sending and its two marks.
        assert 12 <= reached < MOST_POINTS - 1


def card_of(slack: FakeSlack, skip: int) -> Message | None:
    """The newest message that still has an approve button."""
    cards = [each for each in slack.messages(CHANNEL)[skip:] if '"type": "button"' in json.dumps(each.blocks)]
    return cards[-1] if cards else None


async def approve(slack: FakeSlack, skip: int) -> bool:
    """Press Approve on the open card, if one is open; whether it was pressed."""
    card = card_of(slack, skip)
    if card is None:
        return False
    await slack.press("UADA", card, 0)
    return True


async def one_killed_approval(slack: FakeSlack, home: Path, fatal: int) -> bool:
    """Ask for a risky change, approve, die at a point, start again, and check; False when the point was never reached."""
    seen = len(slack.messages(CHANNEL))

    def ended() -> bool:
        # The card is the first message; what was interrupted of the press itself may be said beside it.
        return any(final(each) for each in slack.messages(CHANNEL)[seen : seen + 1])

    async with bot(slack, home, fatal) as process:
        await slack.slash("UOLGA", CHANNEL, text="work careful")
        await slack.until(lambda: card_of(slack, seen) is not None, ENOUGH)
        (home / "armed").touch()
        await approve(slack, seen)
        await slack.until(lambda: not process.is_alive() or ended(), ENOUGH)
        killed = await killed_or_done(process, home)
    async with bot(slack, home):
        # Connected: what the crash interrupted is on the record by now, but perhaps not yet on the card.
        if "granted" not in (await state_of(home))[3]:
            # The press died before it was on the record: the card is still open, and pressing again must work.
            assert effects(home) == 0
            assert await approve(slack, seen)
        await slack.until(ended, ENOUGH)
        await closed(home)
    broken, still_open, locks, tickets = await state_of(home)
    context = f"killed at point {fatal}: {[each.text for each in slack.messages(CHANNEL)[seen:]]}"
    assert (broken, still_open, locks, tickets) == (0, 0, [], ["granted"]), context
    assert effects(home) <= 1, context
    assert len(slack.messages(CHANNEL)) <= seen + 2, context
    return killed


async def test_an_approval_killed_at_any_point_is_carried_out_once_at_most_and_its_card_says_what_happened(place: Path) -> None:
    async with workspace() as slack:
        reached = 0
        for fatal in range(1, MOST_POINTS):
            home = place / str(fatal)
            home.mkdir()
            if not await one_killed_approval(slack, home, fatal):
                break
            reached = fatal
        assert 16 <= reached < MOST_POINTS - 1
