"""Backups in a second place: sent once, whole or not at all, brought back byte for byte, deleted only when nothing needs them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Busy, Conflict, NotFound
from bot.ops.dump_faults import Damaged
from bot.ops.remote import Remote
from bot.ops.remote_values import Address, Called, Carried
from tests.bot.ops.remote_parts import Bucket, a_backup, a_remote, a_seal, contents, noise, tree
from tests.s3_parts import an_address

FILES = {"manifest.json": b"{}", "db/vcc/jobs.bson": noise(70_000), "uploads/generated/a b\n한.png": noise(20_000, 2), "empty": b""}


@pytest.fixture
def address(s3_endpoint: str) -> Address:
    return an_address(s3_endpoint)


@pytest.fixture
def bucket(s3_client: Any, address: Address) -> Bucket:
    return Bucket(s3_client, address.bucket)


@pytest.fixture
async def remote(address: Address, bucket: Bucket, tmp_path: Path) -> AsyncIterator[Remote]:
    async with a_remote(address, tmp_path / "staging") as remote:
        yield remote


async def test_a_backup_comes_back_byte_for_byte_with_its_modes_and_times(remote: Remote, tmp_path: Path) -> None:
    source = tmp_path / "b-1"
    files = a_backup(source, FILES)
    (source / "db/vcc/jobs.bson").chmod(0o640)
    os.utime(source / "empty", ns=(1, 1_700_000_000_123_456_789))
    pushed = await remote.push(source, files)
    assert (pushed.files, pushed.sent_files, pushed.bytes, pushed.stopped_by) == (4, 4, 90_002, "")
    (listed,) = (await remote.list()).backups
    assert (listed.id, listed.files, listed.bytes, listed.sealed) == ("b-1", 4, 90_002, False)
    fetched = await remote.fetch("b-1", tmp_path / "back")
    assert (fetched.files, fetched.bytes) == (4, 90_002)
    assert tree(tmp_path / "back") == FILES
    assert stat.S_IMODE((tmp_path / "back/db/vcc/jobs.bson").stat().st_mode) == 0o640
    assert (tmp_path / "back/empty").stat().st_mtime_ns == 1_700_000_000_123_456_789
    assert sorted(path.name for path in contents(tmp_path)) == ["b-1", "back", "staging"]


async def test_what_is_there_already_is_not_sent_again(remote: Remote, bucket: Bucket, tmp_path: Path) -> None:
    await remote.push(tmp_path / "b-1", a_backup(tmp_path / "b-1", FILES))
    second = a_backup(tmp_path / "b-2", {**FILES, "uploads/new.png": noise(9, 3), "uploads/copy.png": noise(9, 3)})
    pushed = await remote.push(tmp_path / "b-2", second)
    assert (pushed.sent_files, pushed.sent_bytes) == (1, 9)
    assert len(bucket.keys("vcc/objects/")) == 5
    again = await remote.push(tmp_path / "b-2", second)
    assert again.sent_files == 0
    assert [each.id for each in (await remote.list()).backups] == ["b-2", "b-1"]


async def test_a_sealed_backup_tells_the_bucket_neither_names_nor_contents_nor_hashes(
    address: Address, bucket: Bucket, tmp_path: Path
) -> None:
    files = a_backup(tmp_path / "b-1", {**FILES, "big.bin": noise(7 << 20)})
    async with a_remote(address, tmp_path / "staging", a_seal(tmp_path)) as remote:
        pushed = await remote.push(tmp_path / "b-1", files)
        assert pushed.sealed
        assert (await remote.push(tmp_path / "b-1", files)).sent_files == 0
        everything = b"".join(key.encode() + bucket.get(key) for key in bucket.keys(""))
        for word in ("jobs.bson", "generated", *(sha256 for _, _, sha256 in files)):
            assert word.encode() not in everything
        assert noise(20_000, 2)[:64] not in everything
        await remote.fetch("b-1", tmp_path / "back")
        assert tree(tmp_path / "back") == tree(tmp_path / "b-1")
    assert [path.name for path in contents(tmp_path / "staging")] == ["lock"]


async def test_without_the_identity_a_sealed_backup_stays_closed(address: Address, bucket: Bucket, tmp_path: Path) -> None:
    seal, other = a_seal(tmp_path), tmp_path / "other"
    other.mkdir()
    async with a_remote(address, tmp_path / "staging", seal) as remote:
        await remote.push(tmp_path / "b-1", a_backup(tmp_path / "b-1", FILES))
    for opener, key in ((None, "seal.no_identity"), (a_seal(other), "seal.wrong_identity")):
        async with a_remote(address, tmp_path / "staging", opener) as remote:
            with pytest.raises(Exception) as refused:
                await remote.fetch("b-1", tmp_path / "back")
        assert getattr(refused.value, "key", "") == key
        assert not (tmp_path / "back").exists()


async def test_another_backup_of_the_same_name_is_refused(remote: Remote, tmp_path: Path) -> None:
    await remote.push(tmp_path / "b-1", a_backup(tmp_path / "b-1", FILES))
    with pytest.raises(Conflict):
        await remote.push(tmp_path / "b-2", a_backup(tmp_path / "b-2", {"x": b"y"}), called=Called("b-1"))


async def test_a_file_that_changed_since_the_backup_is_not_sent(remote: Remote, bucket: Bucket, tmp_path: Path) -> None:
    files = a_backup(tmp_path / "b-1", FILES)
    (tmp_path / "b-1/db/vcc/jobs.bson").write_bytes(noise(70_000, 9))
    with pytest.raises(Damaged) as damaged:
        await remote.push(tmp_path / "b-1", files)
    assert damaged.value.name == "db/vcc/jobs.bson"
    assert (await remote.list()).backups == ()
    assert bucket.keys("vcc/leases/") == []


async def test_a_link_in_a_backup_is_not_followed(remote: Remote, tmp_path: Path) -> None:
    files = a_backup(tmp_path / "b-1", {"x": b"secret"})
    (tmp_path / "b-1/x").rename(tmp_path / "elsewhere")
    (tmp_path / "b-1/x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Damaged):
        await remote.push(tmp_path / "b-1", files)


async def test_it_tells_how_far_it_is(remote: Remote, tmp_path: Path) -> None:
    told: list[Carried] = []
    await remote.push(tmp_path / "b-1", a_backup(tmp_path / "b-1", FILES), say=told.append)
    assert told[-1] == Carried(4, 4, 90_002, 90_002)


async def test_who_wants_it_to_end_is_heard(remote: Remote, bucket: Bucket, tmp_path: Path) -> None:
    async def asked() -> str:
        return "ada"

    files = a_backup(tmp_path / "b-1", {str(number): noise(100, number) for number in range(80)})
    pushed = await remote.push(tmp_path / "b-1", files, asked=asked)
    assert pushed.stopped_by == "ada"
    assert (await remote.list()).backups == ()
    await remote.push(tmp_path / "b-1", files)
    fetched = await remote.fetch("b-1", tmp_path / "back", asked=asked)
    assert fetched.stopped_by == "ada"
    assert not (tmp_path / "back").exists()


async def test_objects_go_when_no_backup_needs_them_and_not_before(remote: Remote, bucket: Bucket, tmp_path: Path) -> None:
    await remote.push(tmp_path / "b-1", a_backup(tmp_path / "b-1", FILES))
    await remote.push(tmp_path / "b-2", a_backup(tmp_path / "b-2", {"empty": b"", "own": b"own"}))
    assert (await remote.collect()).objects == 0
    await remote.delete("b-1")
    assert [each.id for each in (await remote.list()).backups] == ["b-2"]
    collected = await remote.collect()
    assert (collected.objects, collected.bytes, collected.backups) == (3, 90_002, 1)
    assert len(bucket.keys("vcc/objects/")) == 2
    await remote.fetch("b-2", tmp_path / "back")
    with pytest.raises(NotFound):
        await remote.delete("b-1")


async def test_nothing_is_collected_while_something_is_sent(remote: Remote, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("vcc/objects/ab/" + "ab" * 32, b"not referred to")
    bucket.put("vcc/leases/push-of-another-machine", b"{}")
    with pytest.raises(Busy):
        await remote.collect()
    assert len(bucket.keys("vcc/objects/")) == 1
    bucket.client.delete_object(Bucket=bucket.name, Key="vcc/leases/push-of-another-machine")
    bucket.put("vcc/leases/collect-of-another-machine", b"{}")
    with pytest.raises(Busy):
        await remote.push(tmp_path / "b-1", a_backup(tmp_path / "b-1", FILES))


async def test_nothing_is_collected_when_a_backups_list_cannot_be_read(remote: Remote, bucket: Bucket, tmp_path: Path) -> None:
    await remote.push(tmp_path / "b-1", a_backup(tmp_path / "b-1", FILES))
    bucket.put("vcc/backups/b-1/tree", b"")
    with pytest.raises(Damaged):
        await remote.collect()
    assert len(bucket.keys("vcc/objects/")) == 4


async def test_a_damaged_manifest_and_a_newer_one_are_told_by_name(remote: Remote, bucket: Bucket) -> None:
    bucket.put("vcc/backups/b-1/manifest.json", b"[")
    bucket.put("vcc/backups/b-2/manifest.json", json.dumps({"format": 99}).encode())
    bucket.put("vcc/backups/b-3/tree", b"")
    listed = await remote.list()
    assert (listed.backups, listed.unreadable) == ((), ("b-1", "b-2"))


async def test_the_check_tells_what_is_wrong(remote: Remote, address: Address, tmp_path: Path) -> None:
    assert await remote.check() == ("open",)
    async with a_remote(an_address(address.endpoint), tmp_path / "staging", a_seal(tmp_path)) as homeless:
        assert await homeless.check() == ("bucket",)
