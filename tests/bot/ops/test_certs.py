"""Certificates of every kind, from files and from real TLS on loopback: read whatever they are worth, and told apart."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest

from bot.errors import OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.certs import TLS, CertProblem, Certs, covers, shown, translate
from tests.bot.ops.silent import silent_port
from tests.certificates import Authority, serving
from tests.parts import free_port

DAY = 86_400.0


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Who signs here; nobody trusts it unless told."""
    return Authority("Test CA")


async def problems_of(source: str, **options: object) -> tuple[CertProblem, ...]:
    certs = Certs((source,), 5.0, **options)  # type: ignore[arg-type]
    try:
        return (await certs.read(source)).problems
    finally:
        certs.close()


async def test_a_good_endpoint_has_no_problem_where_its_authority_is_trusted(authority: Authority, tmp_path: Path) -> None:
    leaf = authority.issue("vcc.example", names=("vcc.example", "127.0.0.1"), days=(-1, 60))
    async with serving(leaf, tmp_path) as port:
        certs = Certs((), 5.0, trusted=authority.file(tmp_path))
        found = await certs.read(f"127.0.0.1:{port}")
        certs.close()
    assert (found.name, found.kind, found.subject, found.issuer) == (f"127.0.0.1:{port}", "endpoint", "vcc.example", "Test CA")
    assert (found.names, found.problems) == (("vcc.example", "127.0.0.1"), ())
    assert found.days_left == pytest.approx(60, abs=0.01)
    assert found.not_before == pytest.approx(time.time() - DAY, abs=120)


@pytest.mark.parametrize(
    ("days", "names", "problems"),
    [
        ((-30, -2), ("127.0.0.1",), (CertProblem.EXPIRED,)),
        ((2, 30), ("127.0.0.1",), (CertProblem.NOT_YET_VALID,)),
        ((-1, 30), ("other.example",), (CertProblem.WRONG_NAME,)),
        ((-1, 30), (), (CertProblem.WRONG_NAME,)),
        ((-30, -2), ("*.example",), (CertProblem.EXPIRED, CertProblem.WRONG_NAME)),
    ],
)
async def test_what_is_wrong_with_an_endpoint_is_told_all_together(
    authority: Authority, tmp_path: Path, days: tuple[float, float], names: tuple[str, ...], problems: tuple[CertProblem, ...]
) -> None:
    async with serving(authority.issue("vcc.example", names=names, days=days), tmp_path) as port:
        assert await problems_of(f"127.0.0.1:{port}", trusted=authority.file(tmp_path)) == problems


async def test_an_authority_nobody_trusts_and_a_self_signed_certificate_are_told_apart(authority: Authority, tmp_path: Path) -> None:
    async with serving(authority.issue("vcc.example", names=("127.0.0.1",)), tmp_path) as port:
        assert await problems_of(f"127.0.0.1:{port}") == (CertProblem.UNTRUSTED,)
    alone = Authority("vcc.example", names=("127.0.0.1",))
    async with serving(alone.itself, tmp_path) as port:
        assert await problems_of(f"127.0.0.1:{port}") == (CertProblem.SELF_SIGNED,)


async def test_a_chain_with_an_expired_link_is_told_though_the_first_is_well(authority: Authority, tmp_path: Path) -> None:
    link = authority.authority("Link", days=(-30, -1))
    leaf = link.issue("vcc.example", names=("127.0.0.1",))
    async with serving(leaf, tmp_path, link.itself) as port:
        assert await problems_of(f"127.0.0.1:{port}", trusted=authority.file(tmp_path)) == (CertProblem.CHAIN_EXPIRED,)


async def test_a_file_is_read_with_its_chain_in_order(authority: Authority, tmp_path: Path) -> None:
    link = authority.authority("Link")
    leaf = link.issue("vcc.example", names=("vcc.example", "*.vcc.example"), days=(-1, 20))
    path = tmp_path / "vcc.pem"
    path.write_bytes(leaf.key + leaf.pem + link.itself.pem)
    certs = Certs((str(path),), 5.0)
    found = await certs.read(str(path))
    assert (found.name, found.kind, found.subject, found.issuer) == ("vcc.pem", "file", "vcc.example", "Link")
    assert (found.chain, found.problems, found.names) == (("Link",), (), ("vcc.example", "*.vcc.example"))
    assert found.days_left == pytest.approx(20, abs=0.01)
    assert b"PRIVATE" not in repr(found).encode()
    path.write_bytes(link.itself.pem + leaf.pem)
    assert (await certs.read(str(path))).problems == (CertProblem.CHAIN_ORDER,)
    certs.close()


async def test_files_with_wrong_dates_and_of_ones_own_signing_are_told(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "it.pem"
    for leaf, problem in (
        (authority.issue("x", days=(-9, -1)), CertProblem.EXPIRED),
        (authority.issue("x", days=(1, 9)), CertProblem.NOT_YET_VALID),
        (authority.itself, CertProblem.SELF_SIGNED),
    ):
        path.write_bytes(leaf.pem)
        assert await problems_of(str(path)) == (problem,)


async def test_days_are_counted_by_the_clock_given(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "it.pem"
    path.write_bytes(authority.issue("x", days=(-1, 10)).pem)
    certs = Certs((), 5.0, clock=lambda: time.time() + 40 * DAY)
    found = await certs.read(str(path))
    certs.close()
    assert found.days_left == pytest.approx(-30, abs=0.01)
    assert found.problems == (CertProblem.EXPIRED,)


@pytest.mark.parametrize(
    "content", [b"", b"not a certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", bytes(300)]
)
async def test_a_file_that_holds_none_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "it.pem"
    path.write_bytes(content)
    certs = Certs((), 5.0)
    with pytest.raises(Rejected):
        await certs.read(str(path))
    path.unlink()
    with pytest.raises(Unreachable):
        await certs.read(str(path))
    certs.close()


async def test_a_certificate_against_the_rules_is_rejected_and_no_bug_of_ours(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "it.pem"
    named = authority.issue("x", names=("x.example",)).pem
    der = ssl.PEM_cert_to_DER_cert(named.decode())
    names, constraints = bytes((0x55, 0x1D, 0x11)), bytes((0x55, 0x1D, 0x13))
    assert names in der
    # The same extension twice; and a version that there is none of.
    for odd in (der.replace(constraints, names), der.replace(bytes((0xA0, 3, 2, 1, 2)), bytes((0xA0, 3, 2, 1, 7)))):
        path.write_text(ssl.DER_cert_to_PEM_cert(odd))
        certs = Certs((), 5.0)
        with pytest.raises(Rejected):
            await certs.read(str(path))
        certs.close()


async def test_the_name_that_counts_may_be_the_last_of_very_many(authority: Authority, tmp_path: Path) -> None:
    names = (*(f"n{number}.example" for number in range(150)), "127.0.0.1")
    async with serving(authority.issue("vcc.example", names=names), tmp_path) as port:
        assert await problems_of(f"127.0.0.1:{port}", trusted=authority.file(tmp_path)) == ()


async def test_nobody_there_a_silent_one_and_one_without_tls_are_told_apart() -> None:
    certs = Certs((), 0.5)
    with pytest.raises(Unreachable):
        await certs.read(f"127.0.0.1:{free_port()}")
    async with silent_port() as port:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            await certs.read(f"127.0.0.1:{port}")
        assert time.monotonic() - began < 20
    certs.close()


@pytest.mark.parametrize(
    ("name", "host", "good"),
    [
        ("vcc.example", "VCC.example.", True),
        ("*.vcc.example", "www.vcc.example", True),
        ("*.vcc.example", "vcc.example", False),
        ("*.vcc.example", "a.b.vcc.example", False),
        ("*.example", "vcc.example", False),
        ("*", "vcc", False),
        ("*.", "vcc.", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("0:0:0:0:0:0:0:1", "::1", True),
        ("vcc.example", "127.0.0.1", False),
        ("*.0.0.1", "127.0.0.1", False),
    ],
)
def test_a_name_covers_what_a_client_would_accept(name: str, host: str, good: bool) -> None:
    assert covers(name, host) is good


def test_a_source_is_shown_without_the_place_of_its_file() -> None:
    assert (shown("/srv/secret/place/vcc.pem"), shown("vcc.example:443"), shown("[::1]:443")) == ("vcc.pem", "vcc.example:443", "[::1]:443")


@pytest.mark.parametrize(
    "error", [OSError(), ssl.SSLError(), ssl.SSLZeroReturnError(), ConnectionResetError(), ValueError(), TimeoutError()]
)
def test_every_error_of_the_vendors_is_caught_and_translated(error: Exception) -> None:
    assert isinstance(error, TLS.errors)
    assert isinstance(translate(error, 1), OutsideError)
