"""Secrets nobody thought of, made up by the machine: whatever their characters, none comes through, and no text is slow."""

from __future__ import annotations

import json
import string
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.redact import ORDINARY, Redactor
from bot.secret_labels import is_harmless
from bot.secret_names import KINDS, MARK

BASE64URL = string.ascii_letters + string.digits + "-_"
VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F))
UNRESERVED = string.ascii_letters + string.digits + "-._~!*+,:@/$"
ENVIRONMENT = "".join(letter for letter in VISIBLE if letter not in "\"'`<>\\")


def _is_tellable(secret: str) -> bool:
    """Not a piece of the marks and sentences of these tests, which would be found in any answer."""
    frame = "‹redacted:› " + " ".join(KINDS) + " nickname dark theme 1gb ping eval admin redis mongodb host 6379 27017 vcc end true null"
    return secret not in frame and secret.lower() not in frame and not is_harmless(secret)


def _is_taken_literally(secret: str) -> bool:
    return secret == secret.strip() and secret.lower() not in ORDINARY


def _secrets(alphabet: str, shortest: int = 4, longest: int = 40) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=shortest, max_size=longest).filter(_is_tellable)


def _json(secret: str) -> str:
    return f'Validation input: {{"nickname": "x", "password": {json.dumps(secret)}, "end": 1}}'


def _json_in_json(secret: str) -> str:
    return json.dumps({"body": json.dumps({"token": secret, "end": True}), "end": 1})


def _inspected(secret: str) -> str:
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return f"{{ nickname: 'x', password: '{escaped}', theme: 'dark' }}"


FREE_FORMS: list[Callable[[str], str]] = [_json, _json_in_json, _inspected]
TIGHT_FORMS: list[Callable[[str], str]] = [
    lambda secret: f"JWT_SECRET={secret} end",
    lambda secret: f"export REDIS_PASSWORD={secret}",
    lambda secret: f"--password={secret} end",
    lambda secret: f"redis-server --requirepass {secret} --maxmemory 1gb",
    lambda secret: f"redis-cli -a {secret} ping",
    lambda secret: f'Cmd: ["redis-server","--requirepass",{json.dumps(secret)},"end"]',
    lambda secret: f"Authorization: Bearer {secret}",
    lambda secret: f"Connecting to Redis: redis://:{secret}@redis:6379",
]


@settings(deadline=None)
@given(_secrets(VISIBLE + " \t가나é\n"), st.sampled_from(FREE_FORMS))
def test_a_quoted_secret_of_any_characters_is_gone(secret: str, form: Callable[[str], str]) -> None:
    text = form(secret)
    cleaned = Redactor().text(text)
    assert secret not in cleaned
    assert json.dumps(secret)[1:-1] not in cleaned
    assert "end" not in text or "end" in cleaned


@settings(deadline=None)
@given(_secrets(ENVIRONMENT), st.sampled_from(TIGHT_FORMS))
def test_a_bare_secret_of_any_visible_characters_is_gone(secret: str, form: Callable[[str], str]) -> None:
    assume(not secret.startswith(("--", "$", "{", "%")))
    half = len(secret) // 2
    # The whole, and most of it: a pattern that stops half-way must not pass.
    pieces = [secret, secret[: half + 1], secret[half - 1 :]] if len(secret) >= 8 else [secret]
    assume(not [piece for piece in pieces if piece in form("")])
    cleaned = MARK.sub("", Redactor().text(form(secret)))
    assert not [piece for piece in pieces if piece in cleaned]


@settings(deadline=None)
@given(
    st.sampled_from(["mongodb", "mongodb+srv", "redis", "rediss", "postgres", "amqp", "smtp", "odd+scheme"]),
    _secrets(UNRESERVED),
    st.sampled_from(["", " end", '"', "' end", ")", ", retrying"]),
)
def test_the_password_of_an_address_is_gone_whatever_it_holds(scheme: str, secret: str, after: str) -> None:
    cleaned = Redactor().text(f"at {scheme}://admin:{secret}@host:27017/vcc{after}")
    assert secret not in cleaned
    assert "@host:27017/vcc" in cleaned


@settings(deadline=None)
@given(st.sampled_from(["http", "https"]), _secrets(UNRESERVED))
def test_the_password_of_a_web_address_is_gone(scheme: str, secret: str) -> None:
    # A number and a slash after the colon is a port and a path: https://host:8080/@someone.
    assume(not secret[:1].isdigit())
    assert secret not in Redactor().text(f"GET {scheme}://admin:{secret}@host/path end")


@settings(deadline=None)
@given(
    *[st.text(BASE64URL, min_size=16, max_size=60)] * 2,
    st.text(BASE64URL, max_size=60),
    st.sampled_from(["{}", "x{}", "?t={}&a=1", "/{}/", '"{}"', "%20{}", "토큰{}은"]),
)
def test_a_token_of_json_web_shape_is_gone_anywhere(header: str, payload: str, signature: str, frame: str) -> None:
    cleaned = Redactor().text(frame.format(f"eyJ{header}.{payload}.{signature}"))
    assert payload not in cleaned
    assert header not in cleaned


HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + string.digits
SHAPES = [
    ("AIza{}", BASE64URL, 35),
    ("sk-{}", ALNUM, 48),
    ("sk-proj-{}", BASE64URL, 64),
    ("ghp_{}", ALNUM, 36),
    ("github_pat_{}", ALNUM + "_", 60),
    ("xoxb-{}", ALNUM + "-", 50),
    ("xapp-1-{}", ALNUM + "-", 60),
    ("xoxp-{}", ALNUM + "-", 50),
    ("enc:v1:{}", ALNUM + "+/=:", 60),
    ("$2b$12${}", ALNUM + "./", 53),
    ("$2y$10${}", ALNUM + "./", 53),
    ("/reset-password/{}", HEX, 64),
    ("https://hooks.slack.com/services/{}", ALNUM + "/", 40),
    ("https://discord.com/api/webhooks/123456789012345678/{}", BASE64URL, 68),
    ("connect.sid=s%3A{}", BASE64URL, 32),
    ("?expires=1769000000&sig={}", HEX, 64),
    ("&X-Amz-Signature={}", HEX, 64),
]


@settings(deadline=None)
@given(st.data(), st.sampled_from(SHAPES), st.sampled_from(["{}", "a {} b", '"{}"', "({})", "x={},"]))
def test_a_provider_key_made_up_anew_is_gone(data: st.DataObject, shape: tuple[str, str, int], frame: str) -> None:
    prefix, alphabet, length = shape
    secret = data.draw(st.text(alphabet, min_size=length, max_size=length))
    assert secret not in Redactor().text(frame.format(prefix.format(secret)))


@settings(deadline=None)
@given(st.text(HEX, min_size=32, max_size=32))
def test_a_key_of_our_own_application_made_up_anew_is_gone(secret: str) -> None:
    # Hex without any letter or any digit does not happen; a name such as vcc_default_network does.
    assume(any(letter.isdigit() for letter in secret) and any(letter.isalpha() for letter in secret))
    assert secret not in Redactor().text(f"x-api-key is vcc_{secret}")


@settings(deadline=None)
@given(_secrets(VISIBLE + " 가é", shortest=6).filter(_is_taken_literally), st.text(max_size=10), st.text(max_size=10))
def test_a_known_secret_is_gone_from_any_text(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    for form in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]):
        assume(_is_tellable(form))
        cleaned = redactor.text(f"{before}{form}{after}")
        assert form not in cleaned


PIECES = [
    "password", "token", "JWT_SECRET", "session", "Cookie", "=", ":", ": ", " ", "\n", '"', "'", "\\", "{", "}",
    ",", "://", "redis://", "https://", "@", "/", "eyJhbGciOiJIUzI1NiJ9", ".", "abcdefghijklmnop", "Bearer ", "Basic ", "dXNlcjpw",
    "--password ", "redis-cli -a ", "-p ", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "‹redacted:jwt›",
    "‹redacted:", "›", "비밀번호",
    "authorization", "$2b$12$",
    "?code=", "&sig=", "%3A%2F%2F", "%40", "%3D", "null", "must be", "12345", "hunter2", "vcc_", "enc:v1:", ";", "s%3A", "/reset-password/",
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_doing_it_twice_changes_nothing_more(text: str) -> None:
    redactor = Redactor(["hunter2", "redis://:klmnopq@h"])
    cleaned = redactor.text(text)
    assert redactor.text(cleaned) == cleaned
    assert "hunter2" not in cleaned


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["the", "job", "is", "wrong", "password", "token", "실패", "작업", "expired", "12", "a1b2c3d4e5f60718293a4b5c"])
    )
)
def test_sentences_without_secrets_stay(words: list[str]) -> None:
    text = " ".join(words)
    assert Redactor(["hunter22"]).text(text) == text


HOSTILE = [
    "a", "eyJ", "eyJa.", "password", "password ", "password:", "token:가", 'password="', "\\", "password\\", "://", "http://", "http://a@",
    "redis://:", "%3A%2F%2F", "-----BEGIN PRIVATE KEY-----\n", "$2b$", "s:", "s%3A", "sk-", "aws ", "aws", "Bearer ", "Basic aaaa", "--a ",
    "mongosh -p ", "/reset-password/", "vcc_a_", "token=[", "secret: {", "MNOM.", "x.", "cookie: a=", "authorization: Bearer ", " \t",
    "A" * 64 + "\n", '"password=x\\" ', "password: must ", "token=\\", "hunter2",
]  # fmt: skip


def _cost(text: str) -> float:
    redactor = Redactor(["hunter22", "a" * 20])
    best = 60.0
    for _ in range(3):
        started = time.process_time()
        redactor.text(text)
        best = min(best, time.process_time() - started)
    return max(best, 0.005)


def _growth(unit: str, long: int) -> float:
    """How much dearer four times the text is: about 4 when linear, 16 when quadratic."""
    return _cost(unit * (long // len(unit))) / _cost(unit * (long // 4 // len(unit)))


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_text_costs_in_proportion_to_its_length(unit: str) -> None:
    assert _growth(unit, 120_000) < 10


@pytest.mark.parametrize("unit", ["password:", "redis://:a", "eyJa."])
def test_a_hostile_line_of_a_megabyte_costs_in_proportion_to_its_length(unit: str) -> None:
    assert _growth(unit, 1_000_000) < 10
