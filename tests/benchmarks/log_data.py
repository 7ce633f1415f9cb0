"""A container's log as Docker's json-file driver writes it, of any size, the same for the same seed.

What VCC's backend says: access lines, jobs, printed objects, now and then an error with its trace, and prompts that hold the
word "error". Stamps are of unequal length, and now and then out of order, as those of two streams are.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

BEGIN = 1_769_040_000_000_000_000  # 2026-01-22 00:00 UTC
FULL_BYTES = 1_110_000_000
STEP = 15_700_000  # nanoseconds from one line to the next: 5.5 million in a day
_POOL = 4_096
_RARE = 0.0049  # so that ``grep -i error`` finds one line in two hundred
_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit"
_PATHS = ("/api/jobs?page=1&limit=20", "/api/workboards", "/api/images/generated?page=1", "/api/auth/me", "/api/jobs/queue/stats")


def size_from_environment(name: str = "VCC_BENCH_LOG_MB") -> int:
    """How many bytes of log the rows are taken on: 1/16 of the full size, unless told."""
    return int(os.environ.get(name, str(FULL_BYTES // 16 // 1_000_000))) * 1_000_000


def write(path: Path, size: int, seed: int = 7) -> int:
    """Write a log of about ``size`` bytes; how many lines."""
    lines = 0
    with path.open("wb", buffering=1 << 20) as out:
        for entry in entries(seed):
            out.write(entry)
            lines += 1
            if lines % 1_000 == 0 and out.tell() >= size:
                return lines
    return lines


def entries(seed: int) -> Iterator[bytes]:
    """Without end."""
    dice = random.Random(seed)
    usual = [_usual(dice) for _ in range(_POOL)]
    rare = [_rare(dice) for _ in range(_POOL // 4)]
    now, second, prefix = BEGIN, -1, b""
    while True:
        chance = dice.random()
        said = rare[int(chance * 1e9) % len(rare)] if chance < _RARE else usual[int(chance * _POOL)]
        for head in said:
            now += int(STEP * 2 * dice.random())
            whole, rest = divmod(now - (40_000 if head.endswith(b'err","time":"') and _is_late(now) else 0), 1_000_000_000)
            if whole != second:
                second, prefix = whole, _second(whole)
            yield head + prefix + (b".%09d" % rest).rstrip(b"0").rstrip(b".") + b'Z"}\n'


def _is_late(nanoseconds: int) -> bool:
    """Which lines of the second stream are stamped before they are written."""
    return nanoseconds % 2 == 1


def _second(seconds: int) -> bytes:
    days, rest = divmod(seconds - BEGIN // 1_000_000_000, 86_400)
    return b"2026-01-%02dT%02d:%02d:%02d" % (22 + days, rest // 3600, rest // 60 % 60, rest % 60)


def _head(text: str, stream: str = "stdout") -> bytes:
    return f'{{"log":{json.dumps(text + chr(10), ensure_ascii=False)},"stream":"{stream}","time":"'.encode()


def _usual(dice: random.Random) -> list[bytes]:
    match dice.randrange(20):
        case 0 | 1:
            return [_head(f"Job {dice.randrange(100_000)} is waiting")]
        case 2 | 3:
            return [_head(f"Job {dice.randrange(100_000)} completed successfully")]
        case 4:
            return [_head(line) for line in ("Validation input: {", f"  prompt: '고양이 {dice.randrange(999)}, oil painting',", "}")]
        case _:
            path, status, size = dice.choice(_PATHS), dice.choice((200, 200, 200, 304, 404)), dice.randrange(20_000)
            asked = f'::ffff:172.18.0.5 - - [22/Jan/2026:10:00:01 +0000] "GET {path} HTTP/1.1" {status} {size} "-" "{_AGENT}"'
            return [_head(asked)]


def _rare(dice: random.Random) -> list[bytes]:
    number, identity = dice.randrange(100_000), f"{dice.getrandbits(96):024x}"
    match dice.randrange(6):
        case 0:
            said = [f"Job {number} failed: Error: Failed to submit workflow: Request failed with status code 500"]
            said += [f"    at Worker.submit (/app/src/services/worker.js:{dice.randrange(400)}:17)", "    at async Job.processJob"]
        case 1:
            said = [f"Error processing job {identity}: Error: connect ECONNREFUSED 172.18.0.{dice.randrange(9)}:6379"]
        case 2:
            said = [
                f"TypeError: Cannot read properties of undefined (reading 'field{dice.randrange(30)}')",
                "    at error (/app/src/error.js:1:1)",
            ]
        case 3:
            said = [f"❌ 백업 실패: {identity}"]
        case 4:
            asked = f'"POST /api/jobs/{identity} HTTP/1.1" {dice.choice((500, 502, 503))} 72 "-" "{_AGENT}"'
            return [_head(f"::ffff:172.18.0.5 - - [22/Jan/2026:10:00:01 +0000] {asked}")]
        case _:
            return [_head("Validation input: { prompt: 'hello error world',"), _head("  note: 'Error: not one'"), _head("}")]
    return [_head(line, "stderr") for line in said]
