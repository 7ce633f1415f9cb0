"""What is in the bucket: the backups, one of them deleted, and objects that no backup refers to any more.

Blocks. Deletes nothing that it cannot prove to be unused: a list that cannot be read ends the collecting.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator

from bot.errors import NotFound, OutsideError
from bot.ops.dump_faults import Damaged
from bot.ops.remote_listing import LONGEST_MANIFEST, read_manifest, read_tree
from bot.ops.remote_names import BACKUPS, LEASES, MANIFEST, OBJECTS, TREE, backup_key, checked_id
from bot.ops.remote_s3 import S3
from bot.ops.remote_values import SYSTEM, Collected, RemoteBackup, StoredObject

_AT_ONCE = 1000


class Keep:
    """Looks after what is stored."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    def names(self) -> list[str]:
        """Everything that may be a backup; without a manifest it is none yet."""
        return self._s3.folders(BACKUPS)

    def backup(self, name: str) -> RemoteBackup | None:
        """What its manifest says; None when there is none."""
        try:
            return read_manifest(self._s3.get(backup_key(name, MANIFEST), LONGEST_MANIFEST), name)
        except NotFound:
            return None

    def delete(self, name: str) -> None:
        """The manifest first: without it, it is no backup. Its objects go when they are collected."""
        try:
            self._s3.head(backup_key(checked_id(name), MANIFEST))
        except NotFound as error:
            raise NotFound(SYSTEM, name, error.detail) from error
        self._s3.delete([backup_key(name, MANIFEST)])
        self._s3.delete([each.key for each in self._s3.listed(backup_key(name, ""))])

    def collect(self, go_on: Callable[[], None]) -> Collected:
        """Delete what nothing refers to and is older than the grace. ``go_on`` is asked before each deletion; it raises to end it."""
        before = self._s3.now() - self._s3.limits.grace_s
        used: set[bytes] = set()
        backups = 0
        for name in self.names():
            if self.backup(name) is not None:
                backups += 1
            elif self._abandoned(name, before):
                go_on()
                self._s3.delete([each.key for each in self._s3.listed(backup_key(name, ""))])
                continue
            used.update(bytes.fromhex(each) for each in self._objects(name))
        count, size = self._delete_all(self._unused(used, before), go_on)
        self._delete_all((each for each in self._s3.listed(LEASES) if each.at < before), go_on)
        return Collected(count, size, self._drop_uploads(before, go_on), backups)

    def _abandoned(self, name: str, before: float) -> bool:
        """A description that was begun long ago, and has no manifest still."""
        return all(each.at < before for each in self._s3.listed(backup_key(name, "")))

    def _objects(self, name: str) -> Iterator[str]:
        """What it is made of. A backup without that list must not lose its objects: Damaged."""
        try:
            content = self._s3.get(backup_key(name, TREE), self._s3.limits.listing_bytes)
        except NotFound:
            if self.backup(name) is None:
                return
            raise Damaged(f"{name}/{TREE}", 0, "it is not there") from None
        known = self.backup(name)
        if known is not None and hashlib.sha256(content).hexdigest() != known.tree_sha256:
            raise Damaged(f"{name}/{TREE}", 0, "another hash than the manifest says")
        yield from read_tree(content, name)

    def _unused(self, used: set[bytes], before: float) -> Iterator[StoredObject]:
        for each in self._s3.listed(OBJECTS):
            with contextlib.suppress(ValueError):  # not a name of ours, so not ours to delete
                if each.at < before and bytes.fromhex(each.key.rpartition("/")[2]) not in used:
                    yield each

    def _delete_all(self, several: Iterator[StoredObject], go_on: Callable[[], None]) -> tuple[int, int]:
        count = size = 0
        batch: list[str] = []
        for each in several:
            batch.append(each.key)
            count, size = count + 1, size + each.bytes
            if len(batch) == _AT_ONCE:
                go_on()
                self._s3.delete(batch)
                batch = []
        if batch:
            go_on()
            self._s3.delete(batch)
        return count, size

    def _drop_uploads(self, before: float, go_on: Callable[[], None]) -> int:
        """Uploads in parts that nobody goes on with: they cost money, and no list of objects shows them."""
        old = [(key, upload) for key, upload, at in self._s3.uploads("") if at < before]
        if old:
            go_on()
        for key, upload in old:
            self._s3.abort(key, upload)
        return len(old)


def damaged_or_newer(keep: Keep, name: str) -> tuple[RemoteBackup | None, bool]:
    """What the manifest says, and whether it can be read at all. A lost connection is no damage."""
    try:
        return keep.backup(name), True
    except Damaged:
        return None, False
    except OutsideError as error:
        if error.key == "remote.newer":
            return None, False
        raise
