"""A backup comes back from the second place byte for byte and proven, or nothing of it; what stands here is not worse for it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.backup.manifest import Manifest, written
from bot.backup.remote_copy import files_of
from bot.backup.shelf import MANIFEST, PROOF, Shelf
from bot.backup.verify import verify
from bot.backup.work import EndedBy, Hooks, Step
from bot.errors import Conflict, Denied, NotFound, OutsideError
from bot.ops.dump_faults import Damaged
from bot.ops.remote_faults import Overloaded
from bot.ops.remote_values import Called
from bot.ops.seal import Seal
from tests.bot.backup.fetch_parts import Parts, Place, looks
from tests.bot.backup.parts import NOW, fill_uploads, make
from tests.bot.ops.remote_parts import Bucket, a_remote, a_seal
from tests.s3_parts import a_proxy, an_address, refusal

# A file of the backup, as the bucket and the shelf have it.
PICTURE = "uploads/generated/1.png"


@pytest.fixture
async def place(s3_endpoint: str, s3_client: Any, tmp_path: Path) -> AsyncIterator[Place]:
    """One good backup here, with an empty directory among its uploads, and nothing over there."""
    (fill_uploads(tmp_path / "uploads", 2) / "reference" / "2026").mkdir(parents=True)
    shelf = Shelf(tmp_path / "backups")
    make(shelf, tmp_path / "uploads")
    async with a_proxy(s3_endpoint) as proxy:
        address = an_address(proxy.url)
        async with a_remote(address, tmp_path / "staging") as remote:
            parts = Parts(remote, Seal())
            yield Place(shelf, proxy, Bucket(s3_client, address.bucket), parts)
            parts.shelf_threads.close()


def ended_at(name: str) -> Hooks:
    """By these ada wants it to end as soon as it comes to a step. Reading goes on only when that was heard."""
    reached, heard = threading.Event(), threading.Event()

    async def asked() -> str:
        if not reached.is_set():
            return ""
        heard.set()
        return "ada"

    def say(step: Step) -> None:
        if step.name == name:
            reached.set()
            assert name == "fetch" or heard.wait(10)

    return Hooks(say, asked)


async def test_what_was_lost_here_comes_back_as_it_was_and_is_good(place: Place) -> None:
    identity = await place.sent()
    top = place.shelf.directory / identity
    before = looks(top)
    assert "uploads/reference/2026" in before
    shutil.rmtree(top)
    offer = await place.offer()
    assert (offer.there.id, offer.here, offer.there.sealed) == (identity, None, False)
    assert offer.needed_bytes > offer.there.bytes
    brought = await place.fetch()
    assert (brought.proven.faults, brought.fetched.files) == (0, offer.there.files)
    assert looks(top) == before
    assert place.left() == [identity]
    assert {"fetch", "verify"} <= set(place.told)
    backup = place.shelf.get()
    assert backup.manifest is not None
    proof = backup.proof
    assert (proof.good_at, proof.verified_at, proof.remote_at) == (backup.manifest.finished_at, NOW + 999, offer.there.stored_at)
    assert proof.restorable_at is None
    assert (await verify(place.shelf, identity, Hooks())).faults == 0


async def test_a_sealed_one_comes_back_with_the_identity_and_else_says_what_is_missing(place: Place, tmp_path: Path) -> None:
    seal, other = a_seal(tmp_path), tmp_path / "other"
    other.mkdir()
    address = an_address(place.proxy.url, bucket=place.bucket.name)
    async with a_remote(address, tmp_path / "staging", seal) as remote:
        place.parts.remote = remote
        identity = await place.sent()
        before = looks(place.shelf.directory / identity)
        shutil.rmtree(place.shelf.directory / identity)
        with pytest.raises(OutsideError) as without:
            await place.offer()
        assert without.value.key == "seal.no_identity"
        place.parts.seal = seal
        await place.fetch()
        assert looks(place.shelf.directory / identity) == before
    shutil.rmtree(place.shelf.directory / identity)
    async with a_remote(address, tmp_path / "staging", a_seal(other)) as remote:
        place.parts.remote = remote
        with pytest.raises(OutsideError) as wrong:
            await place.fetch()
    assert (wrong.value.key, place.left()) == ("seal.wrong_identity", [])


async def test_after_a_cut_nothing_is_left_and_the_next_one_succeeds(place: Place) -> None:
    identity = await place.sent()
    shutil.rmtree(place.shelf.directory / identity)
    objects = [0]

    def cut(request: web.Request, body: bytes) -> object:
        objects[0] += "/objects/" in request.path
        return place.proxy.passed(request, body, cut=True) if objects[0] > 3 and "/objects/" in request.path else None

    place.proxy.faults = [cut]
    with pytest.raises(OutsideError) as failed:
        await place.fetch()
    assert (failed.value.system, place.left()) == ("s3", [])
    place.proxy.faults = []
    await place.fetch()
    assert place.left() == [identity]


async def test_a_service_that_is_too_busy_is_told_as_that(place: Place) -> None:
    identity = await place.sent()
    shutil.rmtree(place.shelf.directory / identity)
    place.proxy.faults = [lambda request, body: refusal(503, "SlowDown") if "/objects/" in request.path else None]
    with pytest.raises(Overloaded):
        await place.fetch()
    assert place.left() == []


async def test_a_damaged_object_is_refused_by_name_and_nothing_is_left(place: Place) -> None:
    identity = await place.sent()
    top = place.shelf.directory / identity
    (key,) = (each for each in place.bucket.keys("vcc/objects/") if place.bucket.get(each) == (top / PICTURE).read_bytes())
    place.bucket.put(key, (top / PICTURE).read_bytes()[::-1])
    shutil.rmtree(top)
    with pytest.raises(Damaged) as told:
        await place.fetch()
    assert (told.value.name, place.left()) == (PICTURE, [])


async def test_one_that_does_not_agree_with_its_own_manifest_is_not_taken_in(place: Place, tmp_path: Path) -> None:
    """Every object is what the bucket's list says, and the list is not what was backed up."""
    backup = place.shelf.get()
    assert backup.manifest is not None
    lying = Manifest(**{**{name: getattr(backup.manifest, name) for name in Manifest.__slots__}, "uploads": None})
    (backup.path / MANIFEST).write_bytes(written(lying))
    await place.sent()
    shutil.rmtree(backup.path)
    brought = await place.fetch()
    assert brought.proven.faults > 0
    assert place.left() == []


async def test_one_of_another_project_or_of_another_name_is_not_taken_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first says what it is and is not ours to see; an older bot's does not say, and is looked into."""
    identity = await place.sent()
    place.parts.project = "another"
    with pytest.raises(NotFound):
        await place.offer(identity)
    shutil.rmtree(place.shelf.directory / identity)
    key = f"vcc/backups/{identity}/manifest.json"
    place.bucket.put(key, place.bucket.get(key).replace(b'"project=p"', b'"project=another"'))
    with pytest.raises(OutsideError, match="fetch_another"):
        await place.fetch()
    place.parts.project = ""
    assert (await place.fetch()).proven.faults == 0


async def test_one_that_changed_since_it_was_offered_is_not_fetched(place: Place) -> None:
    identity = await place.sent()
    shutil.rmtree(place.shelf.directory / identity)
    there = (await place.offer()).there
    with pytest.raises(Conflict) as told:
        await place.fetching().run(replace(there, listing_sha256="0" * 64), replacing=False)
    assert (told.value.key, place.left(), place.proxy.count("GET", "/objects/")) == ("remote.changed", [], 0)


async def test_what_the_bucket_says_was_found_out_is_not_believed(place: Place) -> None:
    backup = place.shelf.get()
    assert backup.manifest is not None
    proof = b'{"restorable_at": 1.0, "fault": "backup.drill.not_restorable"}'
    (backup.path / PROOF).write_bytes(proof)
    files = [*files_of(backup, backup.manifest), (PROOF, len(proof), sha256(proof).hexdigest())]
    await place.parts.remote.push(backup.path, files, called=Called(backup.id))
    shutil.rmtree(backup.path)
    await place.fetch()
    assert (place.shelf.get().proof.restorable_at, place.shelf.get().proof.fault) == (None, "")


async def test_a_sound_one_here_needs_none_from_there(place: Place) -> None:
    identity = await place.sent()
    with pytest.raises(Conflict) as told:
        await place.offer(identity)
    assert told.value.key == "backup.fetch_not_needed"
    there = (await place.parts.remote.list()).backups[0]
    with pytest.raises(Conflict):
        await place.fetching().run(there, replacing=True)
    assert place.left() == [identity]


async def test_a_damaged_one_stays_until_the_fetched_one_is_proven_and_then_goes(place: Place) -> None:
    identity = await place.sent()
    top = place.shelf.directory / identity
    before = looks(top)
    (top / PICTURE).write_bytes(b"png")
    damaged = looks(top)
    place.shelf.prove(identity, fault="backup.damaged", fault_at=NOW, restorable_at=NOW + 5, drill_s=2.0)
    place.proxy.faults = [lambda request, body: refusal(400, "ExpiredToken") if "/objects/" in request.path else None]
    assert (await place.offer()).here is not None
    with pytest.raises(Denied):
        await place.fetch()
    assert (looks(top), place.shelf.get().proof.fault) == (damaged, "backup.damaged")
    place.proxy.faults = []
    await place.fetch()
    proof = place.shelf.get().proof
    assert looks(top) == before
    assert (proof.fault, proof.fault_at, proof.restorable_at, proof.drill_s) == ("", None, NOW + 5, 2.0)
    assert place.left() == [identity]


async def test_one_whose_manifest_is_gone_here_is_replaced_and_a_newer_bots_is_not(place: Place) -> None:
    identity = await place.sent()
    (place.shelf.directory / identity / MANIFEST).write_text('{"format": 99}')
    with pytest.raises(Conflict) as told:
        await place.offer()
    assert told.value.key == "backup.newer_format"
    (place.shelf.directory / identity / MANIFEST).unlink()
    await place.fetch()
    assert place.shelf.get().is_sound


@pytest.mark.parametrize("step", ["fetch", "verify"])
async def test_who_wants_it_to_end_is_heard_and_nothing_is_left(place: Place, step: str) -> None:
    identity = await place.sent()
    shutil.rmtree(place.shelf.directory / identity)
    with pytest.raises(EndedBy) as ended:
        await place.fetch(ended_at(step))
    assert (ended.value.person, place.left()) == ("ada", [])


async def test_cancelled_it_leaves_nothing_and_nothing_writes_any_more(place: Place) -> None:
    identity = await place.sent()
    shutil.rmtree(place.shelf.directory / identity)
    begun = asyncio.Event()

    async def slowly(request: web.Request, body: bytes) -> None:
        if "/objects/" in request.path:
            begun.set()
            await asyncio.sleep(0.2)

    place.proxy.faults = [slowly]
    running = asyncio.create_task(place.fetch())
    await asyncio.wait_for(begun.wait(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 60)
    assert place.left() == []


async def test_an_unknown_one_and_one_of_no_backups_name_are_not_found(place: Place, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a").write_bytes(b"")
    await place.parts.remote.push(tmp_path / "x", [("a", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")])
    for identity in ("2020-01-01T00-00-00Z", "x"):
        with pytest.raises(NotFound):
            await place.offer(identity)
    with pytest.raises(Conflict) as told:
        await place.offer()
    assert told.value.key == "backup.fetch_none"
