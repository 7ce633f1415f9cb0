"""A real mail server (aiosmtpd) on loopback: with a login or none, with TLS or none, that refuses or hangs when told to.

Knows what came in, as parsed letters; nothing of who sent it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.certificates import Issued

USER, PASSWORD = "bot@example.org", "hunter2-&-secret"


@dataclass
class MailBox:
    """Every letter that came, oldest first. ``at_recipient`` and ``at_end`` are what it says there; with ``hangs`` nothing."""

    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    secret: list[bool] = field(default_factory=list)
    at_recipient: str = "250 OK"
    at_end: str = "250 taken"
    hangs: bool = False
    loses_answers: bool = False

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        """A recipient."""
        if self.at_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.at_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The letter itself."""
        if self.hangs:
            await asyncio.Event().wait()
        if self.at_end.startswith("250"):
            raw = envelope.content if isinstance(envelope.content, bytes) else b""
            self.letters.append(message_from_bytes(raw, policy=policy.default))
            self.recipients += envelope.rcpt_tos
            self.secret.append(server.transport is not None and server.transport.get_extra_info("ssl_object") is not None)
        if self.loses_answers and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return self.at_end

    @property
    def subjects(self) -> list[str]:
        """The subject of each."""
        return [str(letter["Subject"]) for letter in self.letters]


def text_of(letter: EmailMessage) -> str:
    """What programs without HTML show."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def server_context(leaf: Issued, directory: Path) -> ssl.SSLContext:
    """A server's side of TLS with this certificate."""
    path = directory / "mail.pem"
    path.write_bytes(leaf.key + leaf.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@contextlib.asynccontextmanager
async def mail_server(
    box: MailBox, *, port: int = 0, login: bool = False, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The server, on this port or a free one; the port."""
    loop = asyncio.get_running_loop()

    def speak() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a login without TLS is no good idea, is what the tests are about
            return SMTP(
                box,
                loop=loop,
                hostname="mail.test",
                tls_context=starttls,
                authenticator=_login,
                auth_required=login,
                auth_require_tls=False,
            )

    server = await loop.create_server(speak, "127.0.0.1", port, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
