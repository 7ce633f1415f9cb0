"""The seeded world, without any server."""

from __future__ import annotations

import random
import time
import zlib
from collections import Counter
from pathlib import Path

import pytest

from bot.sandbox.layout import LONGEST_SOCKET_PATH, Layout, establish_identity, read_identity
from bot.sandbox.png import SIGNATURE
from bot.sandbox.secrets import SEEDED_SECRETS, seeded_secrets
from bot.sandbox.seed_documents import DOCUMENTS_WITHOUT_FILE, FILES_WITHOUT_DOCUMENT, JOBS, World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(random.Random(1), time.time())


def test_every_status_is_there_and_some_failures_are_old(world: World) -> None:
    counts = Counter(job["status"] for job in world.jobs)
    assert sum(counts.values()) == JOBS
    assert set(counts) == {"pending", "processing", "completed", "failed", "cancelled"}
    month_ago = time.time() - 30 * 86_400
    assert sum(job["status"] == "failed" and job["createdAt"].timestamp() < month_ago for job in world.jobs) > 100


def test_the_same_seed_makes_the_same_world() -> None:
    first, second = (build_world(random.Random(7), 1_767_000_000) for _ in range(2))
    assert first.collections() == second.collections()


def test_there_are_orphans_on_both_sides_and_every_file_is_a_png(world: World, tmp_path: Path) -> None:
    world.write_files(tmp_path)
    on_disk = {path.name for path in (tmp_path / "generated").glob("*.png")}
    documented = {image["filename"] for image in world.images}
    assert len(on_disk - documented) == FILES_WITHOUT_DOCUMENT
    assert len(documented - on_disk) == DOCUMENTS_WITHOUT_FILE
    image = next(image for image in world.images if image["filename"] in on_disk)
    body = (tmp_path / "generated" / image["filename"]).read_bytes()
    assert body.startswith(SIGNATURE)
    assert image["size"] == len(body)
    assert abs((tmp_path / "generated" / image["filename"]).stat().st_mtime - image["createdAt"].timestamp()) < 1
    data = body[body.index(b"IDAT") + 4 : body.index(b"IEND") - 8]
    assert len(zlib.decompress(data)) == 96 * (1 + 96 * 3)


def test_two_documents_share_one_file(world: World) -> None:
    names = Counter(image["path"] for image in world.images)
    assert max(names.values()) == 2


def test_the_secrets_of_a_home_are_among_its_seeded_secrets(tmp_path: Path) -> None:
    identity = establish_identity(Layout(tmp_path))
    assert identity.secrets.redis_password in seeded_secrets(tmp_path)
    assert set(SEEDED_SECRETS) < set(seeded_secrets(tmp_path))


def test_an_identity_is_kept_and_its_file_is_private(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first = establish_identity(layout)
    assert establish_identity(layout) == first == read_identity(layout)
    assert layout.identity_file.stat().st_mode & 0o777 == 0o600


def test_a_deep_home_gets_a_socket_path_that_fits(tmp_path: Path) -> None:
    layout = Layout(tmp_path / ("deep" * 20) / ("deeper" * 20))
    identity = establish_identity(layout)
    assert len(str(identity.socket)) <= LONGEST_SOCKET_PATH
    identity.socket.parent.rmdir()
