"""The page's server looks the backend's address up once: when the backend comes back under another, it is started again."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest

from bot import config
from bot.ops import page_proxy
from bot.ops.bundle import Ops
from tests.live.stack_project import Stack, http

BASE = "vcc-base:test"


async def test_a_backend_under_another_address_is_found_again(
    engine: docker.DockerClient, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_proxy, "STALE_FOR", 1.0)
    health = f"backend={stack.backend_url}/health,frontend={stack.frontend_url}/"
    ops = Ops(config.read({**stack.settings(), "VCC_HOME": str(tmp_path), "VCC_HEALTH_URLS": health}, dotenv=None))
    page = stack.container("frontend").attrs["State"]["StartedAt"]
    assert await page_proxy.reconnect(ops)
    assert stack.container("frontend").attrs["State"]["StartedAt"] == page
    backend = stack.container("backend")
    backend.stop(timeout=5)
    other = engine.containers.run(BASE, ["sleep", "60"], detach=True, network=f"{stack.project}_vcc-network")
    try:
        backend.start()
        await ops.containers.wait_healthy(str(backend.id), 60)
        assert http("GET", f"{stack.frontend_url}/api/health")[0] == 502
        assert await page_proxy.reconnect(ops)
        assert http("GET", f"{stack.frontend_url}/api/health")[0] == 404
    finally:
        other.remove(force=True)
        for name in ("backend", "frontend"):  # under the addresses that they had, for whoever comes next
            stack.container(name).restart(timeout=5)
        await ops.containers.wait_healthy(str(backend.id), 60)
        await ops.close()
