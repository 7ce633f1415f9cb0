"""Each word of the command line, run in this process as the program runs it; and once as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import main

SETTINGS = {
    "VCC_LANG": "en",
    "VCC_ADMINS": "local:ada,local:ben",
    "VCC_OPERATORS": "local:olga",
    "VCC_VIEWERS": "local:vera",
    "MONGODB_URI": "mongodb://root:hunter22-secret@127.0.0.1:9/vcc",
}


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state directory of its own, and no other setting."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**SETTINGS, "VCC_HOME": str(tmp_path / "state"), "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}.items():
        monkeypatch.setenv(name, value)


def do(capsys: pytest.CaptureFixture[str], line: str, who: str = "local:ada") -> tuple[int, dict[str, object]]:
    """Exit code and JSON of one line."""
    code = main(["do", line, "--as", who, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_line_prints_one_json_object_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = do(capsys, "access whoami")
    assert (code, said["outcome"]) == (0, "done")
    assert said["data"] == {"account": "local:ada", "person": "ada", "role": "admin"}
    assert str(said["reference"]).startswith("R-")


@pytest.mark.parametrize(
    ("line", "who", "code", "outcome"),
    [
        ("nonsense", "local:ada", 2, "refused"),
        ("approve 1", "local:vera", 3, "refused"),
        ("help", "local:stranger", 3, "refused"),
        ("approve 99", "local:ada", 3, "refused"),
    ],
)
def test_the_exit_code_tells_usage_from_refusal(capsys: pytest.CaptureFixture[str], line: str, who: str, code: int, outcome: str) -> None:
    answered, said = do(capsys, line, who)
    assert (answered, said["outcome"]) == (code, outcome)


def test_without_json_it_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["do", "access whoami", "--as", "ada"]) == 0
    assert "local:ada" in capsys.readouterr().out


@pytest.mark.parametrize("who", ["slack:U1", "local:", "discord:"])
def test_only_local_names_speak_at_the_terminal(capsys: pytest.CaptureFixture[str], who: str) -> None:
    assert main(["do", "help", "--as", who]) == 2
    assert "local:NAME" in capsys.readouterr().err


def test_a_console_that_is_off_refuses(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCC_CONSOLE", "off")
    code, said = do(capsys, "help")
    assert (code, said["data"]) == (3, {"usage": False, "reason": "permissions.console_off"})


def test_wrong_settings_are_all_told_and_no_secret(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCC_TZ", "Mars")
    monkeypatch.setenv("REDIS_URL", "http://hunter22-secret")
    assert main(["do", "help"]) == 2
    told = capsys.readouterr().err
    assert "VCC_TZ" in told
    assert "REDIS_URL" in told
    assert "hunter22" not in told


def test_a_state_directory_that_cannot_be_written_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("VCC_HOME", str(tmp_path / "file" / "state"))
    assert main(["do", "help"]) == 1
    assert "Nothing was run" in capsys.readouterr().err


def test_check_names_what_is_wrong_with_its_fix_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 1
    told = capsys.readouterr().out
    assert "✘ mongodb" in told
    assert "→ Check the address" in told
    assert "hunter22" not in told


def test_the_catalogue_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["commands", "--json"]) == 0
    listed = {each["path"]: each for each in json.loads(capsys.readouterr().out)}
    assert listed["audit export"]["role"] == "admin"
    assert main(["commands"]) == 0
    assert "audit verify" in capsys.readouterr().out


def test_the_slack_manifest_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifest", "slack"]) == 0
    assert json.loads(capsys.readouterr().out)["features"]["slash_commands"][0]["command"] == "/vcc"


def test_a_word_that_does_not_exist_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["frobnicate"])
    assert ended.value.code == 2
    assert "frobnicate" in capsys.readouterr().err


def test_the_program_runs_as_a_module() -> None:
    root = Path(__file__).parents[2]
    program = [sys.executable, "-m", "bot", "do", "access whoami", "--as", "local:vera", "--json"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]["role"] == "viewer"


@pytest.mark.parametrize("word", ["commands", "check"])
def test_who_hears_only_the_beginning_is_told_nothing_more(word: str) -> None:
    root, (heard, told) = Path(__file__).resolve().parents[2], os.pipe()
    os.close(heard)
    with os.fdopen(told, "wb") as told_to_nobody:
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "bot", word], stdout=told_to_nobody, stderr=subprocess.PIPE, timeout=60, check=False, env=environment
        )
    assert (done.returncode, done.stderr) == (141, b"")
