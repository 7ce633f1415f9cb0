"""No line that is an error is passed over, whichever way the log is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.error_kinds import classify
from bot.ops.log_candidates import candidates
from tests.bot.ops.log_samples import Said, in_file, on_wire
from tests.bot.ops.test_error_kinds import MONGO, MORGAN, NGINX

PIECES = (
    "Error: ", "TypeError", "Error [ERR_X]: ", "Exception", ": ", "[ERROR] ", "ERROR: ", "fatal: ", "[fatal] ", "FATAL: ",
    "Error connecting: ",
    "Failed to ", "failed to do it: ", "Job 2 failed", "❌", "❌ ", "[", "Uncaught Exception", "uncaught TypeError", "UNCAUGHT ERROR",
    "Unhandled Rejection", "unhandled promise rejection", "UnhandledPromiseRejection", "unhandledPROMISErejection", "UNHANDLED REJECTION",
    "ſ", "K", "１", "uncaught exception",
    "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE", "MongoDB disconnected",
    "Socket closed unexpectedly", "2026/01/25 11:10:30 [error] ", "2026/01/25 11:10:30 [crit] ", "2026/01/25 11:10:30 [alert] ",
    "2026/01/25 11:10:30 [emerg] ", "1:M 22 Jan 2026 10:00:00.000 # ", "OOM", "MISCONF", "can't", "Fail", "2026-01-22T10:00:00.000Z ",
    "[2026-01-22 10:00:00,1] ", MORGAN.format(request="GET / HTTP/1.1", status=500), NGINX.format(request='GET "<&>"', status=599),
    '1.1.1.1 - - [x] "<script>" 502 7', MONGO.format(severity="E", message="x"), MONGO.format(severity="F", message='\\"<x>\\"'),
    '{"t":{"$date":"x"},  "s":"F",  "c":"a", "id":1, "msg":"m"', " ", "\t", '"', "\\", "고양이", "\u2028", "\x07", "prompt",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=6).map("".join).filter(lambda text: "\n" not in text)


@given(TEXTS)
def test_every_error_is_a_candidate_in_the_file_and_on_the_wire(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    if classify(text) is not None:
        assert candidates(in_file([Said(text + "\n")]))
        assert candidates(b"".join(on_wire([Said(text + "\n")])))


@pytest.mark.parametrize("piece", [piece for piece in PIECES if classify(piece + "x: y") is not None])
def test_each_form_by_itself_is_one_too(piece: str) -> None:
    (hit, *_) = candidates(in_file([Said("nothing here\n"), Said(piece + "x: y\n")]))
    assert hit > len(in_file([Said("nothing here\n")]))


def test_the_usual_lines_are_passed_over() -> None:
    usual = ("Job 3 is waiting", "MongoDB Connected: mongodb", MORGAN.format(request="GET /api/500 HTTP/1.1", status=200))
    assert candidates(in_file(Said(text + "\n") for text in usual)) == []


def test_only_the_given_part_is_looked_at() -> None:
    data = bytearray(b"x" * 10 + b"Error: y")
    assert candidates(data, 10) == []
    assert candidates(data) == [11]
