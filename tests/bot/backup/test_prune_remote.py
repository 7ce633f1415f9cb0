"""In the second place the same keep rules hold, over all there is anywhere; the newest proven copies never go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.backup.manifest import DatabasePart, Manifest, UploadsPart
from bot.backup.prune import Rules, choose
from bot.backup.prune_remote import choose_there, remove_there
from bot.backup.shelf import Backup, Proof
from bot.ops.remote import Remote
from bot.ops.remote_values import RemoteBackup
from tests.bot.ops.remote_parts import Bucket, a_backup, a_remote, noise, tree
from tests.s3_parts import Proxy, a_proxy, an_address, refusal

NOW = 1_769_076_000.0
DAY = 86_400.0
ONE = Rules(1, 0, 0, 0)


def named(day: float) -> str:
    """The name of one made so many days ago."""
    return datetime.fromtimestamp(NOW - day * DAY, UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def backup(day: float, *, good: bool = True, restorable: bool = False, fault: str = "", parts: str = "both") -> Backup:
    """One that stands here."""
    at = NOW - day * DAY
    database = DatabasePart("vcc-manager", "6", "none", (), None, 0) if parts != "files" else None
    uploads = UploadsPart(1, 1, 1, 1, "directory", 0, 0) if parts != "database" else None
    manifest = Manifest(named(day), "p", at, at, "asked", "olga", "R", "0", (), database, uploads)
    return Backup(manifest.id, Path(manifest.id), manifest, Proof(at if good else None, None, at if restorable else None, fault=fault))


def copies(*days: float, said: Sequence[str] = ("database", "uploads")) -> list[RemoteBackup]:
    """Those of these days, over there, with what they say of themselves."""
    return [RemoteBackup(named(day), 1, 1, False, NOW - day * DAY, "0" * 64, "0" * 64, tuple(said)) for day in days]


def going(here: Sequence[Backup], there: Sequence[RemoteBackup], rules: Rules = ONE) -> list[str]:
    staying = {each.id for each, _ in choose(sorted(here, key=lambda each: each.id, reverse=True), rules, "UTC").staying}
    return [each.id for each in choose_there(here, there, rules, "UTC", staying)]


def test_what_goes_here_goes_there_and_what_stays_here_stays_there() -> None:
    here = [backup(day) for day in range(4)]
    assert going(here, copies(0, 1, 2, 3)) == [named(3), named(2), named(1)]
    assert going(here, copies(0, 1, 2, 3), Rules(3, 0, 0, 0)) == [named(3)]


def test_the_newest_copies_over_there_stay_even_when_newer_ones_were_never_sent() -> None:
    here = [backup(0), backup(1), backup(2, restorable=True), backup(3, restorable=True), backup(4)]
    assert going(here, copies(1, 2, 3, 4)) == [named(4), named(3)]
    assert going([backup(0, restorable=True), backup(1), backup(2, restorable=True), backup(3)], copies(1, 2, 3)) == [named(3)]


def test_what_is_only_over_there_goes_once_the_rules_do_not_want_it_and_a_newer_whole_one_is_good_here() -> None:
    assert going([backup(0), backup(1)], copies(0, 5, 6)) == [named(6), named(5)]
    assert going([backup(0)], copies(0, 5, 6), Rules(2, 0, 0, 0)) == [named(6)]
    assert going([], copies(5, 6)) == []
    assert going([backup(0, parts="database")], copies(0, 5, 6)) == []
    assert going([backup(0, good=False)], copies(5, 6)) == []
    assert going([backup(7)], copies(5, 6, 7, 8)) == [named(8)]


def test_one_of_the_database_alone_takes_no_place_of_a_whole_one() -> None:
    assert going([backup(0, parts="database"), backup(1), backup(2, parts="database"), backup(3)], copies(0, 1, 2, 3)) == [
        named(3),
        named(2),
    ]


@pytest.mark.parametrize("said", [["database"], ["project=p"], []])
def test_what_is_only_over_there_takes_no_place_of_a_whole_one_unless_it_says_that_it_is_whole(said: list[str]) -> None:
    """The newest here was never sent: of what was sent, only the third is known to be whole."""
    here, there = [backup(0), backup(3)], [*copies(1, 2, said=said), *copies(3)]
    assert named(3) not in going(here, there)
    assert named(3) in going(here, copies(1, 2, 3))


def test_what_does_not_say_what_it_is_goes_by_the_rules_among_its_kind_once_a_newer_whole_one_is_good_here() -> None:
    assert going([backup(0)], copies(5, 6, 7, said=()), Rules(2, 0, 0, 0)) == [named(7)]
    assert going([backup(0, parts="database")], copies(5, 6, 7, said=())) == []


def test_damage_here_has_not_reached_the_copy_over_there() -> None:
    """The damaged one is the last that the rules want: its copy is the only good one of it."""
    here = [backup(0), backup(1, fault="backup.damaged"), backup(2)]
    assert going(here, copies(0, 1, 2), Rules(2, 0, 0, 0)) == []
    assert going(here, copies(0, 1, 2)) == [named(2), named(1)]


def test_what_cannot_be_read_here_stays_there_and_so_does_what_is_not_named_like_a_backup() -> None:
    here = [backup(0), replace(backup(3), manifest=None)]
    strange = replace(copies(9)[0], id="b-1")
    assert going(here, [*copies(0, 3, 4), strange]) == [named(4)]


@pytest.fixture
async def proxy(s3_endpoint: str) -> AsyncIterator[Proxy]:
    async with a_proxy(s3_endpoint) as proxy:
        yield proxy


@pytest.fixture
async def remote(proxy: Proxy, s3_client: Any, tmp_path: Path) -> AsyncIterator[Remote]:
    """Three backups of one shared file and one of their own."""
    address = an_address(proxy.url)
    Bucket(s3_client, address.bucket)
    async with a_remote(address, tmp_path / "staging") as remote:
        for number in range(3):
            files = a_backup(tmp_path / named(number), {"shared": noise(900), "own": noise(100, number + 5)})
            await remote.push(tmp_path / named(number), files)
        yield remote


async def test_exactly_those_named_go_and_what_nothing_needs_is_freed(remote: Remote, tmp_path: Path) -> None:
    told: list[int] = []
    removed = await remove_there(remote, [named(2), named(9), named(1)], told.append)
    assert (removed.ids, removed.gone, removed.failure, told) == ((named(2), named(1)), (named(9),), None, [0, 1, 2, 3])
    assert removed.collected is not None
    assert (removed.collected.objects, removed.collected.bytes) == (2, 200)
    assert [each.id for each in (await remote.list()).backups] == [named(0)]
    await remote.fetch(named(0), tmp_path / "back")
    assert tree(tmp_path / "back") == tree(tmp_path / named(0))


async def test_what_fails_half_way_is_told_and_the_same_again_goes_on(remote: Remote, proxy: Proxy) -> None:
    proxy.faults = [lambda request, body: refusal(403, "AccessDenied") if named(1) in request.path and request.method == "HEAD" else None]
    removed = await remove_there(remote, [named(2), named(1)], lambda _: None)
    assert (removed.ids, removed.collected) == ((named(2),), None)
    assert removed.failure is not None
    assert removed.failure.key == "error.denied"
    proxy.faults = []
    again = await remove_there(remote, [named(2), named(1)], lambda _: None)
    assert (again.ids, again.gone, again.failure) == ((named(1),), (named(2),), None)
    assert again.collected is not None
    assert again.collected.bytes == 200
