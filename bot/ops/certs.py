"""Certificates, from PEM files and from live TLS endpoints: whose, for which names, how long, and what a client would refuse.

An endpoint is read without verifying, so that a bad certificate can be told at all, and verified apart from that. Knows no limits
of days: what is too soon is judged elsewhere.
"""

from __future__ import annotations

import asyncio
import enum
import ipaddress
import itertools
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from bot.errors import OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.bounded import Vendor, Workers, describe, within
from bot.setting_types import endpoint_of

SYSTEM = "tls"
FILE_CAP = 1 << 20
NAMES_AT_MOST = 100
# OpenSSL's numbers for why it refuses.
_SELF_SIGNED = frozenset({18})
_DATES = frozenset({9, 10})


class CertProblem(enum.StrEnum):
    """What is wrong with a certificate, the worst first."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_NAME = "wrong_name"
    CHAIN_EXPIRED = "chain_expired"
    CHAIN_ORDER = "chain_order"
    SELF_SIGNED = "self_signed"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One source's first certificate. Moments are seconds since the epoch; ``days_left`` is negative once it has expired.

    ``name`` is the source as people know it: the file's name, or ``host:port``. ``chain`` holds the subjects in a file behind the
    first; an endpoint shows only its own.
    """

    name: str
    kind: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    days_left: float
    chain: tuple[str, ...]
    problems: tuple[CertProblem, ...]


def shown(source: str) -> str:
    """A source as people know it: ``host:port``, or a file's name without where it lies."""
    return source if endpoint_of(source) else Path(source).name


def translate(error: Exception, seconds: float) -> OutsideError:
    """What the socket, TLS and the parser throw, in our words."""
    if isinstance(error, TimeoutError):
        return TimedOut(SYSTEM, seconds, describe(error))
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return Unreachable(SYSTEM, describe(error))
    return Rejected(SYSTEM, describe(error))


# What the parser throws for a certificate that is none of the usual ones; not all of it is a ValueError.
_ODD = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm)
TLS = Vendor(SYSTEM, (OSError, ValueError, *_ODD), translate)


class Certs:
    """The certificates that ``sources`` name: paths of PEM files, and ``host:port``. ``deadline`` (seconds) bounds each.

    ``trusted`` is a file of authorities to trust instead of the machine's own.
    """

    def __init__(
        self, sources: Sequence[str], deadline: float = 2.0, *, trusted: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.sources = tuple(sources)
        self._deadline = deadline
        self._trusted = trusted
        self._clock = clock
        self._workers = Workers("certs", 2)

    def close(self) -> None:
        """Let the threads go."""
        self._workers.close()

    async def read(self, source: str) -> Certificate:
        """The certificate of one source. Unreachable, TimedOut or Rejected when there is none to be had."""
        async with within(TLS, self._deadline):
            endpoint = endpoint_of(source)
            return await (self._of_file(source) if endpoint is None else self._of_endpoint(source, *endpoint))

    async def _of_file(self, source: str) -> Certificate:
        found = await self._workers.run(_from_pem, Path(source))
        now = self._clock()
        problems = (*_dates(found[0], now), *_chain(found, now))
        return _certificate(shown(source), "file", found, now, problems)

    async def _of_endpoint(self, source: str, host: str, port: int) -> Certificate:
        strict, lenient = await self._workers.run(_contexts, self._trusted)
        raw, refused = await asyncio.gather(_presented(host, port, lenient), _refused(host, port, strict))
        leaf = x509.load_der_x509_certificate(raw)
        now = self._clock()
        problems = (*_dates(leaf, now), *_name(leaf, host), *_distrust(refused, leaf, now))
        return _certificate(source, "endpoint", [leaf], now, problems)


def _from_pem(path: Path) -> list[x509.Certificate]:
    """Every certificate in the file, in its order; a key beside them is not looked at."""
    with path.open("rb") as file:
        return x509.load_pem_x509_certificates(file.read(FILE_CAP))


def _contexts(trusted: Path | None) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """One that verifies all but the name, which is looked at by itself; and one that takes anything."""
    strict = ssl.create_default_context(cafile=None if trusted is None else str(trusted))
    strict.check_hostname = False
    lenient = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lenient.check_hostname = False
    lenient.verify_mode = ssl.CERT_NONE
    return strict, lenient


async def _presented(host: str, port: int, context: ssl.SSLContext) -> bytes:
    """The certificate that the endpoint shows, whatever it is worth."""
    _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()  # a polite farewell would wait for the other side
    if not raw:
        raise ValueError("no certificate was shown")
    return bytes(raw)


async def _refused(host: str, port: int, context: ssl.SSLContext) -> int:
    """Why a client would refuse it, by OpenSSL's number; 0 when it would not. What else goes wrong, ``_presented`` tells."""
    try:
        await _presented(host, port, context)
    except ssl.SSLCertVerificationError as error:
        return int(error.verify_code)
    return 0


def _certificate(name: str, kind: str, found: Sequence[x509.Certificate], now: float, problems: Sequence[CertProblem]) -> Certificate:
    leaf = found[0]
    ends = leaf.not_valid_after_utc.timestamp()
    order = tuple(CertProblem)
    return Certificate(
        name=name,
        kind=kind,
        subject=_said(leaf.subject),
        issuer=_said(leaf.issuer),
        names=_names(leaf)[:NAMES_AT_MOST],
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=ends,
        days_left=(ends - now) / 86_400,
        chain=tuple(_said(each.subject) for each in found[1:]),
        problems=tuple(sorted(set(problems), key=order.index)),
    )


def _said(name: x509.Name) -> str:
    common = [attribute.value for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return str(common[0]) if common else name.rfc4514_string()


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """The names it is good for. Clients have long stopped looking at the subject, so it counts for nothing here too."""
    try:
        listed = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = [str(each) for each in listed.get_values_for_type(x509.IPAddress)]
    return (*listed.get_values_for_type(x509.DNSName), *addresses)


def _dates(leaf: x509.Certificate, now: float) -> Iterator[CertProblem]:
    if now > leaf.not_valid_after_utc.timestamp():
        yield CertProblem.EXPIRED
    if now < leaf.not_valid_before_utc.timestamp():
        yield CertProblem.NOT_YET_VALID


def _name(leaf: x509.Certificate, host: str) -> Iterator[CertProblem]:
    if not any(covers(name, host) for name in _names(leaf)):
        yield CertProblem.WRONG_NAME


def covers(name: str, host: str) -> bool:
    """Whether a certificate's name is good for a host: the same, or ``*`` for its first label."""
    if (address := _ip(host)) is not None:
        return address == _ip(name)
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    star, _, rest = name.partition(".")
    _, _, behind = host.partition(".")
    return name == host or (star == "*" and "." in rest and rest == behind)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _distrust(refused: int, leaf: x509.Certificate, now: float) -> Iterator[CertProblem]:
    if refused in _SELF_SIGNED:
        yield CertProblem.SELF_SIGNED
    elif refused in _DATES:
        # The dates that are wrong may be those of a certificate behind the first.
        if not [*_dates(leaf, now)]:
            yield CertProblem.CHAIN_EXPIRED
    elif refused:
        yield CertProblem.UNTRUSTED


def _chain(found: Sequence[x509.Certificate], now: float) -> Iterator[CertProblem]:
    """Each must have been issued by the next: a server sends the file as it stands."""
    if any([*_dates(each, now)] for each in found[1:]):
        yield CertProblem.CHAIN_EXPIRED
    if not all(_issued(child, parent) for child, parent in itertools.pairwise(found)):
        yield CertProblem.CHAIN_ORDER
    if len(found) == 1 and _issued(found[0], found[0]):
        yield CertProblem.SELF_SIGNED


def _issued(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(parent)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
