"""The stand-in for VCC's frontend: nginx with a single-page application, a proxy to the backend, and nginx's log lines.

Run as ``python -m bot.sandbox.frontend``. Knows nothing of the engine that runs it.
"""

from __future__ import annotations

import http.client
import os
import random
import sys
import threading
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bot.sandbox.log_samples import frontend_access, nginx_error, nginx_line
from bot.sandbox.stand_in import Handler, Server, end_with, say, say_all, setting

PAGE = """<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><title>VCC Manager</title></head>
<body><div id="root"><h1>VCC Manager</h1><p>sandbox</p></div></body></html>
"""
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>\n"
PROXY_TIMEOUT = 30.0
PROXIED = ("/api/", "/uploads/")
HOP_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding"})


class FrontendServer(Server):
    """Knows where the backend is."""

    def __init__(self, address: tuple[str, int], upstream: str) -> None:
        super().__init__(address, FrontendHandler)
        self.upstream = upstream


class FrontendHandler(Handler):
    """Any path is the page, as the real one falls back to it; only the proxied ones go to the backend."""

    server_version = "nginx/1.27.3"
    server: FrontendServer

    def do_GET(self) -> None:
        if self.path.startswith(PROXIED):
            self._proxy()
        else:
            self._log(200, self.answer(200, "text/html; charset=utf-8", PAGE.encode()))

    do_HEAD = do_GET
    do_POST = do_GET
    do_PUT = do_GET
    do_DELETE = do_GET

    def _proxy(self) -> None:
        place = urlsplit(self.server.upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS}
        headers["X-Forwarded-For"] = self._client()
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PROXY_TIMEOUT)
        try:
            connection.request(self.command, self.path, self.body(), headers)
            response = connection.getresponse()
            body = response.read()
            status, media_type = response.status, response.getheader("Content-Type", "application/octet-stream")
        except (OSError, http.client.HTTPException) as problem:
            status, media_type, body = 502, "text/html", BAD_GATEWAY
            say_all(nginx_error(datetime.now(UTC), self.path, _reason(problem)))
        finally:
            connection.close()
        self._log(status, self.answer(status, media_type, body))

    def _client(self) -> str:
        before = self.headers.get("X-Forwarded-For")
        return f"{before}, {self.client_address[0]}" if before else str(self.client_address[0])

    def _log(self, status: int, size: int) -> None:
        agent = self.headers.get("User-Agent", "-")
        client = self.headers.get("X-Forwarded-For", "-")
        say(nginx_line(datetime.now(UTC), f"{self.command} {self.path} HTTP/1.1", status, size, (agent, client)))


def _reason(problem: Exception) -> str:
    if isinstance(problem, ConnectionRefusedError):
        return "connect() failed (111: Connection refused)"
    if isinstance(problem, TimeoutError):
        return "upstream timed out (110: Operation timed out)"
    return "upstream prematurely closed connection"


def trickle(interval: float) -> None:
    """Visitors, and a few who should not come."""
    dice = random.Random()
    pause = threading.Event()
    while not pause.wait(interval * (0.3 + dice.random())):
        say_all(frontend_access(datetime.now(UTC), dice))


def main() -> int:
    environment = os.environ
    server = FrontendServer((environment["HOST"], int(environment["PORT"])), environment["UPSTREAM"])
    say("/docker-entrypoint.sh: Configuration complete; ready for start up")
    say(f"{datetime.now(UTC):%Y/%m/%d %H:%M:%S} [notice] 1#1: nginx/1.27.3", "stderr")
    threading.Thread(target=trickle, args=(setting("VCC_SANDBOX_TRICKLE_SECONDS", 5),), daemon=True).start()
    server.serve_until_told(
        lambda: say(f"{datetime.now(UTC):%Y/%m/%d %H:%M:%S} [notice] 1#1: signal 15 (SIGTERM) received, exiting", "stderr")
    )
    end_with(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
