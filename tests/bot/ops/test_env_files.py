"""Values in an environment file: changed where they stand, every other byte as it was, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Conflict
from bot.ops import env_files
from bot.ops.container_values import Service
from bot.ops.containers import Containers
from bot.ops.env_files import EnvFile, EnvFiles
from tests.bot.ops.log_samples import service

FILE = b"# secrets\nexport JWT_SECRET='old one'\nMONGO_DB=vcc # the name\n\nREDIS_PASSWORD = r3dis\nJWT_SECRET_NOT=x\nJWT_SECRET=last\n"


def a_file(content: bytes = FILE) -> EnvFile:
    return EnvFile(Path("/nowhere/.env"), ".env", content)


def test_the_last_value_counts_and_quotes_and_remarks_are_no_part_of_it() -> None:
    assert [a_file().value(name) for name in ("JWT_SECRET", "MONGO_DB", "REDIS_PASSWORD", "NOBODY")] == ["last", "vcc", "r3dis", ""]
    assert a_file(b"A='x y'\n").value("A") == "x y"


def test_a_value_is_changed_wherever_it_stands_and_nothing_else_is() -> None:
    changed = a_file().changed({"JWT_SECRET": "new", "REDIS_PASSWORD": "safe"})
    expected = b"# secrets\nexport JWT_SECRET=new\nMONGO_DB=vcc # the name\n\nREDIS_PASSWORD=safe\nJWT_SECRET_NOT=x\nJWT_SECRET=new\n"
    assert changed == expected


@pytest.mark.parametrize(("before", "after"), [(b"", b"A=1\n"), (b"B=2", b"B=2\nA=1\n"), (b"B=2\r\n", b"B=2\r\nA=1\n")])
def test_a_name_that_is_not_there_comes_last(before: bytes, after: bytes) -> None:
    assert a_file(before).changed({"A": "1"}) == after


@given(st.binary(max_size=200), st.text("0123456789abcdef", min_size=1, max_size=64))
def test_whatever_the_file_holds_the_value_is_there_afterwards(content: bytes, value: str) -> None:
    changed = a_file(content).changed({"JWT_SECRET": value})
    assert a_file(changed).value("JWT_SECRET") == value
    assert a_file(changed).changed({"JWT_SECRET": value}) == changed


def test_the_file_is_replaced_with_its_rights_and_without_a_trace(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(FILE)
    path.chmod(0o640)
    (tmp_path / "..env.vcc-part").write_text("left by a killed bot")
    file = EnvFile(path, ".env", FILE)
    file.write(b"A=1\n")
    assert path.read_bytes() == b"A=1\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


class Listing(Containers):
    """Containers whose labels name these environment files."""

    def __init__(self, project: Path, files: str) -> None:
        super().__init__("unix:///nowhere", "vcc")
        labels = {"com.docker.compose.project.working_dir": str(project), "com.docker.compose.project.environment_file": files}
        self._found = (replace(service(), labels=labels),)

    async def services(self) -> tuple[Service, ...]:
        return self._found


async def test_of_several_files_the_one_that_holds_the_name_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / ".env.production").write_text("JWT_SECRET=x\n")
    both = f"{tmp_path}/.env,{tmp_path}/.env.production"
    assert (await EnvFiles(Listing(tmp_path, both), tmp_path).holding(["JWT_SECRET"])).shown == ".env.production"
    assert (await EnvFiles(Listing(tmp_path, ""), tmp_path).holding(["A"])).shown == ".env"


async def test_a_name_that_only_the_compose_file_uses_goes_into_the_first_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / "docker-compose.yml").write_text("command: redis-server --requirepass ${REDIS_PASSWORD:-redispassword}\n")
    assert (await EnvFiles(Listing(tmp_path, ""), tmp_path).holding(["REDIS_PASSWORD"])).shown == ".env"
    with pytest.raises(Conflict, match=r"revoke\.not_in_file"):
        await EnvFiles(Listing(tmp_path, ""), tmp_path).holding(["JWT_SECRET"])


async def test_without_a_file_or_a_folder_it_is_refused_with_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=r"revoke\.no_env_file"):
        await EnvFiles(Listing(tmp_path, ""), tmp_path).holding(["A"])
    with pytest.raises(Conflict, match=r"revoke\.no_project_dir"):
        await EnvFiles(Listing(tmp_path, ""), tmp_path / "gone").holding(["A"])


async def test_a_file_outside_the_project_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "outside.env").write_text("A=1\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / ".env").symlink_to(tmp_path / "outside.env")
    with pytest.raises(Conflict, match=r"revoke\.no_env_file"):
        await EnvFiles(Listing(project, ""), project).holding(["A"])


async def test_of_several_files_that_compose_reads_the_last_counts(tmp_path: Path) -> None:
    """What an earlier one says is overridden by it, so a new secret written there would be lost at the next ``up``."""
    for name in ("common.env", "production.env"):
        (tmp_path / name).write_text("JWT_SECRET=old\n")
    listing = Listing(tmp_path, f"{tmp_path}/common.env,{tmp_path}/production.env")
    assert (await EnvFiles(listing, tmp_path).holding(["JWT_SECRET"])).path.name == "production.env"


async def test_a_file_that_is_mounted_by_itself_is_refused_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("JWT_SECRET=old\n")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 /srv/.env {tmp_path}/.env rw,noatime shared:1 - ext4 /dev/sda1 rw\n")
    monkeypatch.setattr(env_files, "_MOUNTS", mounts)
    with pytest.raises(Conflict, match=r"revoke\.read_only"):
        await EnvFiles(Listing(tmp_path, ""), tmp_path).holding(["JWT_SECRET"])


async def test_a_file_of_somebody_else_is_refused_before_anything_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writable by all, yet the new one could not be given to its owner: that would be found out after MongoDB has the new password."""
    (tmp_path / ".env").write_text("JWT_SECRET=old\n")
    monkeypatch.setattr("os.geteuid", lambda: (tmp_path / ".env").stat().st_uid + 1)
    with pytest.raises(Conflict, match=r"revoke\.read_only"):
        await EnvFiles(Listing(tmp_path, ""), tmp_path).holding(["JWT_SECRET"])
