"""The configuration part of a backup: what is in use is kept, secrets are sealed, what is missing is told and stops nothing."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from bot.errors import OutsideError, Unreachable
from bot.ops.container_values import ExecResult, Service
from bot.ops.containers import Containers
from bot.ops.deployment_files import Configuration, DeploymentFiles
from bot.ops.project_files import ENVIRONMENT, FILES, WORKING_DIR
from bot.ops.seal import Seal
from bot.sandbox.deployment import Deployment
from tests.bot.ops.remote_parts import a_seal, tree

COMPOSE = b"services:\n  backend:\n    image: vcc\n    environment:\n      JWT_SECRET: ${JWT_SECRET}\n"
INLINE = b"services:\n  redis:\n    command: redis-server --requirepass hunter22hunter22\n"
ENV = b"JWT_SECRET=hunter22hunter22\nBACKUP_ENCRYPTION_KEY=" + b"ab" * 32 + b"\n"
NGINX = b"server { listen 80; }\n"


@dataclass
class Engine:
    """Containers as an engine tells of them."""

    labels: Mapping[str, str]
    inside: ExecResult = field(default_factory=lambda: ExecResult(0, NGINX, b""))
    variables: Sequence[str] = ()
    down: bool = False

    async def services(self) -> tuple[Service, ...]:
        if self.down:
            raise Unreachable("docker")
        return tuple(self._service(name) for name in ("backend", "frontend"))

    async def exec(self, container_id: str, argv: Sequence[str], deadline: float, max_bytes: int) -> ExecResult:
        assert (container_id, argv) == ("frontend", ("cat", "/etc/nginx/conf.d/default.conf"))
        return self.inside

    async def inspect(self, container_id: str) -> Mapping[str, Any]:
        assert container_id == "backend"
        return {"Config": {"Env": list(self.variables)}}

    def _service(self, name: str) -> Service:
        return Service(name, name, name, "", "", "running", "", None, 0, False, None, None, 0, 1, "vcc", labels=self.labels)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, content in (("docker-compose.prod.yml", COMPOSE), (".env.production", ENV), ("nginx.conf", NGINX), ("inline.yml", INLINE)):
        (folder / name).write_bytes(content)
    return folder


LABELS = {
    WORKING_DIR: "/srv/vcc",
    FILES: "/srv/vcc/docker-compose.prod.yml,/srv/vcc/inline.yml",
    ENVIRONMENT: "/srv/vcc/.env.production",
}


@asynccontextmanager
async def adapter(engine: Engine, project: Path | None, seal: Seal | None = None) -> AsyncIterator[DeploymentFiles]:
    files = DeploymentFiles(cast(Containers, engine), project, seal or Seal())
    yield files
    files.close()


async def saved(tmp_path: Path, engine: Engine, project: Path | None, seal: Seal | None = None) -> Configuration:
    async with adapter(engine, project, seal) as files:
        return await files.save(tmp_path)


async def test_without_a_key_all_is_kept_plain_and_private_and_that_is_said(tmp_path: Path, project: Path) -> None:
    kept = await saved(tmp_path, Engine(LABELS), project)
    assert tree(tmp_path / "config") == {
        "docker-compose.prod.yml": COMPOSE,
        "inline.yml": INLINE,
        ".env.production": ENV,
        "nginx.conf": NGINX,
        "inside-frontend/default.conf": NGINX,
    }
    assert not kept.sealed
    assert {(file.sealed, (tmp_path / "config" / file.name).stat().st_mode & 0o777) for file in kept.files} == {(False, 0o600)}
    assert {file.name: file.sha256 for file in kept.files}[".env.production"] == hashlib.sha256(ENV).hexdigest()
    assert (kept.missing, kept.lost_keys) == ((), ())


async def test_with_a_key_what_holds_secrets_is_sealed_and_nothing_else(tmp_path: Path, project: Path) -> None:
    seal = a_seal(tmp_path)
    kept = await saved(tmp_path, Engine(LABELS), project, seal)
    written = tree(tmp_path / "config")
    assert kept.sealed
    assert sorted(written) == [
        ".env.production.age",
        "docker-compose.prod.yml",
        "inline.yml.age",
        "inside-frontend/default.conf",
        "nginx.conf",
    ]
    assert not any(b"hunter22" in content for content in written.values())
    assert seal.opened(written[".env.production.age"], ".env") == ENV
    assert all(hashlib.sha256(written[file.name]).hexdigest() == file.sha256 for file in kept.files)


async def test_what_is_missing_is_told_and_the_rest_is_kept(tmp_path: Path, project: Path) -> None:
    (project / "inline.yml").unlink()
    (project / "nginx.conf").unlink()
    (project / "nginx.conf").symlink_to("/etc/hostname")
    labels = {**LABELS, FILES: LABELS[FILES] + ",/srv/common/base.yml"}
    kept = await saved(tmp_path, Engine(labels, inside=ExecResult(1, b"", b"no such file")), project)
    assert {(each.origin, each.reason) for each in kept.missing} == {
        ("/srv/vcc/inline.yml", "gone"),
        ("/srv/common/base.yml", "outside"),
        ("nginx.conf", "outside"),
        ("frontend:/etc/nginx/conf.d/default.conf", "gone"),
    }
    assert sorted(tree(tmp_path / "config")) == [".env.production", "docker-compose.prod.yml"]


async def test_without_docker_the_usual_files_are_kept(tmp_path: Path, project: Path) -> None:
    kept = await saved(tmp_path, Engine({}, down=True), project)
    assert sorted(tree(tmp_path / "config")) == [".env.production", "docker-compose.prod.yml", "nginx.conf"]
    assert {each.reason for each in kept.missing} == {"no_labels", "not_running"}


async def test_without_a_project_directory_that_is_told(tmp_path: Path) -> None:
    kept = await saved(tmp_path, Engine({**LABELS, WORKING_DIR: "/nowhere/at/all"}), None)
    assert [(each.origin, each.reason) for each in kept.missing] == [("VCC_PROJECT_DIR", "no_project_dir")]
    assert sorted(tree(tmp_path / "config")) == ["inside-frontend/default.conf"]


async def test_keys_that_the_backend_has_and_no_kept_file_are_told_by_name_only(tmp_path: Path, project: Path) -> None:
    variables = ("BACKUP_ENCRYPTION_KEY=" + "ab" * 32, "CONFIG_ENCRYPTION_KEY=hunter22hunter22", "PATH=/bin")
    kept = await saved(tmp_path, Engine(LABELS, variables=variables), project)
    assert kept.lost_keys == ("CONFIG_ENCRYPTION_KEY",)
    assert "hunter22" not in str(kept)


async def test_a_configuration_that_stands_there_is_not_overwritten(tmp_path: Path, project: Path) -> None:
    (tmp_path / "config").mkdir()
    with pytest.raises(OutsideError):
        await saved(tmp_path, Engine(LABELS), project)


async def test_the_configuration_of_a_deployment_is_kept(sandbox: Deployment, tmp_path: Path) -> None:
    containers = Containers(sandbox.env["DOCKER_HOST"], sandbox.env["VCC_COMPOSE_PROJECT"], deadline=10)
    files = DeploymentFiles(containers, Path(sandbox.env["VCC_PROJECT_DIR"]), Seal())
    try:
        kept = await files.save(tmp_path)
    finally:
        files.close()
        containers.close()
    assert {"docker-compose.yml", ".env", "nginx.conf"} <= set(tree(tmp_path / "config"))
    assert {file.name for file in kept.files if file.secret} >= {".env"}
