"""Certificates of every kind, made on the spot, and a TLS server on loopback that shows one. Nothing of these is trusted anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Days = tuple[float, float]
A_MONTH: Days = (-1, 60)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as PEM."""

    pem: bytes
    key: bytes


class Authority:
    """A certificate that signs others; its own is signed by ``parent``, or by itself. ``days`` from now: begins, ends."""

    def __init__(self, name: str, *, parent: Authority | None = None, days: Days = (-400, 400), names: Sequence[str] = ()) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        signer, issuer = (parent._key, parent._name) if parent else (self._key, self._name)
        self.itself = Issued(_signed(_builder(self._name, issuer, self._key, days, names, authority=True), signer), _pem_of(self._key))

    def authority(self, name: str, *, days: Days = A_MONTH) -> Authority:
        """One below this."""
        return Authority(name, parent=self, days=days)

    def issue(self, subject: str, *, names: Sequence[str] = (), days: Days = A_MONTH) -> Issued:
        """A server's certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Issued(_signed(_builder(_named(subject), self._name, key, days, names), self._key), _pem_of(key))

    def file(self, directory: Path) -> Path:
        """Its own certificate as a file of what to trust."""
        path = directory / "authority.pem"
        path.write_bytes(self.itself.pem)
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    days: Days,
    names: Sequence[str],
    *,
    authority: bool = False,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    begins, ends = (now + datetime.timedelta(days=each) for each in days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False) if names else builder


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@contextlib.asynccontextmanager
async def serving(leaf: Issued, directory: Path, *behind: Issued) -> AsyncIterator[int]:
    """A loopback port that shows this certificate, and those behind it, and says nothing else."""
    path = directory / "served.pem"
    path.write_bytes(b"".join((leaf.key, leaf.pem, *(each.pem for each in behind))))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
