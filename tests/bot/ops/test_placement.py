"""The trap of the empty placeholder: files that documents name and that are not here, and the mount that has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.ops.container_values import Mount, Service
from bot.ops.placement import Placement, mounted, uploads_problems
from bot.ops.uploads import Amount, UploadsUsage
from bot.ops.verdict import Severity

HERE = UploadsUsage("/uploads", (), Amount(400, 1), placeholder=False, partial=False, unreadable=0)
FOUND = Placement(50, 1, "/app/uploads", "vcc-manager_uploads_data")
LOST = replace(FOUND, missing=50)


def service(name: str, *mounts: tuple[str, str]) -> Service:
    where = tuple(Mount("volume", volume, f"/var/lib/docker/volumes/{volume}/_data", inside, True) for volume, inside in mounts)
    return Service(name, name, name, "", "", "running", "", None, 0, False, None, None, 1, 1, "p", mounts=where)


@pytest.mark.parametrize(
    ("files", "documents", "place", "kind", "severity"),
    [
        (400, 400, FOUND, None, None),
        (400, 400, None, None, None),
        (0, 0, None, None, None),
        (0, 400, None, "uploads_placeholder", Severity.BAD),
        (3, 400, LOST, "uploads_placeholder", Severity.BAD),
        (400, 400, LOST, "uploads_elsewhere", Severity.WARN),
        (100, 400, FOUND, "uploads_few", Severity.WARN),
        (3, 400, FOUND, "uploads_few", Severity.WARN),
    ],
)
def test_an_empty_directory_is_told_apart_from_a_wrong_one_and_from_a_poor_one(
    files: int, documents: int, place: Placement | None, kind: str | None, severity: Severity | None
) -> None:
    found = uploads_problems(replace(HERE, total=Amount(files, 1)), documents, place)
    assert [(problem.name, problem.severity) for problem in found] == ([(kind, severity)] if kind else [])


def test_nothing_but_placeholders_is_told_even_without_the_database() -> None:
    found = uploads_problems(replace(HERE, total=Amount(), placeholder=True), 0, None)
    assert [(problem.name, problem.values["source"]) for problem in found] == [("uploads_placeholder", "uploads_data")]


def test_the_mount_nearest_above_the_uploads_is_the_one() -> None:
    services = (service("frontend", ("pages", "/srv")), service("backend", ("all", "/app"), ("data", "/app/uploads"), ("x", "/app/up")))
    assert getattr(mounted(services, "/app/uploads"), "name", "") == "data"
    assert getattr(mounted(services, "/app/other"), "name", "") == "all"
    assert mounted(services, "") is None
