"""What the backend and the frontend of a real deployment write: access lines, faults, noise, and the secrets they leak. Pure text."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.secrets import (
    CALLBACK_TOKEN,
    PROVIDER_KEY,
    RESET_TOKEN,
    SECOND_TYPED_PASSWORD,
    TYPED_PASSWORD,
    URL_SIGNATURE,
)

CLIENTS = ("203.0.113.7", "203.0.113.24", "198.51.100.61", "198.51.100.90", "192.0.2.15")
ATTACKERS = ("45.155.205.99", "185.220.101.34")
GATEWAY = "172.18.0.1"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/604.1"

API_CALLS = (
    ("GET", "/api/jobs?page=1&limit=20", 200, 8123),
    ("GET", "/api/workboards", 200, 2210),
    ("GET", "/api/images/generated?page=1", 200, 15402),
    ("GET", "/api/auth/me", 200, 412),
    ("GET", "/api/jobs/queue/stats", 200, 77),
    ("POST", "/api/jobs/generate", 201, 655),
    ("GET", "/api/images/generated/65a000000000000000000500", 304, 0),
    ("GET", "/api/health", 404, 29),
)
HOSTILE = (
    ("GET", "/wp-login.php", 200, 1433),
    ("GET", "/.env", 200, 1433),
    ("GET", "/api/../../etc/passwd", 400, 157),
    ("POST", "/api/auth/signin", 401, 72),
    ("POST", "/api/auth/signin", 429, 84),
    ("GET", "/phpmyadmin/index.php?lang=en", 200, 1433),
    ("GET", "/api/users?id=1%27%20OR%20%271%27=%271", 404, 29),
)
PAGES = (
    ("GET", "/", 200, 1433),
    ("GET", "/static/js/main.7f3c1d.js", 200, 403404),
    ("GET", "/static/css/main.2a9b.css", 304, 0),
    ("GET", "/uploads/generated/generated_1767000500000_0.png", 200, 40312),
    ("GET", "/dashboard", 200, 1433),
    ("GET", f"/auth/callback?token={CALLBACK_TOKEN}", 200, 1433),
    ("GET", f"/api/files/generated/generated_1767000404000_0.png?expires=1769000000&sig={URL_SIGNATURE}", 404, 500),
    ("GET", f"/reset-password/{RESET_TOKEN}", 200, 1433),
)


@dataclass(frozen=True, slots=True)
class Said:
    """One thing written at once, of one or many lines."""

    stream: str
    text: str


def _clock(moment: datetime) -> str:
    return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")


def backend_access(moment: datetime, dice: random.Random, status: int | None = None) -> Said:
    """A line as morgan's ``combined`` writes it; ``status`` forces an answer."""
    method, path, usual, size = dice.choice(API_CALLS)
    agent = dice.choice((BROWSER, PHONE))
    answer = f'{status or usual} {size} "-" "{agent}"'
    return Said("stdout", f'::ffff:172.18.0.5 - - [{_clock(moment)}] "{method} {path} HTTP/1.1" {answer}')


def frontend_access(moment: datetime, dice: random.Random) -> Said:
    """A line as nginx's ``combined`` with the forwarded address last."""
    hostile = dice.random() < 0.06
    method, path, status, size = dice.choice(HOSTILE if hostile else PAGES + API_CALLS)
    client = dice.choice(ATTACKERS if hostile else CLIENTS)
    agent = "zgrab/0.x" if hostile else dice.choice((BROWSER, PHONE))
    return Said("stdout", nginx_line(moment, f"{method} {path} HTTP/1.1", status, size, (agent, client)))


def nginx_line(moment: datetime, request: str, status: int, size: int, agent_and_client: tuple[str, str]) -> str:
    agent, client = agent_and_client
    return f'{GATEWAY} - - [{_clock(moment)}] "{request}" {status} {size} "-" "{agent}" "{client}"'


def nginx_error(moment: datetime, path: str, reason: str = "connect() failed (111: Connection refused)") -> Said:
    head = f"{moment:%Y/%m/%d %H:%M:%S} [error] 33#33: *8 {reason} while connecting to upstream"
    where = f'client: {GATEWAY}, server: localhost, request: "GET {path} HTTP/1.1", upstream: "http://172.18.0.4:3000{path}"'
    return Said("stderr", f'{head}, {where}, host: "vcc.example"')


def sign_in(moment: datetime, dice: random.Random) -> list[Said]:
    """Every sign-in leaks what was typed, then is answered."""
    password = dice.choice((TYPED_PASSWORD, SECOND_TYPED_PASSWORD))
    body = f'Validation input: {{\n  "email": "gildong@vcc.example",\n  "password": "{password}"\n}}'
    line = f'::ffff:172.18.0.5 - - [{_clock(moment)}] "POST /api/auth/signin HTTP/1.1" 200 612 "-" "{BROWSER}"'
    return [Said("stdout", body), Said("stdout", line)]


def faults(moment: datetime) -> list[Said]:
    """Every kind of trouble a reader of this log must tell apart, and what only looks like trouble."""
    stack = "    at ComfyUIService.submitWorkflow (/app/src/services/comfyUIService.js:88:13)\n    at process.processTicksAndRejections"
    failed = f"Error: Failed to submit workflow: Request failed with status code 500\n{stack} (node:internal/process/task_queues:95:5)"
    line = f'::ffff:172.18.0.5 - - [{_clock(moment)}] "GET /api/admin/stats HTTP/1.1" 500 44 "-" "{BROWSER}"'
    return [
        Said("stderr", f"Job 17 failed: {failed}"),
        Said("stderr", f"Error processing job 65a0000000000000000001f4: {failed}"),
        Said("stdout", line),
        Said("stdout", line.replace("GET /api/admin/stats", "POST /api/jobs/generate").replace(" 500 44 ", " 503 61 ")),
        Said("stderr", "❌ 이미지 저장 실패: ENOSPC: no space left on device, write"),
        Said("stdout", "⚠️ 워크보드 응답 지연: 12034ms"),
        Said("stderr", "Failed to initialize queues: Error: connect ECONNREFUSED 172.18.0.3:6379\n    at TCPConnectWrap.afterConnect"),
        Said("stderr", "Error connecting to MongoDB: connect ECONNREFUSED 172.18.0.2:27017"),
        Said(
            "stderr",
            "Unhandled Rejection at: Promise { <rejected> Error: socket hang up }\nreason: Error: socket hang up\n    at Socket.end",
        ),
        Said(
            "stderr", f"Error: Request failed with status code 401\n    config: {{ headers: {{ Authorization: 'Bearer {PROVIDER_KEY}' }} }}"
        ),
        Said("stderr", "GeneratedImage validation failed: jobId: Path `jobId` is required."),
        Said("stderr", "ENOENT: no such file or directory, stat '/app/uploads/generated/generated_1767000404000_0.png'"),
        Said("stdout", '{\n  "prompt": "hello error world, a neon sign",\n  "aiModel": "sdxl.safetensors"\n}'),
        Said("stderr", "ValidationError: The Express 'trust proxy' setting is true\n  code: 'ERR_ERL_PERMISSIVE_TRUST_PROXY'"),
    ]
