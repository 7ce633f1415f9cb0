"""A bundle of evidence: whole or not there, read-only, and anything that changes afterwards is named."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
from pathlib import Path

from bot.redact import Redactor
from bot.security.bundle import Bundle, bundles, verified

SECRET = "hunter2-hunter2"


def a_bundle(folder: Path, name: str = "20260122T100000Z") -> Path:
    redactor = Redactor([SECRET])
    bundle = Bundle(folder / name, redactor.text, redactor.value)
    bundle.begin()
    with bundle.lines("logs/backend.log.gz") as file:
        file.add(["one", f"password is {SECRET}"])
        file.add([])
        file.add(["three"])
    bundle.text("errors.md", f"# {SECRET}")
    bundle.document("deep/er/inspect.json", {"value": SECRET})
    bundle.without("logs/redis.log.gz", "error.unreachable")
    return bundle.finish({"incident": 3})


def loosen(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700)


def test_what_was_kept_is_read_only_holds_no_secret_and_verifies(tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o500
    assert {each.stat().st_mode & 0o777 for each in path.rglob("*")} == {0o400, 0o500}
    whole = gzip.decompress((path / "logs/backend.log.gz").read_bytes()).decode()
    assert whole.splitlines()[0] == "one"
    assert whole.splitlines()[2] == "three"
    everything = whole + "".join(each.read_text() for each in path.rglob("*") if each.suffix in (".md", ".json"))
    assert SECRET not in everything
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["missing"] == [{"name": "logs/redis.log.gz", "why": "error.unreachable"}]
    assert [each["name"] for each in manifest["files"]] == ["deep/er/inspect.json", "errors.md", "logs/backend.log.gz"]
    assert verified(path).holds
    assert bundles(tmp_path) == (path,)


def test_a_person_can_verify_it_without_the_bot(tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=path, check=False)
    assert checked.returncode == 0


def test_what_was_changed_removed_or_added_is_named(tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    loosen(path)
    (path / "errors.md").write_text("all well")
    (path / "logs/backend.log.gz").unlink()
    (path / "logs/more.log").write_text("x")
    found = verified(path)
    assert (found.changed, found.lost, found.extra) == (("errors.md",), ("logs/backend.log.gz",), ("logs/more.log",))
    assert not found.holds


def test_a_manifest_that_was_rewritten_is_found_too(tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    loosen(path)
    (path / "manifest.json").write_text("{}")
    assert verified(path).changed == ("manifest.json",)


def test_one_that_was_cut_off_is_none_and_stands_in_nobodys_way(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "one", str, lambda value: value)
    bundle.begin()
    bundle.text("a.txt", "a")
    assert bundles(tmp_path) == ()
    again = Bundle(tmp_path / "one", str, lambda value: value)
    again.begin()
    again.text("b.txt", "b")
    again.finish({})
    assert sorted(each.name for each in (tmp_path / "one").iterdir()) == ["SHA256SUMS", "b.txt", "manifest.json"]
    (other := Bundle(tmp_path / "two", str, lambda value: value)).begin()
    other.abandon()
    assert [each.name for each in tmp_path.iterdir()] == ["one"]


def test_a_bundle_without_its_sums_is_told_not_taken_for_well(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert (verified(tmp_path / "one").holds, verified(tmp_path / "one").lost) == (False, ("SHA256SUMS",))


def test_a_file_changed_together_with_its_sum_is_found_by_what_was_recorded(tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    recorded = hashlib.sha256((path / "SHA256SUMS").read_bytes()).hexdigest()
    assert verified(path, recorded).holds
    loosen(path)
    before = hashlib.sha256((path / "errors.md").read_bytes()).hexdigest()
    (path / "errors.md").write_text("all well")
    after = hashlib.sha256(b"all well").hexdigest()
    (path / "SHA256SUMS").write_text((path / "SHA256SUMS").read_text().replace(before, after))
    assert verified(path).holds
    assert verified(path, recorded).changed == ("SHA256SUMS",)


def test_what_a_crash_left_of_a_bundle_goes_with_the_next_one(tmp_path: Path) -> None:
    left = Bundle(tmp_path / "20260122T100000.000000Z", str, lambda value: value)
    left.begin()
    left.text("logs/a.txt", "a")
    a_bundle(tmp_path, "20260122T110000.000000Z")
    assert [each.name for each in tmp_path.iterdir()] == ["20260122T110000.000000Z"]
