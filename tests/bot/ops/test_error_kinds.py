"""Lines as VCC's services really write them: what is an error, of which kind, and what only looks like one."""

from __future__ import annotations

import pytest

from bot.ops.error_kinds import ErrorKind, classify

MORGAN = '::ffff:172.18.0.5 - - [22/Jan/2026:10:00:01 +0000] "{request}" {status} 72 "-" "curl/7.88.1"'
NGINX = '172.18.0.1 - - [22/Jan/2026:10:00:01 +0000] "{request}" {status} 157 "-" "Mozilla/5.0" "203.0.113.9"'
MONGO = (
    '{{"t":{{"$date":"2026-01-22T10:00:00.000+00:00"}},"s":"{severity}",  "c":"STORAGE",  "id":22435,   '
    '"ctx":"conn1","msg":"{message}","attr":{{}}}}'
)
TRUST_PROXY = "ValidationError: The Express 'trust proxy' setting is true, see https://x/ERR_ERL_PERMISSIVE_TRUST_PROXY/ for more"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (MORGAN.format(request="POST /api/jobs HTTP/1.1", status=500), ErrorKind.HTTP_5XX),
        (NGINX.format(request="GET / HTTP/1.1", status=502), ErrorKind.HTTP_5XX),
        ("Job 2 failed: Error: Failed to submit workflow: Request failed with status code 500", ErrorKind.APPLICATION),
        ("Error processing job 65aa00000000000000000001: Error: boom", ErrorKind.APPLICATION),
        ("Error: boom", ErrorKind.APPLICATION),
        ("TypeError: Cannot read properties of undefined (reading 'x')", ErrorKind.APPLICATION),
        ("MongoServerError: E11000 duplicate key error", ErrorKind.APPLICATION),
        ("❌ 백업 실패", ErrorKind.APPLICATION),
        ("2026-01-22T10:00:00.000Z error: it broke", ErrorKind.APPLICATION),
        ("Failed to initialize queues: Error: connect ECONNREFUSED 127.0.0.1:6379", ErrorKind.CONNECTION),
        ("Redis connection problem: connect ECONNREFUSED 172.18.0.3:6379", ErrorKind.CONNECTION),
        ("Error connecting to MongoDB: getaddrinfo ENOTFOUND mongodb", ErrorKind.CONNECTION),
        ("MongoDB disconnected", ErrorKind.CONNECTION),
        ("Uncaught Exception: Error: Socket closed unexpectedly", ErrorKind.UNHANDLED),
        ("Unhandled Rejection at: Promise {", ErrorKind.UNHANDLED),
        ("[UnhandledPromiseRejection: This error originated by throwing", ErrorKind.UNHANDLED),
        (MONGO.format(severity="E", message="WiredTiger error"), ErrorKind.DATABASE),
        (MONGO.format(severity="F", message="Fatal assertion"), ErrorKind.DATABASE),
        ("1:M 22 Jan 2026 10:00:00.000 # Error writing to the AOF file: No space left on device", ErrorKind.DATABASE),
        ("2026/01/25 11:10:30 [error] 33#33: *8 connect() failed (111: Connection refused) while connecting to upstream", ErrorKind.PROXY),
        ("2026/01/25 11:10:30 [crit] 33#33: *8 SSL_do_handshake() failed", ErrorKind.PROXY),
        ("2026/01/25 11:10:30 [emerg] 1#1: host not found in upstream", ErrorKind.PROXY),
        (TRUST_PROXY, ErrorKind.KNOWN),
        ("ValidationError: The Express 'trust proxy' setting is true", ErrorKind.KNOWN),
    ],
)
def test_an_error_is_known_by_its_form(text: str, kind: ErrorKind) -> None:
    assert classify(text) is kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        MORGAN.format(request="POST /api/auth/signin HTTP/1.1", status=401),
        MORGAN.format(request="GET /error?code=500 HTTP/1.1", status=200),
        MORGAN.format(request='GET /x"_500_12_ HTTP/1.1', status=404),
        NGINX.format(request="GET /api/500/502 HTTP/1.1", status=304),
        '172.18.0.1 - - [22/Jan/2026:10:00:01 +0000] "GET / HTTP/1.1" - - "-" "x"',
        "Validation input: { prompt: 'hello error world', password: 'x' }",
        "  prompt: 'Error: hello world',",
        '    "prompt": "❌ ECONNREFUSED Error: x"',
        "Generating with prompt: a poster that says connect ECONNREFUSED",
        "    at Object.<anonymous> (/app/src/error.js:10:5)",
        "    at async Promise.all (index 0)",
        "  code: 'ECONNREFUSED',",
        "} reason: Error: x",
        "MongoDB Connected: mongodb",
        "Job 2 completed successfully",
        "Job 3 is waiting",
        "⚠️ something odd",
        "No errors found",
        "0 errors, 2 failed jobs retried",
        MONGO.format(severity="I", message="Error-free start"),
        MONGO.format(severity="W", message="error error"),
        '{"error":"Error: a body printed by somebody","s":"E"}',
        "1:M 22 Jan 2026 10:00:00.000 * Ready to accept connections",
        "1:M 22 Jan 2026 10:00:00.000 # WARNING Memory overcommit must be enabled! Without it, a background save may fail",
        "2026/01/25 11:10:30 [notice] 1#1: start worker process error",
        "2026/01/25 11:10:30 [warn] 1#1: conflicting server name",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize("text", ["a" * 65536, "[" * 65536, '"' * 65536, "Error " + "x " * 30000, "1.1.1.1 - - " + "[x] " * 16000])
def test_a_line_made_to_be_slow_is_not(text: str) -> None:
    classify(text)
    assert len(text) >= 60000
