"""Mail as a platform: one conversation for each message, a letter for what is news, at least once through outages and lost answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot import outbox
from bot.connectors.mail import MailConnector, said_by
from bot.model import Attachment, Outcome, Place, Reply, Table, Tone
from bot.ops.mail import Mail, MailServer
from bot.testing.bot import Bot, a_bot
from bot.testing.waiting import until
from bot.words import Words
from tests.bot.demo import Demo
from tests.mail_parts import PASSWORD, MailBox, mail_server, text_of
from tests.parts import free_port

KEY, OPS = "alert:7", "ops@example.org"
BAD = Reply("디스크 사용량 · /data — 91%", "가득 차고 있습니다", tone=Tone.BAD)


def at(port: int, user: str = "") -> str:
    return f"smtp://{user}127.0.0.1:{port}?from=bot@example.org"


@asynccontextmanager
async def mailing(home: Path, port: int, *, user: str = "") -> AsyncIterator[Bot]:
    """The bot with chats in memory and a real connector for mail."""
    async with a_bot(home, *Demo().groups, vcc_alert_email=(OPS,), running=False) as bot:
        connector = MailConnector(Mail(MailServer.parse(at(port, user), OPS)), Words("ko"))
        bot.app.add(connector)
        yield bot


async def deliver(bot: Bot, *, fails: bool = False) -> None:
    """Let the outbox of mail bring out all it can; again after every wait."""
    letters = bot.app._outboxes["mail"]
    await letters._start_due()
    while letters._busy:
        await next(iter(letters._busy.values()))
        if not fails:
            await letters._start_due()


async def shows(bot: Bot, reply: Reply) -> None:
    await bot.app.store.write(lambda db: bot.app.notices.show(db, KEY, bot.app.places.alerts(), reply))
    await deliver(bot)


async def says(bot: Bot, reply: Reply) -> None:
    await bot.app.store.write(lambda db: bot.app.notices.below(db, KEY, reply))
    await deliver(bot)


async def test_a_notice_is_a_letter_and_each_change_of_state_another_in_the_same_conversation(tmp_path: Path) -> None:
    box = MailBox()
    async with mail_server(box) as port, mailing(tmp_path, port) as bot:
        await shows(bot, BAD)
        await shows(bot, replace(BAD, title="디스크 사용량 · /data — 93%", text="더 찼습니다"))
        await shows(bot, replace(BAD, title="ada 확인: 디스크 사용량 · /data — 93%"))
        await shows(bot, Reply("복구: 디스크 사용량 · /data (12분)", tone=Tone.GOOD))
    first, second, third = box.letters
    assert box.subjects == ["[VCC] ✘ 디스크 사용량 · /data — 91%", *["Re: [VCC] ✘ 디스크 사용량 · /data — 91%"] * 2]
    root = first["References"].split()[0]
    assert [letter["References"].split()[0] for letter in box.letters] == [root] * 3
    assert second["In-Reply-To"] == first["Message-ID"]
    assert third["In-Reply-To"] == second["Message-ID"]
    assert "✔ 복구" in text_of(third)
    assert box.recipients == [OPS] * 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("disk — 91%", "disk — 93.5%", True),
        ("age — 59 m", "age — 1 h 2 m", True),
        ("나이 — 3일 4시간", "나이 — 45분", True),
        ("size — 900 MiB", "size — 1.5 GiB", True),
        ("disk — 91%", "ada: disk — 91%", False),
        ("disk /a", "disk /b", False),
    ],
)
def test_a_figure_that_moves_is_no_news(one: str, other: str, same: bool) -> None:
    assert (said_by(Reply(one)) == said_by(Reply(other))) is same
    assert said_by(Reply(one)) != said_by(Reply(one, tone=Tone.BAD))
    assert said_by(Reply(one)) != said_by(Reply(one, outcome=Outcome.FAILED))


async def test_of_the_thread_only_evidence_and_calls_are_mailed(tmp_path: Path) -> None:
    box = MailBox()
    picture = tmp_path / "disk.png"
    picture.write_bytes(b"\x89PNG")
    async with mail_server(box) as port, mailing(tmp_path, port) as bot:
        await shows(bot, BAD)
        await says(bot, Reply("계속됨: 디스크 사용량", tone=Tone.BAD))
        await says(
            bot, Reply("evidence", files=(Attachment("disk.png", picture, "image/png", "91%"), Attachment("gone.txt", tmp_path / "no")))
        )
        await says(bot, Reply("errors", tables=(Table(("a",), (("1",),)),)))
        await says(bot, Reply("calling", mentions=tuple(bot.app.settings.vcc_admins[0][:1])))
        await says(bot, Reply("for one person only", code="x", private=True))
    assert len(box.letters) == 4
    (file,) = box.letters[1].iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("disk.png", b"\x89PNG")
    assert "gone.txt" in text_of(box.letters[1])
    assert {letter["In-Reply-To"] for letter in box.letters[1:]} == {box.letters[0]["Message-ID"]}


async def test_an_outage_loses_nothing_and_a_restart_in_it_neither(tmp_path: Path) -> None:
    box, port = MailBox(), free_port()
    async with mailing(tmp_path, port) as bot:
        await bot.app.store.write(lambda db: bot.app.notices.show(db, KEY, bot.app.places.alerts(), BAD))
        await deliver(bot, fails=True)
        assert not bot.app.connectors["mail"].healthy()
        assert bot.app.health() == {"slack": True, "discord": True}
    async with mailing(tmp_path, port) as bot, mail_server(box, port=port):
        await deliver(bot)
        assert box.letters == []
        bot.clock.forward(120)
        await deliver(bot)
    assert box.subjects == ["[VCC] ✘ 디스크 사용량 · /data — 91%"]


async def test_a_letter_whose_answer_was_lost_comes_again_under_the_same_identity(tmp_path: Path) -> None:
    box = MailBox(loses_answers=True)
    async with mail_server(box) as port, mailing(tmp_path, port) as bot:
        await bot.app.store.write(lambda db: bot.app.notices.show(db, KEY, bot.app.places.alerts(), BAD))
        await deliver(bot, fails=True)
        box.loses_answers = False
        bot.clock.forward(120)
        await deliver(bot)
        await shows(bot, replace(BAD, tone=Tone.GOOD))
    first, again, change = (letter["Message-ID"] for letter in box.letters)
    assert first == again != change


async def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_given_up(tmp_path: Path) -> None:
    box = MailBox(at_recipient="451 later")
    async with mail_server(box) as port, mailing(tmp_path, port) as bot:
        await bot.app.store.write(lambda db: bot.app.notices.show(db, KEY, bot.app.places.alerts(), BAD))
        await deliver(bot, fails=True)
        box.at_recipient = "550 no such user"
        for _ in range(5):
            bot.clock.forward(120)
            await deliver(bot, fails=True)
        assert await state(bot) == (0, 1)
        box.at_recipient = "250 OK"
        await shows(bot, replace(BAD, tone=Tone.GOOD))
    assert len(box.letters) == 1


async def state(bot: Bot) -> tuple[int, int]:
    """Letters that wait, and letters that were given up."""
    return next((waiting, dead) for name, waiting, dead, _ in await outbox.state(bot.app.store) if name == "mail")


async def test_the_check_says_what_is_wrong_and_keeps_the_password(tmp_path: Path) -> None:
    words = Words("en")
    async with mail_server(MailBox(), login=True) as port:
        for user, expected in (("bot%40example.org:hunter2-%26-secret@", "ok"), ("bot:wrong-hunter2@", "bad")):
            connector = MailConnector(Mail(MailServer.parse(at(port, user), OPS)), words)
            (found,) = await connector.check(words)
            assert found.state == expected
            assert "hunter2" not in repr(found)
    (found,) = await MailConnector(Mail(MailServer.parse(at(free_port()), OPS)), words).check(words)
    assert (found.state, bool(found.fix)) == ("bad", True)
    assert PASSWORD not in repr(found)


async def test_mail_is_taken_in_by_its_settings_and_alerts_go_there_too(tmp_path: Path) -> None:
    box = MailBox()
    async with mail_server(box) as port:
        addresses = (OPS, "night@example.org")
        async with a_bot(tmp_path, *Demo().groups, running=False, vcc_smtp_url=at(port), vcc_alert_email=addresses) as bot:
            bot.app.connect()
            mailboxes = {Place("mail", OPS), Place("mail", "night@example.org")}
            assert mailboxes < set(bot.app.places.alerts())
            assert not mailboxes & {*bot.app.places.ops(), *bot.app.places.incidents(), *bot.app.places.alert_channels()}
            await shows(bot, BAD)
            await until(lambda: len(box.letters) == 2, "both have a letter")
    assert sorted(box.recipients) == ["night@example.org", OPS]
