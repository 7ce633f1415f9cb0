"""What an S3 service can do wrong, on the wire: each failure is told as what it is, leaves nothing half, and the next try goes on."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.errors import Denied, TimedOut, Unreachable
from bot.ops.dump_faults import Damaged
from bot.ops.remote import Remote
from bot.ops.remote_faults import DeniedMidway, Mangled, Overloaded, SkewedClock, Unsafe
from bot.ops.remote_listing import written_listing, written_manifest
from bot.ops.remote_values import FileEntry, Limits, RemoteBackup
from tests.bot.ops.remote_parts import Bucket, a_backup, a_remote, a_seal, noise, tree
from tests.bot.ops.waiting import until
from tests.parts import free_port
from tests.s3_parts import QUICK, Fault, Proxy, a_proxy, an_address, refusal

BIG = {"big.bson": noise(12 << 20)}
SMALL = {f"{number}.png": noise(1_000, number) for number in range(8)}


@dataclass
class Place:
    """A remote that reaches its bucket through a proxy."""

    proxy: Proxy
    bucket: Bucket
    remote: Remote
    folder: Path

    @contextlib.asynccontextmanager
    async def another(self, limits: Limits = QUICK, sealed: bool = False) -> AsyncIterator[Remote]:
        """The same after a restart of the bot, or with other limits."""
        address = an_address(self.proxy.url, bucket=self.bucket.name)
        async with a_remote(address, self.folder / "staging", a_seal(self.folder) if sealed else None, limits) as remote:
            yield remote


@pytest.fixture
async def place(s3_endpoint: str, s3_client: Any, tmp_path: Path) -> AsyncIterator[Place]:
    async with a_proxy(s3_endpoint) as proxy:
        address = an_address(proxy.url)
        async with a_remote(address, tmp_path / "staging") as remote:
            yield Place(proxy, Bucket(s3_client, address.bucket), remote, tmp_path)


def objects(request: web.Request, method: str = "PUT") -> bool:
    """Whether it is about the content of a file."""
    return request.method == method and "/objects/" in request.path


def some(fault: Fault, times: int, method: str = "PUT") -> Fault:
    """The fault, for so many requests about contents."""
    left = [times]

    def once(request: web.Request, body: bytes) -> object:
        if not objects(request, method) or not left[0]:
            return None
        left[0] -= 1
        return fault(request, body)

    return once


def after(fault: Fault, passed: int) -> Fault:
    """The fault, for every request about contents but the first so many."""
    seen = [0]

    def later(request: web.Request, body: bytes) -> object:
        seen[0] += objects(request)
        return fault(request, body) if seen[0] > passed else None

    return later


def refusing(code: str) -> Fault:
    return lambda _request, _body: refusal(403, code)


def busy(_request: web.Request, _body: bytes) -> web.Response:
    return refusal(503, "SlowDown")


def flipped(_request: web.Request, body: bytes) -> bytes:
    return bytes([body[0] ^ 1]) + body[1:]


async def test_a_service_that_is_busy_for_a_moment_is_asked_again(place: Place) -> None:
    place.proxy.faults = [some(busy, 1)]
    await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"x": b"content"}))
    assert place.proxy.count("PUT", "/objects/") == 2


async def test_a_service_that_stays_busy_is_told_and_nothing_looks_like_a_backup(place: Place) -> None:
    place.proxy.faults = [some(busy, 99)]
    with pytest.raises(Overloaded) as told:
        await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"x": b"content"}))
    assert told.value.values["status"] == 503
    place.proxy.faults = []
    assert (await place.remote.list()).backups == ()
    assert place.bucket.keys("vcc/leases/") == []


async def test_keys_that_expire_midway_are_told_with_how_far_it_went_and_the_next_push_goes_on(place: Place) -> None:
    files = a_backup(place.folder / "b", SMALL)
    place.proxy.faults = [after(lambda _request, _body: refusal(400, "ExpiredToken"), 4)]
    with pytest.raises(DeniedMidway) as told:
        await place.remote.push(place.folder / "b", files)
    done = told.value.values["done"]
    assert isinstance(done, int)
    assert (1 <= done <= 4, told.value.values["total"]) == (True, 8)
    assert "secret-of-the-key" not in str(told.value)
    place.proxy.faults, place.proxy.seen = [], []
    pushed = await place.remote.push(place.folder / "b", files)
    assert pushed.sent_files == place.proxy.count("PUT", "/objects/") == 4
    await place.remote.fetch("b", place.folder / "back")
    assert tree(place.folder / "back") == SMALL


@pytest.mark.parametrize("sealed", [False, True])
async def test_an_upload_in_parts_goes_on_after_a_cut_with_the_parts_that_are_there(place: Place, sealed: bool) -> None:
    files = a_backup(place.folder / "b", BIG)
    async with place.another(sealed=sealed) as remote:
        place.proxy.faults = [lambda request, _body: refusal(503, "SlowDown") if "partNumber=3" in request.path_qs else None]
        with pytest.raises(Overloaded):
            await remote.push(place.folder / "b", files)
        assert len(place.bucket.uploads()) == 1
        place.proxy.faults, place.proxy.seen = [], []
        # What a killed process leaves in the staging directory is no obstacle.
        (place.folder / "staging" / ("ab" * 32 + ".age.part")).write_bytes(b"half")
        await remote.push(place.folder / "b", files)
        assert (place.proxy.count("PUT", "partNumber=3"), place.proxy.count("PUT", "partNumber=1")) == (1, 0)
        await remote.fetch("b", place.folder / "back")
    assert tree(place.folder / "back") == BIG
    assert place.bucket.uploads() == []


async def test_what_arrived_mangled_is_sent_again(place: Place) -> None:
    place.proxy.faults = [some(flipped, 2)]
    await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"x": b"content"}))
    await place.remote.fetch("b", place.folder / "back")
    assert tree(place.folder / "back") == {"x": b"content"}


async def test_what_arrives_mangled_each_time_is_told_by_name_and_not_left_there(place: Place) -> None:
    place.proxy.faults = [some(flipped, 99)]
    with pytest.raises(Mangled) as told:
        await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"uploads/x.png": b"content"}))
    assert told.value.values["name"] == "uploads/x.png"
    assert place.bucket.keys("vcc/objects/") == place.bucket.keys("vcc/backups/") == []


async def test_a_download_goes_on_where_it_was_cut(place: Place) -> None:
    await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"x": noise(400_000)}))
    place.proxy.faults = [some(lambda request, body: place.proxy.passed(request, body, cut=True), 2, "GET")]
    await place.remote.fetch("b", place.folder / "back")
    assert tree(place.folder / "back") == {"x": noise(400_000)}
    assert place.proxy.count("GET", "/objects/") == 3


async def test_a_download_that_is_always_cut_leaves_nothing(place: Place) -> None:
    await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"x": noise(400_000)}))
    place.proxy.faults = [some(lambda request, body: place.proxy.passed(request, body[:0], cut=True), 99, "GET")]
    limits = replace(QUICK, tries=2)
    async with place.another(limits) as remote:
        with pytest.raises(Unreachable):
            await remote.fetch("b", place.folder / "back")
    assert [path.name for path in place.folder.glob("*back*")] + [path.name for path in place.folder.glob(".fetching*")] == []


async def test_a_service_that_does_not_answer_in_time_is_told(place: Place) -> None:
    released = asyncio.Event()

    async def wait() -> None:
        await asyncio.wait_for(released.wait(), 60)

    place.proxy.faults = [lambda _request, _body: wait()]
    async with place.another(replace(QUICK, read_s=0.3, attempts=1)) as remote:
        with pytest.raises(TimedOut):
            await remote.list()
    released.set()


async def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with a_remote(an_address(f"http://127.0.0.1:{free_port()}"), tmp_path / "staging") as remote:
        with pytest.raises(Unreachable) as told:
            await remote.list()
    assert "secret-of-the-key" not in str(told.value) + told.value.detail


async def test_wrong_keys_and_a_wrong_clock_are_told_apart(place: Place) -> None:
    for code, kind, problem in (("InvalidAccessKeyId", Denied, "denied"), ("RequestTimeTooSkewed", SkewedClock, "clock")):
        place.proxy.faults = [refusing(code)]
        with pytest.raises(kind):
            await place.remote.list()
        assert await place.remote.check() == (problem,)


async def test_a_key_that_may_only_read_is_found_by_the_check(place: Place) -> None:
    place.proxy.faults = [lambda request, _body: refusal(403, "AccessDenied") if request.method == "PUT" else None]
    assert await place.remote.check() == ("read_only", "open")


async def test_a_push_that_is_cancelled_ends_tidily_and_the_next_goes_on(place: Place) -> None:
    files, held = a_backup(place.folder / "b", SMALL), asyncio.Event()

    async def hold() -> None:
        await asyncio.wait_for(held.wait(), 60)

    def slow(request: web.Request, _body: bytes) -> object:
        return hold() if objects(request) and not held.is_set() else None

    place.proxy.faults = [slow]
    pushing = asyncio.create_task(place.remote.push(place.folder / "b", files))
    await until(lambda: place.proxy.count("PUT", "/objects/") > 0, "something is sent")
    pushing.cancel()
    held.set()
    with pytest.raises(asyncio.CancelledError):
        await pushing
    assert place.bucket.keys("vcc/leases/") == place.bucket.keys("vcc/backups/") == []
    place.proxy.faults = []
    assert (await place.remote.push(place.folder / "b", files)).files == 8


async def test_a_content_that_is_not_the_one_is_told_by_name_and_nothing_is_written(place: Place) -> None:
    await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"uploads/x.png": b"content"}))
    (key,) = place.bucket.keys("vcc/objects/")
    for content in (b"contenT", b"content and more than was announced", b"cont", None):
        place.bucket.client.delete_object(Bucket=place.bucket.name, Key=key)
        if content is not None:
            place.bucket.put(key, content)
        with pytest.raises(Damaged) as told:
            await place.remote.fetch("b", place.folder / "back")
        assert told.value.name == "uploads/x.png"
        assert not (place.folder / "back").exists()


async def test_a_list_that_leads_elsewhere_is_refused_before_anything_is_fetched(place: Place) -> None:
    content = "ab" * 32
    entries = [FileEntry(name, 1, content, 0o600, 0, content) for name in ("ok", "../../x", "x")]
    listing = b"".join(written_listing(entries))
    place.bucket.put("vcc/backups/evil/files", listing)
    manifest = RemoteBackup("evil", 3, 3, False, 0.0, hashed(listing), content)
    place.bucket.put("vcc/backups/evil/manifest.json", written_manifest(manifest))
    with pytest.raises(Unsafe):
        await place.remote.fetch("evil", place.folder / "back")
    assert place.proxy.count("GET", "/objects/") == 0
    assert sorted(path.name for path in place.folder.glob("*") if path.name != "staging") == []


async def test_a_name_that_is_no_backups_is_refused(place: Place) -> None:
    for name in ("../b", "b/c", "", ".", "-b", "b\n"):
        for refused in (place.remote.fetch(name, place.folder / "back"), place.remote.delete(name)):
            with pytest.raises(Unsafe):
                await refused
    assert place.proxy.seen == []


async def test_a_list_of_another_hash_is_not_believed(place: Place) -> None:
    await place.remote.push(place.folder / "b", a_backup(place.folder / "b", {"x": b"content"}))
    place.bucket.put("vcc/backups/b/files", json.dumps(["x", 7, "ab" * 32, 0, 0, "ab" * 32]).encode())
    with pytest.raises(Damaged):
        await place.remote.fetch("b", place.folder / "back")


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
