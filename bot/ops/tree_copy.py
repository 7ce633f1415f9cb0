"""Copies one file whole or not at all, hashed on the way, while others may change it. Knows no index.

Where the file system shares blocks the copy is a clone; elsewhere the bytes that are hashed are the bytes that are written
(copying inside the kernel would read them a second time for the hash).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import stat
import time
from dataclasses import dataclass, field

from bot.ops.tree_values import Remark, TreeFault, reading
from bot.ops.tree_walk import remark_on, status_of

ATTEMPTS = 3
PAUSES = (0.05, 0.25)
_FICLONE = 0x40049409
_PIECE = 1 << 20
_NO_CLONE = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EACCES, errno.ETXTBSY})
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class Ways:
    """What this pair of file systems was found able to do, and who the copies are to belong to.

    ``owner`` None keeps each file's own; only root can give files away, and for others ``owner_refused`` says it was needed.
    """

    owner: tuple[int, int] | None = None
    clones: bool = True
    cloned: int = 0
    owner_refused: bool = False
    euid: int = field(default_factory=os.geteuid)
    egid: int = field(default_factory=os.getegid)


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that stands: as what the source was at that moment."""

    status: os.stat_result
    sha256: str


def copy_file(source: int, target: int, name: str, path: str, ways: Ways) -> Copied | Remark:
    """Copy ``name`` from one open directory to another. A remark when it is gone, or no file; TreeFault when it never stands still."""
    for attempt in range(ATTEMPTS):
        opened = _open(source, name, path)
        if isinstance(opened, str):
            return opened
        try:
            copied = _attempt(opened, target, name, path, ways)
        finally:
            os.close(opened)
        now = status_of(source, name)
        if copied is not None and now is not None and (now.st_ino, now.st_dev) == (copied.status.st_ino, copied.status.st_dev):
            return copied
        os.unlink(name, dir_fd=target)
        if attempt < len(PAUSES) and now is not None:
            time.sleep(PAUSES[attempt])
    raise TreeFault("snapshot.changing", path)


def _open(source: int, name: str, path: str) -> int | Remark:
    try:
        opened = os.open(name, _READ, dir_fd=source)
    except FileNotFoundError:
        return "gone"
    except OSError as error:
        now = status_of(source, name)
        if now is not None and not stat.S_ISREG(now.st_mode):
            return remark_on(now.st_mode)
        raise TreeFault("snapshot.unreadable", path, str(error)) from error
    mode = os.fstat(opened).st_mode
    if stat.S_ISREG(mode):
        return opened
    os.close(opened)
    return "gone" if stat.S_ISDIR(mode) else remark_on(mode)


def _attempt(opened: int, target: int, name: str, path: str, ways: Ways) -> Copied | None:
    """None when the file changed while it was read."""
    before = os.fstat(opened)
    made = os.open(name, _CREATE, 0o600, dir_fd=target)
    try:
        if ways.clones and _cloned(opened, made, ways):
            sha256, size = _hashed(made, path, before.st_size)
        else:
            sha256, size = _poured(opened, made, path, before.st_size)
        after = os.fstat(opened)
        if size != before.st_size or _shape(before) != _shape(after):
            return None
        wear(made, (before.st_uid, before.st_gid), before.st_mode, before.st_mtime_ns, ways)
    finally:
        os.close(made)
    return Copied(before, sha256)


def _shape(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_mode


def wear(made: int, owner: tuple[int, int], mode: int, mtime_ns: int, ways: Ways) -> None:
    """Set owner, mode and time of an open file of ours. The owner first: giving a file away clears bits of its mode."""
    uid, gid = ways.owner or owner
    if (uid, gid) != (ways.euid, ways.egid):
        try:
            os.fchown(made, uid, gid)
        except PermissionError:
            ways.owner_refused = True
    os.fchmod(made, mode & 0o777)
    os.utime(made, ns=(mtime_ns, mtime_ns))


def _cloned(opened: int, made: int, ways: Ways) -> bool:
    try:
        fcntl.ioctl(made, _FICLONE, opened)
    except OSError as error:
        if error.errno not in _NO_CLONE:
            raise
        ways.clones = False
        return False
    ways.cloned += 1
    return True


def _hashed(opened: int, path: str, size: int) -> tuple[str, int]:
    digest, total = hashlib.sha256(), 0
    while piece := _read(opened, path, size):
        digest.update(piece)
        total += len(piece)
    return digest.hexdigest(), total


def sha256_of(directory: int, name: str, path: str) -> tuple[str, int] | None:
    """Hash and length of a file; None when there is no file of that name."""
    opened = _open(directory, name, path)
    if isinstance(opened, str):
        return None
    try:
        return _hashed(opened, path, os.fstat(opened).st_size)
    finally:
        os.close(opened)


def _poured(opened: int, made: int, path: str, size: int) -> tuple[str, int]:
    digest, total = hashlib.sha256(), 0
    while piece := _read(opened, path, size):
        digest.update(piece)
        write(made, piece)
        total += len(piece)
        if len(piece) == size:
            break  # all that there was; whether it grew meanwhile, the caller sees by its status
    return digest.hexdigest(), total


def write(made: int, piece: bytes) -> None:
    """All of it."""
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(made, rest) :]


def _read(opened: int, path: str, size: int) -> bytes:
    try:
        return os.read(opened, min(size + 1, _PIECE))
    except OSError:
        with reading(path):
            raise


def sync_file_system(directory: int) -> None:
    """All that was written to this directory's file system, to disk at once: a hundred thousand single syncs would take minutes.

    Linux says what could not be written. Where there is no such call, everything is synced.
    """
    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except AttributeError:
        os.sync()
        return
    if call(directory) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
