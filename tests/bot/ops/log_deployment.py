"""A container's log in two places at once: in files as Docker writes them, and behind a fake engine that sends them as Docker does."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from tests.bot.ops.fake_engine import FakeEngine, container
from tests.bot.ops.log_samples import BEGIN, SECOND, Said, in_file, kept, on_wire

IDENTITY = "vcc-backend-1-id"


class Deployment:
    """A container whose log is in files, and which a fake engine sends as a real one would."""

    def __init__(self, engine: FakeEngine, data: Path) -> None:
        self.engine = engine
        self.path = data / "containers" / IDENTITY / f"{IDENTITY}-json.log"
        self.path.parent.mkdir(parents=True)
        self.path.touch()
        self.said: list[Said] = []
        engine.add(container("backend"))
        engine.failure = self.sent

    def say(self, *every: Said) -> None:
        self.said += every
        with self.path.open("ab") as out:
            out.write(in_file(every))

    def sent(self, request: web.Request) -> web.StreamResponse | None:
        """The engine's answer, which the fake is told anew for each question."""
        if request.path.endswith("/logs"):
            tail = request.query.get("tail", "all")
            chosen = self.said if tail == "all" else self.said[-int(tail) :]
            since, until = (after(request.query.get(name)) for name in ("since", "until"))
            self.engine.logs = on_wire(kept(chosen, since or 0, 1 << 62 if until is None else until))
        return None


def after(asked: str | None) -> int | None:
    if asked is None:
        return None
    whole, _, fraction = asked.partition(".")
    return (int(whole) - BEGIN) * SECOND + int(fraction or 0)
