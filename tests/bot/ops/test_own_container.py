"""Whether a container is the one this program runs in."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bot.ops.own_container import is_own

IDENTITY = "ab" * 32


def test_a_container_whose_files_are_mounted_here_is_our_own(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 2 8:1 /var/lib/docker/containers/{IDENTITY}/hostname /etc/hostname rw\n")
    assert is_own(IDENTITY, mounts)
    assert not is_own("cd" * 32, mounts)
    assert not is_own("", mounts)


def test_so_is_one_that_our_host_name_was_made_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: IDENTITY[:12])
    assert is_own(IDENTITY, tmp_path / "nothing")
    monkeypatch.setattr(socket, "gethostname", lambda: "host")
    assert not is_own(IDENTITY, tmp_path / "nothing")
