"""Mail over SMTP: hands one letter to the mail server, and tells what is wrong with it. Knows nothing of chat or of alerts.

``smtps://`` is TLS from the first byte; on ``smtp://`` the connection is made secret as soon as the server offers it, and a
password is never sent over one that is not (but to this machine itself).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from bot.errors import Denied, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.bounded import Vendor, describe, within
from bot.ops.mail_values import Letter

SYSTEM = "mail"
PORTS = {"smtp": 587, "smtps": 465}
# Every mail program of the last forty years reads it.
_POLICY = MAIL_POLICY.clone(cte_type="7bit", max_line_length=76)
_SENDER_NAME = "VCC ops bot"
_LASTING = 500
_GREETED_WITHIN = 5.0


class Refused(Rejected):
    """The server said no to this letter. ``lasting``: it will say so again."""

    def __init__(self, detail: str, *, lasting: bool) -> None:
        super().__init__(SYSTEM, detail)
        self.lasting = lasting


def translate(error: Exception, seconds: float) -> OutsideError:
    """What aiosmtplib throws, in our words."""
    said = describe(error)
    if isinstance(error, TimeoutError):
        return TimedOut(SYSTEM, seconds, said)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Denied(SYSTEM, said) if error.code >= _LASTING else Refused(said, lasting=False)
    if isinstance(error, ssl.SSLError):
        return Rejected(SYSTEM, said)
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return Refused(said, lasting=all(each.code >= _LASTING for each in error.recipients))
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Refused(said, lasting=error.code >= _LASTING)
    if isinstance(error, OSError):
        # aiosmtplib hides what TLS disliked behind a failed connection.
        return Rejected(SYSTEM, f"{said}: {error.__cause__}") if isinstance(error.__cause__, ssl.SSLError) else Unreachable(SYSTEM, said)
    return Rejected(SYSTEM, said)


MAIL = Vendor(SYSTEM, (aiosmtplib.SMTPException, OSError, ValueError), translate)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters go, from the setting ``smtp[s]://user:password@host:port?from=bot@example.org``."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    sender: str

    @classmethod
    def parse(cls, url: str, first_recipient: str) -> MailServer:
        """ValueError when it is no such address. The sender is ``from``, else the user, else whoever gets the letters."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("no mail server")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        wanted = parse_qs(parts.query).get("from", [""])[0]
        sender = wanted or (user if "@" in user else first_recipient)
        Address(addr_spec=sender)
        return cls(parts.hostname, parts.port or PORTS[parts.scheme], parts.scheme == "smtps", user, password, sender)

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server is like that took us: whether what we send it is secret on the way, and whether it knows us."""

    secret: bool
    logged_in: bool


class Mail:
    """Sends letters, one connection for each. ``deadline`` in seconds bounds one without files; ``trusted`` is for tests."""

    def __init__(self, server: MailServer, deadline: float = 20.0, trusted: ssl.SSLContext | None = None) -> None:
        self.server = server
        self._deadline = deadline
        self._trusted = trusted

    @property
    def domain(self) -> str:
        """What the identities of our letters end in."""
        return self.server.sender.rpartition("@")[2]

    async def send(self, letter: Letter) -> None:
        """Hand a letter over; it is the server's when this returns. OutsideError when it is not, TimedOut when that is in doubt."""
        raw = await asyncio.to_thread(lambda: composed(letter, self.server.sender).as_bytes())
        seconds = self._deadline + 30.0 * (len(raw) >> 20)
        async with within(MAIL, seconds), self._connected(seconds) as client:
            await client.sendmail(self.server.sender, [letter.recipient], raw)

    async def greet(self) -> Greeting:
        """Connect, and log in where we have a login; send nothing."""
        seconds = min(self._deadline, _GREETED_WITHIN)
        async with within(MAIL, seconds), self._connected(seconds) as client:
            return Greeting(client.get_transport_info("ssl_object") is not None, bool(self.server.user))

    @contextlib.asynccontextmanager
    async def _connected(self, seconds: float) -> AsyncIterator[aiosmtplib.SMTP]:
        server = self.server
        self._trusted = context = self._trusted or await asyncio.to_thread(ssl.create_default_context)
        client = aiosmtplib.SMTP(
            hostname=server.host, port=server.port, use_tls=server.tls, start_tls=None, timeout=seconds, tls_context=context
        )
        try:
            await client.connect()
            if server.user:
                if client.get_transport_info("ssl_object") is None and not server.is_here:
                    raise Rejected(SYSTEM, "the server offers no TLS: the password was not sent")
                await client.login(server.user, server.password)
            yield client
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):  # it has the letter; how we part does not matter
                await client.quit()
        finally:
            client.close()


def composed(letter: Letter, sender: str) -> EmailMessage:
    """A letter as it goes over the wire: its text, the same as HTML, and its files."""
    message = EmailMessage(_POLICY)
    message["From"] = Address(_SENDER_NAME, addr_spec=sender)
    message["To"] = Address(addr_spec=letter.recipient)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = letter.identity
    if letter.references:
        message["In-Reply-To"] = letter.references[-1]
        message["References"] = " ".join(letter.references)
    # No holiday notice answers it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, charset="utf-8", cte="base64")
    message.add_alternative(letter.html, subtype="html", charset="utf-8", cte="base64")
    for file in letter.files:
        kind, _, subtype = file.media_type.partition("/")
        message.add_attachment(file.data, maintype=kind or "application", subtype=subtype or "octet-stream", filename=file.name)
    return message
