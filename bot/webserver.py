"""Our HTTP server: ``/healthz`` and whatever the connectors listen to. Starts and stops with the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from aiohttp import web

from bot.config import Settings
from bot.errors import CannotStart

_LARGEST_BODY = 1 << 20


class WebServer:
    """An async context manager around the listening socket. CannotStart when the port is taken."""

    def __init__(self, settings: Settings, health: Callable[[], Mapping[str, bool]], routes: Sequence[web.RouteDef]) -> None:
        self._settings = settings
        self._health = health
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.add_routes([web.get("/healthz", self._healthz), *routes])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=3)
        self.port = 0

    async def __aenter__(self) -> WebServer:
        await self._runner.setup()
        host, port = self._settings.vcc_http_host, self._settings.vcc_http_port
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise CannotStart("config.port_taken", address=f"{host}:{port}", reason=error.strerror) from error
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        """200 while at least one connector hears people (or none is configured), else 503; each connector's state in the body."""
        health = self._health()
        well = not health or any(health.values())
        return web.json_response({"ok": well, "connectors": dict(health)}, status=200 if well else 503)
