"""The files of a compose project by its labels: found where the bot sees the project, never outside it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from bot.ops.project_files import ENVIRONMENT, FILES, WORKING_DIR, Unreadable, names_in, read_below, wanted_from

LABELS = {
    WORKING_DIR: "/srv/vcc",
    FILES: "/srv/vcc/docker-compose.prod.yml,/srv/vcc/deploy/more.yml",
    ENVIRONMENT: "/srv/vcc/.env.production",
}


def paths(labels: list[dict[str, str]], root: Path = Path("/project")) -> list[str]:
    return [file.path.as_posix() for file in wanted_from(labels).files(root) if file.expected]


def test_paths_of_the_other_machine_are_found_below_the_project_directory() -> None:
    assert paths([LABELS]) == ["docker-compose.prod.yml", "deploy/more.yml", ".env.production", "nginx.conf"]


def test_relative_names_begin_at_the_working_directory() -> None:
    labels = {WORKING_DIR: "/srv/vcc", FILES: "docker-compose.yml,./deploy/../more.yml"}
    assert paths([labels]) == ["docker-compose.yml", "more.yml", "nginx.conf"]


def test_containers_made_at_different_times_name_different_files_and_all_count() -> None:
    assert paths([LABELS, {**LABELS, FILES: "/srv/vcc/docker-compose.yml"}, {}])[:3] == [
        "docker-compose.prod.yml",
        "deploy/more.yml",
        "docker-compose.yml",
    ]


def test_without_labels_the_usual_names_are_taken_when_they_are_there() -> None:
    files = wanted_from([{}]).files(Path("/project"))
    assert {"docker-compose.yml", "docker-compose.prod.yml", ".env", ".env.production"} <= {file.path.as_posix() for file in files}
    assert [file.path.as_posix() for file in files if file.expected] == ["nginx.conf"]


def test_a_label_cannot_ask_for_ever_so_many_files() -> None:
    labels = {WORKING_DIR: "/srv/vcc", FILES: ",".join(f"{number}.yml" for number in range(10_000))}
    assert len(wanted_from([labels]).files(Path("/project"))) == 64


def why_not(root: Path, path: str, most: int = 100) -> str:
    with pytest.raises(Unreadable) as told:
        read_below(root, PurePosixPath(path), most)
    return told.value.reason


def test_only_plain_files_within_the_project_are_read(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "deploy").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (root / "real.yml").write_text("services:")
    (root / "inside.yml").symlink_to("real.yml")
    (root / "outside.yml").symlink_to("../secret")
    (root / "round.yml").symlink_to("round.yml")
    (root / "long.yml").write_bytes(bytes(101))
    os.mkfifo(root / "pipe.yml")
    assert read_below(root, PurePosixPath("inside.yml"), 100) == b"services:"
    assert [why_not(root, path) for path in ("outside.yml", "../secret", str(tmp_path / "secret"))] == ["outside"] * 3
    assert [why_not(root, path) for path in ("pipe.yml", "deploy", "round.yml")] == ["unreadable"] * 3
    assert [why_not(root, path) for path in ("gone.yml", "long.yml")] == ["gone", "too_big"]
    assert why_not(root, "/srv/elsewhere/gone.yml") == "outside"


def test_a_project_directory_that_is_a_link_is_the_project(tmp_path: Path) -> None:
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2/x.yml").write_text("x")
    (tmp_path / "current").symlink_to("v2")
    assert read_below(tmp_path / "current", PurePosixPath("x.yml"), 100) == b"x"


def test_names_that_have_a_value_are_known() -> None:
    assert names_in(b"A=1\nexport B = 2\n#C=3\nD=\n  E=5\n\xff=6\n") == {"A", "B", "E"}
