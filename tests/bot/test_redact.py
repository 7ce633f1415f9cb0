"""What must never be shown, what must stay readable, and the walk through structured data. Every secret here is made up."""

from __future__ import annotations

import base64
import json

import pytest

from bot.redact import Redactor

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6IjY1YSIsImVtYWlsIjoiYUBiLmMifQ.c2lnbmF0dXJlLW1hZGUtdXA"
BCRYPT = "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
# Put together here, so that scanners of repositories do not take the examples for leaks.
SLACK = "xo" + "xb-123456789012-abcdefABCDEF"
SLACK_APP = "xa" + "pp-1-A012345-678901-abcdef0123456789"
DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4" + ".GabcdE.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"

# (the text, what must be gone)
LEAKS: list[tuple[str, list[str]]] = [
    ("Connecting to Redis: redis://:redispassword@redis:6379", ["redispassword"]),
    ("Connecting to Redis: redis://:ab/c@d:e@redis:6379", ["ab/c", "d:e"]),
    ('Connecting to Redis: redis://:ab"cd@redis:6379', ["cd@", "ab"]),
    ("mongodb://admin:password@localhost:27017/vcc-manager?authSource=admin", ["admin:password", ":password"]),
    ("mongodb+srv://u:p%40ss@cluster.example/db", ["p%40ss"]),
    ('{"uri":"mongodb://admin:12345@h1:1,h2:2/db","x":1}', ["12345"]),
    ("postgres://u:p@h/db amqp://u2:p2@h rediss://u3:p3@h", ["u:p@", "p2", "p3"]),
    ("https://user:pa/ss@host/x http://token0123@github.example/a.git", ["pa/ss", "token0123"]),
    ("?next=redis%3A%2F%2F%3Ahunter2%40redis%3A6379", ["hunter2"]),
    ("MongoServerSelectionError: connect mongodb://a:b:c@d@e/db", ["b:c", "d@"]),
    (f"GET /auth/callback?token={JWT} HTTP/1.1", ["eyJ"]),
    (f"cut off: {JWT[:80]}", ["eyJ", JWT[40:60]]),
    (f"두 번째%20{JWT}", ["eyJ"]),
    (BCRYPT, ["abcdefghijklmnop"]),
    (BCRYPT.replace("$", "$$"), ["abcdefghijklmnop"]),
    (BCRYPT.replace("$", "%24"), ["abcdefghijklmnop"]),
    ("/api/files/generated/a.png?expires=1769000000&sig=0123abcdef HTTP/1.1", ["0123abcdef"]),
    ("https://s3/b?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101&X-Amz-Signature=fe5f80&X-Amz-Date=1", ["AKIA", "fe5f80"]),
    ("/o?access_token=abc.def#id_token=ghi /cb?code=4/0Abcdefgh&scope=email", ["abc.def", "ghi", "4/0A"]),
    ("/redirect?u=%2Fcb%3Ftoken%3Dabc123def%26x%3D1", ["abc123def"]),
    ("GET /reset-password/9f8e7d6c5b4a39281706f5e4d3c2b1a0 HTTP/1.1", ["9f8e7d6c"]),
    ('Validation input: {\n  "email": "a@b.c",\n  "password": "pa\\"ss wo}rd",\n  "nickname": "x"\n}', ["pa\\", "wo}rd"]),
    ("{ email: 'a@b.c', password: 'it\\'s me', confirmPassword: `tick` }", ["it\\", "s me", "tick"]),
    ('{"session":"{\\"passport\\":{\\"user\\":\\"1\\"},\\"csrfToken\\":\\"abc def\\"}"}', ["abc def"]),
    ('"body":"{\\"password\\":\\"deep\\\\\\"er\\",\\"n\\":1}"', ["deep", "er\\"]),
    ('{"password": "cut off in the midd', ["cut off"]),
    ('{"password": 12345678}', ["12345678"]),
    (
        "JWT_SECRET=abc,def;gh MONGO_ROOT_PASSWORD=x)y SOME_KEY=k1 GEMINI_API_KEY=k2 BACKUP_ENCRYPTION_KEY=k3",
        ["gh", "x)y", "k1", "k2", "k3"],
    ),
    ('"Env":["JWT_SECRET=pa ss","NODE_ENV=production"]', ["pa ss"]),
    ("user[password]=hunter2&x=1", ["hunter2"]),
    ("REDIS_PASSWORD=${REDIS_PASSWORD:-redispassword}", ["redispassword"]),
    ("password: hunter2", ["hunter2"]),
    ("password: hunter", ["hunter"]),
    ("비밀번호: hunter22", ["hunter22"]),
    ("Authorization: Bearer abc.def", ["abc.def"]),
    ("authorization: 'Basic dXNlcjpwdw=='", ["dXNlcjpwdw"]),
    ('curl -H "Authorization: Bearer abc def" -u user:pass http://x/y', ["abc", "user:pass"]),
    ("sent Bearer 0a1b2c3d4e and Basic dXNlcjpwYXNz", ["0a1b2c", "dXNlcjpw"]),
    ("Cookie: theme=dark; connect.sid=s%3Aabcdefghijklmnopqrst.uvwxyz0123", ["abcdefghij", "uvwxyz"]),
    ("'set-cookie': [ 'connect.sid=s%3Aabcdefghijklmnopqrst.uvwxyz0123; Path=/; HttpOnly' ]", ["abcdefghij", "uvwxyz"]),
    ("AIza" + "SyA1234567890abcdefghijklmnopqrstuv0", ["SyA123"]),
    ("sk-" + "proj-abcdefghij0123456789ABCD and sk-" + "abcdefghij0123456789ABCD", ["abcdefghij"]),
    (f"{SLACK} {SLACK_APP}", ["xox", "xapp", "abcdef"]),
    (DISCORD, ["GabcdE", "MTIz"]),
    ("https://discord.com/api/v10/webhooks/123456789012345678/abcdefghijklmnop_-QRST", ["abcdefghijkl"]),
    ("https://hooks.slack.com/services/T000/B000/XXXXyyyy", ["T000", "XXXXyyyy"]),
    ("wss://wss-primary.slack.com/link/?ticket=abcdefgh-1234&app_id=x", ["abcdefgh"]),
    ("gh" + "p_abcdefghijklmnopqrstuvwxyz0123456789 github" + "_pat_11ABCDEFG0abcdefghijkl", ["abcdefghij", "11ABC"]),
    (f"AKIAIOSFODNN7EXAMPLE aws: {AWS_SECRET}", ["AKIA", "wJalr"]),
    ("key vcc_a1b2c3d4e5f6a7b8c9d0e1f2 stored as enc:v1:AbC+/=:deadbeef", ["a1b2c3", "AbC", "deadbeef"]),
    (f"x\n-----BEGIN RSA PRIVATE KEY-----\n{BODY}\nshort==\n-----END RSA PRIVATE KEY-----\ny", [BODY, "short"]),
    (f'"key":"-----BEGIN PRIVATE KEY-----\\n{BODY}\\n-----END PRIVATE KEY-----\\n"', [BODY]),
    (f"-----BEGIN PRIVATE KEY-----\n{BODY}\n{BODY[:40]}", [BODY[:30]]),
    (f"vcc-backend  | {BODY}", [BODY]),
    ("redis-server --requirepass secretpw --maxmemory 1gb", ["secretpw"]),
    ('["redis-server","--requirepass","secretpw","--appendonly","yes"]', ["secretpw"]),
    ("docker-compose exec redis redis-cli -p 6379 -a redispassword info memory", ["redispassword"]),
    ("mongosh -u admin -p pw99 --eval 'x'; mongodump --password pw88; mongosh --password=pw77 -p 'a b'", ["pw99", "pw88", "pw77", "a b"]),
]

ORDINARY = [
    "password is wrong",
    "token expired",
    "the token was revoked and the password changed",
    "invalid token: jwt expired",
    "password: must be at least 8 characters",
    "User validation failed: password: Path `password` is required.",
    "비밀번호가 틀렸습니다. 토큰이 만료되었습니다.",
    "비밀번호: 8자 이상이어야 합니다",
    "SyntaxError: Unexpected token: }",
    "    at validateToken (/app/src/middleware/token.js:10:5)",
    "if (password === user.password) {",
    "Basic authentication required, Bearer authentication is not",
    "Error processing job 65a1b2c3d4e5f60718293a4b: Error: connect ECONNREFUSED 172.18.0.3:6379",
    "container 4f5e6d7c8b9a4f5e6d7c8b9a4f5e6d7c8b9a4f5e6d7c8b9a4f5e6d7c8b9a4f5e is up",
    "image sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit d83a1e8f00a1b2c3d4e5f60718293a4b5c6d7e8f on aws d83a1e8f00a1b2c3d4e5f60718293a4b5c6d7e8f",
    "reference/3f2504e0-4f89-41d3-9a0c-0305e82c3301.png",
    "http://localhost:5173/node_modules/@vue/x.js:10 https://medium.example/@someone a@b.c",
    "https://host:8443/path?page=2&limit=50&expires=1769000000",
    "mongodb://localhost:27017/vcc-manager redis://redis:6379 and mail to a@b.c",
    '{"redis":"redis://redis:6379","email":"a@b.c"}',
    "git clone ssh://git@github.example/a/b.git",
    "vcc_default_network vcc_mongodb_data_volume vcc_frontend_network_2",
    "bull:image generation:wait 12 bull:aW1hZ2UgZ2VuZXJhdGlvbg==",
    "maxTokens=4096 tokens: 1500 authSource=admin keyspace=db0 monkey: banana primaryKey: id",
    "PWD=/app OLDPWD=/ PORT=3000 NODE_ENV=production",
    '{"password": null, "token": "", "hasPassword": true, "passwordChangedAt": 1769000000}',
    "REDIS_PASSWORD=${REDIS_PASSWORD} token=expired",
    "GET /error?code=404 /reset-password/complete",
    "task-force-abcdefghijklmnopqrstuvwxyz0123456789 risk-assessment",
    "$12 and $1$2, 5 $ for 2$",
    "/vcc clean files --older 30d --dry-run -p 6379",
    "docker image vcc-token:latest",
    '::ffff:172.18.0.5 - - [22/Jan/2026:10:00:01 +0000] "POST /api/auth/signin HTTP/1.1" 401 72 "-" "curl/7.88.1"',
    "generated_1769000000000_0.png 1,234,567 bytes (12.5 %)",
    "-----BEGIN CERTIFICATE-----",
]


@pytest.mark.parametrize(("text", "gone"), LEAKS)
def test_a_secret_is_taken_out_and_doing_it_again_changes_nothing(text: str, gone: list[str]) -> None:
    cleaned = Redactor().text(text)
    assert "‹redacted:" in cleaned
    assert not [secret for secret in gone if secret in cleaned], cleaned
    assert Redactor().text(cleaned) == cleaned


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_word_for_word(text: str) -> None:
    assert Redactor().text(text) == text


def test_what_stands_around_a_secret_stays() -> None:
    redactor = Redactor()
    assert (
        redactor.text("Connecting to Redis: redis://:pw123@redis:6379 now")
        == "Connecting to Redis: redis://‹redacted:login›@redis:6379 now"
    )
    assert redactor.text('{"email": "a@b.c", "password": "x y", "n": 1}') == '{"email": "a@b.c", "password": "‹redacted:password›", "n": 1}'
    assert json.loads(redactor.text(json.dumps({"a": json.dumps({"token": 'q"\\', "b": 2})})))["a"].endswith('"b": 2}')


def test_a_forged_mark_hides_nothing() -> None:
    assert "hunter2" not in Redactor().text("password=‹redacted:hunter2›")
    assert "hunter2" not in Redactor().text("password=‹redacted:password›hunter2")


# ---------------------------------------------------------------- what we were told is secret
@pytest.mark.parametrize("secret", ["correct horse battery", "p@ss/w:rd+=", "q\"uo\\te's", "비밀번호이다", "a1b2c3"])
def test_a_known_secret_is_found_in_every_form_it_is_written_in(secret: str) -> None:
    redactor = Redactor([secret])
    percent = "".join(f"%{byte:02x}" for byte in secret.encode())
    forms = [secret, json.dumps(secret), json.dumps(json.dumps(secret)), percent.upper(), repr(secret)]
    for prefix in ("", "u:", "us:", "use:"):
        forms.append(base64.b64encode(f"{prefix}{secret}".encode()).decode())
        forms.append(base64.urlsafe_b64encode(f"{prefix}{secret}xyz".encode()).decode())
    for form in forms:
        assert "‹redacted:secret›" in redactor.text(f"said {form} aloud"), form


def test_the_password_of_a_known_address_is_secret_and_its_host_is_not() -> None:
    redactor = Redactor(["mongodb://admin:p%40ss%2Fw0rd@mongo.internal:27017/vcc", "redis://:ra/w@pw1@redis:6379", "http://minio:9000"])
    cleaned = redactor.text("p%40ss%2Fw0rd p@ss/w0rd p%2540ss%252Fw0rd ra/w@pw1 mongo.internal http://minio:9000 admin")
    assert cleaned == " ".join(["‹redacted:secret›"] * 4) + " mongo.internal http://minio:9000 admin"


def test_a_known_secret_that_is_a_word_or_very_short_is_only_hidden_where_it_is_used() -> None:
    redactor = Redactor(["mongodb://admin:password@h/db", "redis://:pw1@h", "abc"])
    assert redactor.text("password is wrong, pw1 abc") == "password is wrong, pw1 abc"
    assert redactor.text("redis://:pw1@h mongodb://admin:password@h") == "redis://‹redacted:login›@h mongodb://‹redacted:login›@h"


def test_a_known_secret_never_eats_into_a_mark() -> None:
    redactor = Redactor(["edacted", "cret››", "redact"])
    cleaned = redactor.text("password=x1 edacted redact")
    assert cleaned == "password=‹redacted:password› ‹redacted:secret› ‹redacted:secret›"
    assert redactor.text(cleaned) == cleaned


def test_the_longer_of_two_known_secrets_leaves_no_tail() -> None:
    assert Redactor(["hunter22", "hunter22-and-more"]).text("hunter22-and-more") == "‹redacted:secret›"


def test_a_redactor_does_not_tell_its_secrets() -> None:
    assert "hunter22" not in repr(Redactor(["hunter22"]))


# ---------------------------------------------------------------- structured data
def test_values_are_hidden_by_the_names_of_their_keys_and_by_their_text() -> None:
    given = {
        "email": "a@b.c",
        "password": "x",
        "passwordResetToken": "y",
        "keyHash": "z",
        "data": {"workboardData": {"apiKey": "plain words", "serverUrl": "http://comfy:8188"}},
        "headers": {"Set-Cookie": ["a=b"], "authorization": "Bearer q"},
        "log": ["redis://:pw@h", 5, None],
        "counts": {"sessions": 12, "session": 3, "tokens": 5},
        "isActive": True,
        "token": None,
    }
    assert Redactor().value(given) == {
        "email": "a@b.c",
        "password": "‹redacted:password›",
        "passwordResetToken": "‹redacted:token›",
        "keyHash": "‹redacted:hash›",
        "data": {"workboardData": {"apiKey": "‹redacted:key›", "serverUrl": "http://comfy:8188"}},
        "headers": {"Set-Cookie": ["‹redacted:session›"], "authorization": "‹redacted:token›"},
        "log": ["redis://‹redacted:login›@h", 5, None],
        "counts": {"sessions": 12, "session": 3, "tokens": 5},
        "isActive": True,
        "token": None,
    }


def test_a_name_beside_its_value_counts_like_a_key() -> None:
    redactor = Redactor()
    assert redactor.value([["JWT_SECRET", "x"], ["backend", "x"]]) == [["JWT_SECRET", "‹redacted:secret›"], ["backend", "x"]]
    assert redactor.value({"Name": "JWT_SECRET", "Value": "x"}) == {"Name": "JWT_SECRET", "Value": "‹redacted:secret›"}
    assert redactor.value((("token", "expired"),)) == (("token", "expired"),)


def test_data_nested_beyond_reason_is_hidden_instead_of_breaking() -> None:
    nested: object = "redis://:pw@h"
    for _ in range(500):
        nested = [nested]
    assert "pw" not in json.dumps(Redactor().value(nested))
