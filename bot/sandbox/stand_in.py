"""What both stand-ins share: whole lines on the two outputs, an ending on SIGTERM or with the parent, a small HTTP server."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bot.sandbox.log_samples import Said

PARENT_CHECK = 1.0


def say(text: str, stream: str = "stdout") -> None:
    """Written at once, so that lines of two threads do not mix."""
    out = sys.stderr if stream == "stderr" else sys.stdout
    out.write(text + "\n")
    out.flush()


def say_all(*said: Said) -> None:
    for one in said:
        say(one.text, one.stream)


def setting(name: str, default: float) -> float:
    return float(os.environ.get(name) or default)


def end_with(code: int) -> None:
    """End now, whatever other threads do: a real crash does not wait for them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Server(ThreadingHTTPServer):
    """Listens at once; ``serve`` returns when told to stop."""

    daemon_threads = True
    allow_reuse_address = True

    def serve_until_told(self, farewell: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT, or until the process that started us is gone."""
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
        parent = os.getppid()
        while not stopping.wait(PARENT_CHECK):
            if os.getppid() != parent:
                return
        farewell()
        self.shutdown()


class Handler(BaseHTTPRequestHandler):
    """Answers JSON or bytes; its own logging is silenced, a stand-in writes its access lines itself."""

    protocol_version = "HTTP/1.1"
    server_version = "Express"
    sys_version = ""

    def log_message(self, format: str, *args: object) -> None:
        """Not this server's business."""

    def answer_json(self, status: int, document: object) -> int:
        return self.answer(status, "application/json; charset=utf-8", json.dumps(document).encode())

    def answer(self, status: int, media_type: str, body: bytes) -> int:
        """Send a whole answer; the number of bytes sent, for the access line."""
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return len(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))
