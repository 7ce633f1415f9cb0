"""The configuration's part of a backup: which files were kept, sealed or not, and what is told of those that were not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.backup.manifest import ConfigurationPart, FileEntry
from bot.ops.deployment_files import FOLDER, Configuration, DeploymentFiles
from bot.words import Words


@dataclass(frozen=True, slots=True)
class ConfigurationWritten:
    """The part, its files by their paths in the backup, and sentences about it."""

    part: ConfigurationPart
    files: tuple[FileEntry, ...]
    warnings: tuple[str, ...]


async def write_configuration(files: DeploymentFiles, making: Path, words: Words) -> ConfigurationWritten:
    """Write ``<making>/config/…``. What is missing is told and fails nothing."""
    found = await files.save(making)
    entries = tuple(FileEntry(f"{FOLDER}/{each.name}", (making / FOLDER / each.name).stat().st_size, each.sha256) for each in found.files)
    missing = tuple(each.origin for each in found.missing)
    part = ConfigurationPart(tuple(each.name for each in found.files), found.sealed, missing)
    return ConfigurationWritten(part, entries, tuple(_warnings(found, words)))


def _warnings(found: Configuration, words: Words) -> list[str]:
    warnings = []
    if not found.files:
        warnings.append(words("backup.warning.no_configuration"))
    if found.lost_keys:
        warnings.append(words("backup.warning.lost_keys", names=", ".join(found.lost_keys)))
    return warnings
