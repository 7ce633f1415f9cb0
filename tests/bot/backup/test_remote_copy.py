"""All of a backup goes to the second place, and what fails there makes the backup here no worse."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from bot.backup.remote_copy import send
from bot.backup.shelf import MANIFEST, PROOF, Shelf
from bot.backup.work import Hooks, Threads
from bot.errors import Unreachable
from bot.ops.remote import Remote
from bot.ops.remote_values import Carried, Named, Pushed
from tests.bot.backup.parts import fill_uploads, make


class Elsewhere:
    """A second place that keeps what it is handed; ``failure`` keeps it from that."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.kept: dict[str, bytes] = {}
        self._failure = failure

    async def push(self, source: Path, files: Iterable[Named], **more: Any) -> Pushed:
        """Keep each file, if it is what its hash says."""
        if self._failure is not None:
            raise self._failure
        for name, size, sha256 in files:
            content = (source / name).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (size, sha256)
            self.kept[name] = content
        more["say"](Carried(1, 2, 1, 2))
        return Pushed(more["called"].id, len(self.kept), 1, 1, 1, sealed=False, took_s=0.1)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A shelf with one backup."""
    shelf = Shelf(tmp_path / "backups")
    make(shelf, fill_uploads(tmp_path / "uploads"))
    return shelf


async def sent(shelf: Shelf, elsewhere: Elsewhere) -> Any:
    backup, threads, told = shelf.get(), Threads(), list[str]()
    assert backup.manifest is not None
    hooks = Hooks(lambda step: told.append(step.name))
    try:
        return await send(cast(Remote, elsewhere), backup, backup.manifest, hooks, threads)
    finally:
        threads.close()
        assert set(told) == {"push"}


async def test_every_file_goes_there_but_what_is_only_known_here(shelf: Shelf) -> None:
    elsewhere, top = Elsewhere(), shelf.get().path
    copied = await sent(shelf, elsewhere)
    assert copied.there
    here = {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}
    assert set(elsewhere.kept) == here - {PROOF}
    assert MANIFEST in elsewhere.kept


async def test_a_failure_is_an_answer_and_not_an_end(shelf: Shelf) -> None:
    copied = await sent(shelf, Elsewhere(Unreachable("s3")))
    assert not copied.there
    assert copied.failure is not None
    assert copied.failure.key == "error.unreachable"
