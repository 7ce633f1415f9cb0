"""What is misconfigured, with the fix: looks at the settings, the state directory, the adapters and the connectors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from bot.config import Settings
from bot.errors import OutsideError
from bot.figures import Figures
from bot.ops.bundle import Ops
from bot.ops.recreate import Recreate
from bot.security.isolation import Isolations
from bot.security.revoke_journal import RevokeJournal
from bot.services import Finding
from bot.team_files import TeamFile
from bot.words import Words

Check = Callable[[Words], Awaitable[Sequence[Finding]]]
_DEADLINE = 6.0


class SetUpInspector:
    """Runs every check side by side; a connector adds its own."""

    def __init__(self, settings: Settings, ops: Ops) -> None:
        self._settings = settings
        self._ops = ops
        self._checks: list[tuple[str, Check]] = [
            ("people", self._people),
            ("directories", self._directories),
            ("security", self._security),
            ("docker", self._docker),
            ("mongodb", self._mongo),
            ("redis", self._redis),
            ("health", self._health),
            ("remote", self._remote),
            ("mail", self._mail),
        ]

    def add(self, part: str, check: Check) -> None:
        """Look at this part too."""
        self._checks.append((part, check))

    def watch(self, file: TeamFile[Any]) -> None:
        """Look at this file too: whether the team's own one is in force."""

        async def check(words: Words) -> Sequence[Finding]:
            fault = await asyncio.to_thread(lambda: file.fault)
            if fault is not None:
                return [Finding(file.name, "bad", fault.sentence(words), words("inspector.files.fix"))]
            return [Finding(file.name, "ok", words("inspector.files.own" if file.is_own else "inspector.files.shipped"))]

        self.add("files", check)

    async def faults(self, words: Words) -> Sequence[Finding]:
        """Every part that was looked at, in order."""
        found = await asyncio.gather(*(self._guarded(part, check, words) for part, check in self._checks))
        return [finding for findings in found for finding in findings]

    @staticmethod
    async def _guarded(part: str, check: Check, words: Words) -> Sequence[Finding]:
        try:
            async with asyncio.timeout(_DEADLINE):
                return await check(words)
        except OutsideError as error:
            return [Finding(part, "bad", words(error.key, **error.values), words(f"inspector.{part}.fix"))]
        except TimeoutError:
            return [Finding(part, "bad", words("error.timed_out", system=part, seconds=_DEADLINE), words(f"inspector.{part}.fix"))]

    async def _security(self, words: Words) -> Sequence[Finding]:
        """What somebody has to come back to: an isolation is easily forgotten, and so is half a revocation."""
        home, figures = self._settings.vcc_home, Figures(words.language, self._settings.vcc_tz)
        found = [
            _to_do(words, "isolated", name=each.service, at=figures.moment(each.at), person=each.by, number=each.incident)
            for each in Isolations(self._ops, home).all()
        ]
        found += [_to_do(words, "unfinished", line=pending.line) for pending in RevokeJournal(home).all()]
        found += [_to_do(words, "cut_off", name=name) for name in Recreate(self._ops.containers, home / "recreate").unfinished()]
        return found or [Finding("security", "ok", words("inspector.security.ok"))]

    async def _people(self, words: Words) -> Sequence[Finding]:
        settings = self._settings
        findings = []
        admins = len(settings.vcc_admins)
        if not admins:
            findings.append(Finding("people", "bad", words("inspector.people.no_admin"), words("inspector.people.no_admin_fix")))
        elif (
            admins == 1
            and settings.vcc_approvals == "second-person"
            and settings.vcc_admins[0][0].platform not in ("slack-group", "discord-role")
        ):
            findings.append(Finding("people", "warn", words("inspector.people.one_admin"), words("inspector.people.one_admin_fix")))
        connected = bool(settings.slack_bot_token.get_secret_value() or settings.discord_token.get_secret_value())
        if connected and not settings.vcc_channel_ops:
            findings.append(Finding("people", "bad", words("inspector.people.no_channel"), words("inspector.people.no_channel_fix")))
        return findings or [Finding("people", "ok", words("inspector.people.ok", admins=admins))]

    async def _directories(self, words: Words) -> Sequence[Finding]:
        settings = self._settings
        wanted = (
            ("VCC_HOME", settings.vcc_home, os.W_OK),
            ("VCC_BACKUP_DIR", settings.vcc_backup_dir, os.W_OK),
            ("VCC_UPLOADS_DIR", settings.vcc_uploads_dir, os.R_OK),
            ("VCC_PROJECT_DIR", settings.vcc_project_dir, os.R_OK),
            ("VCC_DOCKER_DATA_DIR", settings.vcc_docker_data_dir, os.R_OK),
        )
        return [_directory(words, name, path, access) for name, path, access in wanted]

    async def _docker(self, words: Words) -> Sequence[Finding]:
        services = await self._ops.containers.services()
        names = ", ".join(sorted({service.name for service in services}))
        if not services:
            return [Finding("docker", "bad", words("inspector.docker.none"), words("inspector.docker.none_fix"))]
        return [Finding("docker", "ok", words("inspector.docker.ok", services=names, project=services[0].project))]

    async def _mongo(self, words: Words) -> Sequence[Finding]:
        ping = await self._ops.mongo.ping()
        return [Finding("mongodb", "ok", words("inspector.mongodb.ok", version=ping.version, database=self._ops.mongo.database))]

    async def _redis(self, words: Words) -> Sequence[Finding]:
        info = await self._ops.redis.info()
        if not info.policy_ok_for_bull:
            return [Finding("redis", "bad", words("inspector.redis.policy", policy=info.policy), words("inspector.redis.policy_fix"))]
        return [Finding("redis", "ok", words("inspector.redis.ok", version=info.version, policy=info.policy))]

    async def _health(self, words: Words) -> Sequence[Finding]:
        if not self._settings.vcc_health_urls:
            return [Finding("health", "warn", words("inspector.health.none"), words("inspector.health.none_fix"))]
        results = await self._ops.health.check()
        return [
            Finding(
                "health",
                "ok" if result.up else "bad",
                f"{result.name} → {result.reason.value}",
                "" if result.up else words("inspector.health.fix"),
            )
            for result in results
        ]

    async def _remote(self, words: Words) -> Sequence[Finding]:
        if not self._settings.vcc_backup_s3_url:
            return [Finding("remote", "warn", words("inspector.remote.unset"), words("inspector.remote.unset_fix"))]
        problems = await self._ops.remote.check()
        return [
            Finding(
                "remote",
                "warn" if problem == "open" else "bad",
                words(f"inspector.remote.{problem}"),
                words(f"inspector.remote.{problem}_fix"),
            )
            for problem in problems
        ] or [Finding("remote", "ok", self._settings.vcc_backup_s3_url)]

    async def _mail(self, words: Words) -> Sequence[Finding]:
        """Where both settings are there, the connector looks further."""
        set_up = (bool(self._settings.vcc_smtp_url.get_secret_value()), bool(self._settings.vcc_alert_email))
        if all(set_up):
            return []
        half = any(set_up)
        return [Finding("mail", "bad" if half else "warn", *(words(f"mail.{'half' if half else 'unset'}{end}") for end in ("", "_fix")))]


def _directory(words: Words, name: str, path: Path | None, access: int) -> Finding:
    if path is None:
        return Finding(name, "warn", words("inspector.directories.unset"), words("inspector.directories.unset_fix", name=name))
    if not path.is_dir():
        return Finding(
            name, "bad", words("inspector.directories.missing", path=path), words("inspector.directories.missing_fix", name=name)
        )
    if not os.access(path, access):
        return Finding(
            name, "bad", words("inspector.directories.no_right", path=path), words("inspector.directories.no_right_fix", name=name)
        )
    return Finding(name, "ok", str(path))


def _to_do(words: Words, what: str, **values: object) -> Finding:
    return Finding("security", "warn", words(f"inspector.security.{what}", **values), words(f"inspector.security.{what}_fix", **values))
