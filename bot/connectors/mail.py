"""Mail as a platform of the outbox: alerts and pages as letters. It hears nobody; what can be pressed elsewhere is typed elsewhere.

How a message becomes letters:
- The first version is a letter, with its pictures and files. A change of it is a further letter in the same conversation, and only
  when its tone, its outcome or its title changed, figures in the title not counted: what is edited every minute is mailed once.
- What stands in the thread below is mailed when it calls somebody or carries evidence (a table, lines, files). Any other line there
  is a repeat, or tells what the change of the message itself tells too.
- What is private is for one person's eyes on another platform, and is not mailed.
A letter's identity is made of the row and its version. Nobody can look into a mailbox: a letter whose answer was lost is sent again
under the same identity, so it comes at least once, and programs that know identities show it once.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import re
from collections.abc import Mapping, Sequence

from aiohttp import web

from bot.connectors.mail_text import Rendered, render, subject_of
from bot.doors import Connector, Doors
from bot.errors import Denied, Misconfigured, OutsideError, TimedOut
from bot.model import Account, Attachment, Reply
from bot.ops.mail import Mail, MailServer, Refused
from bot.ops.mail_values import Enclosure, Letter
from bot.outbox import Checkpoint, NotDelivered
from bot.plain_text import harmless
from bot.services import Finding
from bot.store.message_rows import Message
from bot.words import Words

_LOG = logging.getLogger("vcc.mail")
PLATFORM = "mail"
_LARGEST, _ALL_TOGETHER = 8 << 20, 12 << 20
# A figure and its unit, which may change with it: 91%, 1.5 GiB, 3일 4시간.
_FIGURES = re.compile(r"(?:[0-9][0-9.,:]*\s?(?:%|[A-Za-z]{1,3}\b|일|시간|분|초)?\s?)+")
_LOGIN_AGAIN = 60.0


class MailConnector:
    """Delivers letters. Its notes: ``thread`` (what the conversation is known by), ``id`` of the newest letter, ``subject``, ``said``."""

    platform = PLATFORM

    def __init__(self, mail: Mail, words: Words) -> None:
        self._mail = mail
        self._words = words
        self._well = True

    # ------------------------------------------------------------ Courier
    def lane(self, message: Message) -> str:
        """Letters to one address keep their order."""
        return message.place.channel

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        """Send what is new in it, if it is worth a letter."""
        posted, said = message.posted, said_by(message.reply)
        note = self._note(message, said)
        if message.reply.private or (posted.get("said") == said if posted else bool(message.below) and not worth_a_letter(message)):
            return {**note, **posted}
        identity = f"<vcc-{message.mark}.{message.version}@{self._mail.domain}>"
        enclosures, left_out = await asyncio.to_thread(_enclosed, message.reply.files)
        rendered = render(message.reply, self._words, left_out)
        await self._send(self._letter(message, rendered, identity, enclosures))
        return {**note, "id": identity}

    def _note(self, message: Message, said: str) -> Mapping[str, str]:
        before = message.posted or message.below
        thread = before.get("thread") or f"<vcc-{message.mark}@{self._mail.domain}>"
        return {"thread": thread, "subject": before.get("subject") or subject_of(message.reply), "said": said}

    def _letter(self, message: Message, rendered: Rendered, identity: str, files: Sequence[Enclosure]) -> Letter:
        note, before = self._note(message, ""), message.posted or message.below
        references = (note["thread"], *([before["id"]] if "id" in before else []))
        return Letter(
            recipient=message.place.channel,
            subject=f"Re: {note['subject']}" if before else rendered.subject,
            text=rendered.text,
            html=rendered.html,
            identity=identity,
            references=references,
            at=datetime.datetime.now(datetime.UTC),
            files=tuple(files),
        )

    async def _send(self, letter: Letter) -> None:
        try:
            await self._mail.send(letter)
        except OutsideError as error:
            self._well = isinstance(error, Refused)
            _LOG.warning("a letter to %s: %s", letter.recipient, error.detail)
            raise _undelivered(error) from error
        self._well = True

    async def find(self, message: Message) -> Mapping[str, str] | None:
        """Nobody can look into a mailbox."""
        return None

    # ------------------------------------------------------------ Roster
    async def groups_of(self, account: Account) -> frozenset[Account]:
        """None: nobody types by mail."""
        return frozenset()

    # ------------------------------------------------------------ Connector
    async def run(self) -> None:
        """Hear nobody."""
        await asyncio.Event().wait()

    def healthy(self) -> bool:
        """Whether the server took the last letter, or refused only that one."""
        return self._well

    def routes(self) -> Sequence[web.RouteDef]:
        """None."""
        return ()

    async def check(self, words: Words) -> Sequence[Finding]:
        """Whether the server takes us, and whether others can read along on the way to it."""
        server = self._mail.server
        place = f"{server.host}:{server.port}"
        try:
            greeting = await self._mail.greet()
        except OutsideError as error:
            fix = "mail.check.login_fix" if isinstance(error, Denied) else "mail.check.fix"
            return [Finding(PLATFORM, "bad", f"{place}: {words(error.key, **error.values)}", words(fix))]
        if not greeting.secret and not server.is_here:
            return [Finding(PLATFORM, "warn", words("mail.check.open", place=place), words("mail.check.open_fix"))]
        return [Finding(PLATFORM, "ok", words("mail.check.ok", place=place, sender=server.sender))]


def said_by(reply: Reply) -> str:
    """What a change of must be told: tone, outcome, and the title without its figures."""
    return f"{reply.tone}|{reply.outcome}|{_FIGURES.sub('#', reply.title)}"


def worth_a_letter(message: Message) -> bool:
    """Whether what stands in the thread below a message is mailed as well."""
    reply = message.reply
    return bool(reply.mentions or reply.tables or reply.code or reply.files)


def _enclosed(files: Sequence[Attachment]) -> tuple[list[Enclosure], list[str]]:
    """What comes along, and the names of what is gone or too large. Blocking."""
    found: list[Enclosure] = []
    left_out: list[str] = []
    room = _ALL_TOGETHER
    for file in files:
        try:
            size = file.path.stat().st_size
            data = file.path.read_bytes() if size <= min(_LARGEST, room) else None
        except OSError:
            data = None
        if data is None:
            left_out.append(file.name)
        else:
            room -= len(data)
            found.append(Enclosure(harmless(file.name, limit=120, newlines=False) or "file", file.media_type, data))
    return found, left_out


def _undelivered(error: OutsideError) -> NotDelivered:
    """In the outbox's terms. The server's own words may hold an address or more, and stay in the error's detail."""
    if isinstance(error, Refused):
        return NotDelivered("the mail server refused it", refused=error.lasting)
    if isinstance(error, Denied):
        return NotDelivered("the mail server refused our login", retry_after=_LOGIN_AGAIN)
    return NotDelivered(f"mail: {error.key}", in_doubt=isinstance(error, TimedOut))


def build(doors: Doors) -> Connector:
    """Mail's connector. Misconfigured when the server's address is none."""
    settings = doors.settings
    try:
        server = MailServer.parse(settings.vcc_smtp_url.get_secret_value(), settings.vcc_alert_email[0])
    except ValueError:
        raise Misconfigured([f"VCC_SMTP_URL: {doors.words('config.address')}"]) from None
    return MailConnector(Mail(server), doors.words)
