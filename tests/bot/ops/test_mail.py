"""Letters to a real mail server: taken, refused for now or for good, logged in to, secret on the way."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import replace
from email.policy import SMTP as MAIL_POLICY
from pathlib import Path
from urllib.parse import quote

import aiosmtplib
import pytest

from bot.errors import Denied, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.mail import MAIL, Mail, MailServer, Refused, composed, translate
from bot.ops.mail_values import Enclosure, Letter
from tests.bot.ops.silent import silent_port
from tests.bot.ops.vendor_errors import instances_of
from tests.certificates import Authority
from tests.mail_parts import PASSWORD, USER, MailBox, mail_server, server_context, text_of
from tests.parts import free_port

NOON = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)
LETTER = Letter(
    "ops@example.org", "디스크 91%", "본문\n", "<p>본문</p>", "<a@example.org>", ("<root@example.org>", "<b@example.org>"), NOON
)


def mail_at(port: int, *, login: bool = False, scheme: str = "smtp", deadline: float = 30.0, trusted: ssl.SSLContext | None = None) -> Mail:
    user = f"{quote(USER)}:{quote(PASSWORD)}@" if login else ""
    return Mail(MailServer.parse(f"{scheme}://{user}127.0.0.1:{port}", "ops@example.org"), deadline, trusted)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "sender"),
    [
        ("smtp://mail.example.org", "mail.example.org", 587, False, "ops@example.org"),
        ("smtps://mail.example.org", "mail.example.org", 465, True, "ops@example.org"),
        ("smtp://bot%40example.org:p%26w@mail.example.org:2525", "mail.example.org", 2525, False, "bot@example.org"),
        ("smtp://bot:pw@mail.example.org?from=vcc@example.org", "mail.example.org", 587, False, "vcc@example.org"),
    ],
)
def test_the_setting_says_where_letters_go_and_who_sends_them(url: str, host: str, port: int, tls: bool, sender: str) -> None:
    server = MailServer.parse(url, "ops@example.org")
    assert (server.host, server.port, server.tls, server.sender) == (host, port, tls, sender)


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://h:99999", "smtp://h?from=nobody", "smtp://h?from=a@b%0d%0aBcc:c@d"])
def test_an_address_that_is_none_is_a_value_error_at_once(url: str) -> None:
    with pytest.raises(ValueError):
        MailServer.parse(url, "ops@example.org")


async def test_a_letter_arrives_whole_in_korean_with_its_files() -> None:
    box = MailBox()
    letter = replace(LETTER, files=(Enclosure("그림.png", "image/png", b"\x89P"),))
    async with mail_server(box) as port:
        await mail_at(port).send(letter)
    (came,) = box.letters
    assert (came["Subject"], came["Message-ID"], came["To"]) == ("디스크 91%", "<a@example.org>", "ops@example.org")
    assert came["References"] == "<root@example.org> <b@example.org>"
    assert came["In-Reply-To"] == "<b@example.org>"
    assert came["Auto-Submitted"] == "auto-generated"
    assert text_of(came).strip() == "본문"
    (file,) = came.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("그림.png", b"\x89P")


def test_a_letter_is_plain_ascii_on_the_wire_and_the_subject_is_encoded() -> None:
    raw = composed(LETTER, "bot@example.org").as_bytes(policy=MAIL_POLICY)
    raw.decode("ascii")
    assert b"Subject: =?utf-8?" in raw
    assert max(map(len, raw.splitlines())) <= 78


async def test_the_login_is_used_and_a_wrong_one_is_denied_without_a_word_of_it() -> None:
    box = MailBox()
    async with mail_server(box, login=True) as port:
        await mail_at(port, login=True).send(LETTER)
        assert (await mail_at(port, login=True).greet()).logged_in
        wrong = Mail(MailServer.parse(f"smtp://bot:no-{quote(PASSWORD)}@127.0.0.1:{port}", "ops@example.org"))
        with pytest.raises(Denied) as denied:
            await wrong.greet()
    assert len(box.letters) == 1
    assert PASSWORD not in f"{denied.value} {denied.value.detail}"


@pytest.mark.parametrize(
    ("answer", "lasting"), [("450 mailbox busy", False), ("550 no such user", True), ("452 no room", False), ("554 spam", True)]
)
@pytest.mark.parametrize("where", ["at_recipient", "at_end"])
async def test_a_refusal_for_now_is_told_apart_from_one_for_good(answer: str, lasting: bool, where: str) -> None:
    box = MailBox()
    setattr(box, where, answer)
    async with mail_server(box) as port:
        with pytest.raises(Refused) as refused:
            await mail_at(port).send(LETTER)
    assert refused.value.lasting is lasting


async def test_nobody_there_and_one_who_says_nothing_are_told_apart() -> None:
    with pytest.raises(Unreachable):
        await mail_at(free_port()).send(LETTER)
    async with silent_port() as port:
        with pytest.raises(TimedOut):
            await mail_at(port, deadline=0.2).greet()


async def test_a_server_that_hangs_at_the_end_leaves_it_in_doubt() -> None:
    box = MailBox(hangs=True)
    async with mail_server(box) as port:
        with pytest.raises(TimedOut):
            await mail_at(port, deadline=0.5).send(LETTER)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_the_way_is_secret_where_the_server_can_be_trusted(scheme: str, tmp_path: Path) -> None:
    authority, box = Authority("Test CA"), MailBox()
    context = server_context(authority.issue("mail", names=("127.0.0.1",)), tmp_path)
    trusted = ssl.create_default_context(cafile=str(authority.file(tmp_path)))
    starttls, tls = (context, None) if scheme == "smtp" else (None, context)
    async with mail_server(box, login=True, starttls=starttls, tls=tls) as port:
        mail = mail_at(port, login=True, scheme=scheme, trusted=trusted)
        await mail.send(LETTER)
        assert (await mail.greet()).secret
        with pytest.raises(OutsideError):
            await mail_at(port, login=True, scheme=scheme).greet()
    assert box.secret == [True]


async def test_a_password_is_never_sent_in_the_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MailServer, "is_here", False)
    async with mail_server(MailBox(), login=True) as port:
        with pytest.raises(Rejected, match="rejected"):
            await mail_at(port, login=True).greet()


@pytest.mark.parametrize("error", instances_of(aiosmtplib.errors, aiosmtplib.SMTPException), ids=lambda error: type(error).__name__)
def test_every_error_of_the_client_is_caught_and_translated(error: Exception) -> None:
    assert isinstance(error, MAIL.errors)
    assert isinstance(translate(error, 1), OutsideError)
