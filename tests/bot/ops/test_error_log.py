"""Errors that differ only in their particulars are one group, counted; others are not; memory has a bound."""

from __future__ import annotations

import pytest

from bot.ops.container_values import LogLine
from bot.ops.error_kinds import ErrorKind
from bot.ops.error_log import TRACE_AT_MOST, ErrorGroup, ErrorGrouper, normalise


def line(text: str, at: float = 0, *, service: str = "backend", stream: str = "stderr") -> LogLine:
    return LogLine(service, f"vcc-{service}", stream, at, text)


def grouped(*texts: str) -> tuple[ErrorGroup, ...]:
    grouper = ErrorGrouper()
    for at, text in enumerate(texts):
        grouper.feed(line(text, at))
    return grouper.groups()


def test_the_same_error_of_two_jobs_is_one_group_with_its_times_and_examples() -> None:
    first, last = "Job 2 failed: Error: status code 500", "Job 31 failed: Error: status code 500"
    (group,) = grouped(first, "Job 3 is waiting", last)
    assert (group.count, group.kind, group.service) == (2, ErrorKind.APPLICATION, "backend")
    assert (group.first_seen, group.last_seen, group.example, group.newest_example) == (0, 2, first, last)
    assert len(group.fingerprint) == 12


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Error processing job 65aa00000000000000000001: Error: x", "Error processing job 65bb00000000000000000002: Error: x"),
        ("Error: stat '/app/uploads/generated/generated_1_0.png'", "Error: stat '/app/uploads/generated/generated_22_3.png'"),
        ("Error: no file 6f1c2d3e-0000-4000-8000-aaaaaaaaaaaa", "Error: no file 11111111-2222-4333-8444-bbbbbbbbbbbb"),
        ("Error: connect ECONNREFUSED 172.18.0.3:6379", "Error: connect ECONNREFUSED 10.0.0.9:6379"),
        ("Error: at 2026-01-22T10:00:00.000Z", "Error: at 2027-02-23T11:11:11.111Z"),
        (
            '1.1.1.1 - - [22/Jan/2026:10:00:01 +0000] "GET /api/jobs/65aa00000000000000000001?a=1 HTTP/1.1" 500 7 "-" "x"',
            '2.2.2.2 - - [23/Jan/2026:10:00:01 +0000] "GET /api/jobs/65bb00000000000000000002?b=2 HTTP/1.1" 500 9 "-" "y"',
        ),
        (
            "2026/01/25 11:10:30 [error] 33#33: *8 connect() failed (111: Connection refused), client: 1.1.1.1, request: /a",
            "2026/01/26 12:10:30 [error] 34#34: *9 connect() failed (111: Connection refused), client: 2.2.2.2, request: /b",
        ),
    ],
)
def test_particulars_do_not_tell_errors_apart(one: str, other: str) -> None:
    assert [group.count for group in grouped(one, other)] == [2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Error: disk full", "Error: disk slow"),
        ('1.1.1.1 - - [x] "GET /a HTTP/1.1" 500 7 "-" "x"', '1.1.1.1 - - [x] "GET /a HTTP/1.1" 502 7 "-" "x"'),
        ('1.1.1.1 - - [x] "GET /a HTTP/1.1" 500 7 "-" "x"', '1.1.1.1 - - [x] "POST /a HTTP/1.1" 500 7 "-" "x"'),
    ],
)
def test_what_is_wrong_tells_errors_apart(one: str, other: str) -> None:
    assert [group.count for group in grouped(one, other)] == [1, 1]


def test_the_same_words_of_two_services_are_two_errors() -> None:
    grouper = ErrorGrouper()
    grouper.feed(line("Error: x"))
    grouper.feed(line("Error: x", service="mcp-server"))
    assert [group.service for group in grouper.groups()].count("backend") == 1
    assert len(grouper.groups()) == 2


def test_a_trace_belongs_to_the_error_before_it_even_with_another_stream_between() -> None:
    grouper = ErrorGrouper()
    grouper.feed(line("Error: x", 1))
    grouper.feed(line("    at one (/app/a.js:1:1)", 1))
    grouper.feed(line("Job 3 is waiting", 1, stream="stdout"))
    grouper.feed(line("    at two (/app/b.js:1:1) Error: y", 1))
    grouper.feed(line("done", 1))
    grouper.feed(line("    at nothing of ours", 1))
    (group,) = grouper.groups()
    assert (group.count, group.trace) == (1, ("    at one (/app/a.js:1:1)", "    at two (/app/b.js:1:1) Error: y"))


def test_the_trace_is_the_newest_ones_and_has_an_end() -> None:
    grouper = ErrorGrouper()
    for at in (1, 2):
        grouper.feed(line("Error: x", at))
        for number in range(50):
            grouper.feed(line(f"    at {at}.{number}", at))
    (group,) = grouper.groups()
    assert group.trace[0] == "    at 2.0"
    assert len(group.trace) == TRACE_AT_MOST


def test_noise_is_counted_and_shown_only_when_asked_for() -> None:
    grouper = ErrorGrouper()
    assert grouper.feed(line("ValidationError: ERR_ERL_PERMISSIVE_TRUST_PROXY")) is ErrorKind.KNOWN
    assert grouper.groups() == ()
    assert [group.kind for group in grouper.groups(known=True)] == [ErrorKind.KNOWN]


def test_groups_come_most_frequent_first() -> None:
    assert [group.count for group in grouped("Error: a", "Error: b", "Error: b")] == [2, 1]


def test_a_log_of_ever_new_errors_does_not_grow_without_end() -> None:
    grouper = ErrorGrouper(groups_at_most=3)
    names = ["alpha", "beta", "gamma", "delta", "epsilon"]
    for name in names:
        grouper.feed(line(f"Error: {name} " + "long words " * 5000))
    grouper.feed(line("Error: alpha " + "long words " * 5000))
    assert (len(grouper.groups()), grouper.overflow, grouper.lines) == (3, 2, 6)
    assert grouper.groups()[0].count == 2
    assert max(len(group.example) for group in grouper.groups()) <= 2000


def test_lines_out_of_order_keep_the_true_first_and_last() -> None:
    grouper = ErrorGrouper()
    for at in (5.0, 3.0, 9.0, 4.0):
        grouper.feed(line(f"Error: x {at}", at))
    (group,) = grouper.groups()
    assert (group.first_seen, group.last_seen, group.newest_example) == (3.0, 9.0, "Error: x 9.0")


def test_a_fingerprint_is_the_same_on_every_machine_and_every_day() -> None:
    assert grouped("Error: boom 7")[0].fingerprint == "a2702d173762"
    assert normalise("Error:   boom 7  'it'") == "Error: boom <n> <text>"
