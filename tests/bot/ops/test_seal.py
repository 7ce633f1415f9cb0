"""Sealing for whoever holds the identity: opened by age's own rules, refused when tampered with, and never telling a key."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pyrage
import pytest

from bot.errors import OutsideError
from bot.ops.dump_faults import Damaged
from bot.ops.seal import Contents, Seal, sealed_at_most
from tests.bot.ops.remote_parts import a_seal, noise


def of(content: bytes) -> Contents:
    return Contents(len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
def test_what_is_sealed_comes_out_again(tmp_path: Path, size: int) -> None:
    seal, content = a_seal(tmp_path), noise(size)
    (tmp_path / "plain").write_bytes(content)
    assert seal.seal(tmp_path / "plain", tmp_path / "closed") == of(content)
    assert size < (tmp_path / "closed").stat().st_size <= sealed_at_most(size)
    assert seal.open_sealed(tmp_path / "closed", tmp_path / "open") == of(content)
    assert (tmp_path / "open").read_bytes() == content
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "closed", tmp_path / "open")} == {0o600}


def test_any_age_with_the_identity_opens_it(tmp_path: Path) -> None:
    seal = a_seal(tmp_path)
    (tmp_path / "plain").write_bytes(b"content")
    seal.seal(tmp_path / "plain", tmp_path / "closed")
    identity = pyrage.x25519.Identity.from_str((tmp_path / "identity.txt").read_text().splitlines()[1])
    closed = (tmp_path / "closed").read_bytes()
    assert closed.startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert pyrage.decrypt(closed, [identity]) == pyrage.decrypt(seal.sealed(b"content"), [identity]) == b"content"


def test_each_of_several_recipients_can_open_it(tmp_path: Path) -> None:
    identities = [pyrage.x25519.Identity.generate() for _ in range(2)]
    closed = Seal(" , ".join(str(each.to_public()) for each in identities)).sealed(b"content")
    assert [pyrage.decrypt(closed, [each]) for each in identities] == [b"content", b"content"]


@pytest.mark.parametrize("text", ["age1", "age1xyz", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQQ", "age1" + "q" * 58])
def test_what_is_no_recipient_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="not an age recipient") as refused:
        Seal(text)
    assert text not in str(refused.value)


def test_without_a_key_it_is_not_configured() -> None:
    assert (Seal().configured, Seal("").can_open) == (False, False)


def test_a_name_is_the_same_each_time_and_another_for_other_recipients(tmp_path: Path) -> None:
    seal, sha256 = a_seal(tmp_path), "ab" * 32
    assert seal.hidden(sha256) == seal.hidden(sha256) != a_seal(tmp_path).hidden(sha256)
    assert len(seal.hidden(sha256)) == 64
    assert seal.hidden(sha256) != sha256


def test_what_was_tampered_with_or_cut_is_damaged_and_nothing_is_written(tmp_path: Path) -> None:
    seal = a_seal(tmp_path)
    closed = seal.sealed(noise(200_000))
    for wrong in (
        closed[:-1],
        closed[:100_000],
        closed[:50],
        b"",
        b"not age",
        closed[:150_000] + bytes([closed[150_000] ^ 1]) + closed[150_001:],
    ):
        (tmp_path / "closed").write_bytes(wrong)
        with pytest.raises(Damaged):
            seal.open_sealed(tmp_path / "closed", tmp_path / "open")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["closed", "identity.txt"]


def test_what_is_more_than_it_may_be_is_given_up_at_once(tmp_path: Path) -> None:
    seal = a_seal(tmp_path)
    (tmp_path / "closed").write_bytes(seal.sealed(bytes(5_000_000)))
    with pytest.raises(Damaged) as told:
        seal.open_sealed(tmp_path / "closed", tmp_path / "open", limit=100_000)
    assert told.value.reason == "longer than it may be"
    assert not (tmp_path / "open").exists()


def test_a_file_that_stands_there_is_not_overwritten(tmp_path: Path) -> None:
    seal = a_seal(tmp_path)
    (tmp_path / "plain").write_bytes(b"content")
    (tmp_path / "closed.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutsideError):
        seal.seal(tmp_path / "plain", tmp_path / "closed")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_is_gone_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(OutsideError) as told:
        a_seal(tmp_path).seal(tmp_path / "gone", tmp_path / "closed")
    assert (told.value.key, told.value.values["name"]) == ("dump.unreadable", "gone")
    assert not (tmp_path / "closed").exists()


def test_the_wrong_identity_is_told_apart_from_damage(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    closed = a_seal(tmp_path / "other").sealed(b"content")
    with pytest.raises(OutsideError) as told:
        a_seal(tmp_path).opened(closed, "x")
    assert told.value.key == "seal.wrong_identity"


@pytest.mark.parametrize("content", [b"", b"# nothing", b"AGE-SECRET-KEY-1WRONG", b"\xff\xfe", None])
def test_an_identity_file_that_cannot_be_used_is_told_without_what_is_in_it(tmp_path: Path, content: bytes | None) -> None:
    seal = a_seal(tmp_path)
    closed = seal.sealed(b"content")
    (tmp_path / "identity.txt").unlink()
    if content is not None:
        (tmp_path / "identity.txt").write_bytes(content)
    with pytest.raises(OutsideError) as told:
        seal.open_stream(io.BytesIO(closed), io.BytesIO(), "x")
    assert told.value.key == "seal.bad_identity"
    assert "SECRET-KEY" not in f"{told.value} {told.value.detail}"


def test_without_an_identity_file_the_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutsideError) as told:
        Seal().opened(b"x", "x")
    assert (told.value.key, told.value.values["setting"]) == ("seal.no_identity", "VCC_BACKUP_IDENTITY_FILE")
