"""The documentation is under test: every command in the README's table, every setting in the example, every map entry real."""

from __future__ import annotations

import re
from pathlib import Path

from bot import config
from bot.config import Settings
from bot.registry import Registry, discover
from bot.words import catalogue

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def command_table() -> str:
    """The README's table of commands, as it must stand there."""
    rows = ["| command | risk | what it does |", "|---|---|---|"]
    words = catalogue("en")
    for command in Registry(discover()):
        also = "".join(f", `{' '.join(alias)}`" for alias in command.aliases)
        rows.append(f"| `{command.name}`{also} | {command.risk.value} | {words[f'{command.key}.summary']} |")
    return "\n".join(rows)


def test_the_readme_lists_every_command_as_it_is() -> None:
    assert command_table() in README


def test_every_setting_stands_in_the_example_with_a_comment_above_it() -> None:
    commented = set(re.findall(r"^# .+\n([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    assert commented == {name.upper() for name in Settings.model_fields}


def test_the_example_is_itself_a_valid_env_file(tmp_path: Path) -> None:
    settings = config.read({}, ROOT / ".env.example")
    assert settings.vcc_lang == "ko"
    assert settings.vcc_home == Path("state")


def test_every_file_the_readme_maps_exists() -> None:
    mapped = re.findall(r"^  ?`?((?:bot|commands|tests)/[\w/.]*)`?", README, re.MULTILINE)
    assert mapped
    assert [path for path in mapped if not (ROOT / path).exists()] == []


def test_the_two_commands_of_the_set_up_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert f"make {target}" in README
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
