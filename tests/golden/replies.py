"""A handful of replies such as commands give, in either language, for every renderer's golden files.

Only the words differ by language; nothing here depends on a clock, a path or a random value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from bot.cards import Cards
from bot.figures import Figures
from bot.model import Account, Attachment, Button, Fact, Invocation, Outcome, Place, Plan, Reply, Table, Tolerance, Tone
from bot.store.ticket_rows import Ticket
from bot.words import Words

LANGUAGES: tuple[Literal["ko", "en"], ...] = ("ko", "en")
HOSTILE = "<!channel> <@U1|ada> @everyone @here <@1> <@&2> <#3> *b* _i_ ~s~ `c` ``` </x> [a](http://x) &lt; \u202eabc \x1b[31m:tada:"


def replies(words: Words) -> Mapping[str, Reply]:
    """Every representative reply by name."""
    return {
        "status": _status(),
        "card": _card(words),
        "card_decided": _decided(words),
        "refused": Reply(
            words("dispatch.refused"),
            words("permissions.too_low", command="service restart", needs="operator", has="viewer", helpers="ada, ben"),
            Outcome.REFUSED,
            Tone.WARN,
            private=True,
        ),
        "failed": Reply(
            words("dispatch.failed", command="db slow"),
            words("error.timed_out", system="mongodb", seconds=10),
            Outcome.FAILED,
            Tone.BAD,
            footer=words("dispatch.reference", reference="R-7K3QF2MA"),
            reference="R-7K3QF2MA",
        ),
        "progress": Reply(
            words("progress.title", line="backup create"),
            words(
                "progress.measured",
                done="512",
                total="2048",
                unit="MB",
                percent="25",
                rate="42.7",
                left=Figures(words.language, "UTC").duration(36),
            ),
            Outcome.PENDING,
        ),
        "long_log": _long_log(),
        "hostile": _hostile(),
        "picture": _picture(),
        "call": _call(words),
    }


def _status() -> Reply:
    services = Table(
        ("service", "state", "health", "restarts", "uptime"),
        (
            ("backend", "running", "healthy", "0", "3d 4h"),
            ("frontend", "running", "healthy", "1", "3d 4h"),
            ("mongodb", "running", "-", "0", "12d 1h"),
            ("redis", "exited", "-", "4", ""),
        ),
    )
    queues = Table(("queue", "waiting", "active", "failed"), (("image-generation", "12", "2", "341"), ("웹툰 변환", "0", "0", "7")), "Bull")
    fields = (("MongoDB", "6.0.5 · 3 ms"), ("Redis", "—"), ("디스크", "71% (남은 공간 118 GB)"))
    return Reply("VCC Manager", "3/4 services are up.", tone=Tone.WARN, fields=fields, tables=(services, queues), reference="R-22222222")


def _ticket() -> Ticket:
    plan = Plan(
        title="clean files",
        text="312 files, 1.4 GB",
        facts=(
            Fact("files", "files", "312", 312, Tolerance.MAY_SHRINK),
            Fact("bytes", "size", "1.4 GB", 1_400_000_000, Tolerance.ANY),
            Fact("before", "older than", "30d", 30),
        ),
        targets=("uploads",),
        reversible=True,
        undo="trash restore 7",
        warnings=("12 files are still referenced",),
    )
    invocation = Invocation("clean files --older-than 30d", Account("slack", "U1"), Place("slack", "C1"), "k", 1_790_000_000.0)
    asked = 1_790_000_000.0
    return Ticket(
        id=4880,
        state="open",
        invocation=invocation,
        asker="ada",
        plan=plan,
        digest="0a1b2c3d4e",
        code="",
        command="clean files",
        created_at=asked,
        expires_at=asked + 1_800,
        decided_by="",
        decided_at=None,
        successor=None,
        reference="R-33333333",
    )


def _cards(words: Words) -> Cards:
    return Cards(words, "Asia/Seoul", lambda reply: reply)


def _card(words: Words) -> Reply:
    return _cards(words).asking(_ticket(), "ben, ida")


def _decided(words: Words) -> Reply:
    return _cards(words).decided(_ticket(), "granted", "ben", "done")


def _long_log() -> Reply:
    stamps = (f"2026-11-22T10:{number // 60:02}:{number % 60:02}Z" for number in range(400))
    lines = "\n".join(f"{stamp} backend ERROR job {number} failed: ECONNREFUSED" for number, stamp in enumerate(stamps))
    rows = tuple((f"fingerprint {number}", str(400 - number), "ECONNREFUSED 127.0.0.1:6379") for number in range(130))
    table = Table(("fingerprint", "count", "newest"), rows)
    return Reply("logs errors backend", "400 lines", tables=(table,), code=lines, reference="R-44444444")


def _picture() -> Reply:
    alt = "CPU, 24 h: backend 12-83% (44% now)\nmongodb 9-38% (19% now)"
    files = (Attachment("cpu.png", Path("files/R-66666666/cpu.png"), "image/png", alt), Attachment("notes.txt", Path("files/notes.txt")))
    return Reply("CPU 24h", fields=(("backend", "44%"), ("mongodb", "19%")), files=files, reference="R-66666666")


def _call(words: Words) -> Reply:
    """One person called on both platforms; ids that are none call nobody."""
    people = ("slack:U0KIM", "discord:4201", "local:kim", "slack:!channel", "slack:U1> <!here", "discord:&7", "discord:everyone")
    buttons = (Button(words("oncall.ack_button"), "oncall ack 3", "primary"),)
    mentions = tuple(map(Account.parse, people))
    return Reply("@here <!channel> <@U1> <@9>", "<@U2> @everyone", tone=Tone.BAD, buttons=buttons, mentions=mentions)


def _hostile() -> Reply:
    return Reply(
        HOSTILE,
        HOSTILE,
        fields=((HOSTILE, HOSTILE),),
        tables=(Table((HOSTILE, "b"), ((HOSTILE, "```"),), HOSTILE), Table(("a",), (("``` <!here>",),))),
        code=f"```\n{HOSTILE}",
        buttons=(Button("<!channel> & co", 'approve 1 --plan "<@U1>"', "danger"),),
        footer=HOSTILE,
        reference="R-55555555",
    )
