"""The small deployment of the simulated week: figures that the script sets, and the few commands that schedules and checklists type.

Everything else that runs in the week is the house's own. Knows no time and no platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.alert_rules import SIGNALS
from bot.alert_signals import Reading, Readings
from bot.command import Duration, Group
from bot.context import Context
from bot.model import Reply, Risk, Tone
from commands import alert, approve, checklist, incident, maintenance, oncall, schedule

HOUSE = (alert.group, approve.group, checklist.group, incident.group, maintenance.group, oncall.group, schedule.group)
DEFAULTS = Path(__file__).parents[2] / "bot" / "defaults"
# Beside what is shipped: the hour that Berlin leaves out on the Sunday of this week, and a time of day there.
ABROAD = """
[[schedule]]
name = "berlin-night"
cron = "30 2 * * *"
zone = "Europe/Berlin"
line = "backup list"

[[schedule]]
name = "berlin-morning"
cron = "0 9 * * *"
zone = "Europe/Berlin"
line = "status"
"""
TEAM = """
[[contact]]
name = "김온콜"
accounts = ["slack:ada", "discord:1"]

[[contact]]
name = "이당직"
accounts = ["slack:ben", "discord:2"]

[rotation]
start = 2026-03-16 09:00:00
days = 7
order = ["이당직", "김온콜"]
"""
WELL: Mapping[str, Mapping[str, float]] = {
    "disk.percent": {"/data": 71.0},
    "disk.inodes_percent": {"/data": 12.0},
    "host.memory_percent": {"": 60.0},
    "service.down": {"backend": 0.0, "frontend": 0.0},
    "service.unhealthy": {"backend": 0.0, "frontend": 0.0},
    "reachable.lost": {"mongodb": 0.0, "redis": 0.0, "docker": 0.0},
    "health.bad": {"backend": 0.0},
    "queue.oldest_waiting_s": {"image generation": 12.0},
    "errors.new": {"backend": 0.0},
    "backup.old": {"": 0.0},
    "certificate.days": {"vcc.example.org": 63.0},
}


def write_team(home: Path) -> Path:
    """The team's folder: the shipped schedules and two more, the shipped rules and checklists, and who is on call."""
    folder = home / "own"
    folder.mkdir()
    (folder / "schedules.toml").write_text((DEFAULTS / "schedules.toml").read_text(encoding="utf-8") + ABROAD, encoding="utf-8")
    (folder / "oncall.toml").write_text(TEAM, encoding="utf-8")
    return folder


class World:
    """What is measured now. ``hears`` tells which connectors hear people."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, float]] = {signal: dict(each) for signal, each in WELL.items()}
        self.hears: Callable[[], Mapping[str, bool]] = dict

    def set(self, signal: str, subject: str, value: float) -> None:
        """One figure from now on."""
        self.figures[signal][subject] = value

    async def measure(self) -> Readings:
        """A source of the watch."""
        found = {signal: {name: self._reading(signal, value) for name, value in each.items()} for signal, each in self.figures.items()}
        ears = {name: Reading(0.0 if well else 1.0) for name, well in self.hears().items()}
        return {**found, "connector.down": ears}

    @staticmethod
    def _reading(signal: str, value: float) -> Reading:
        return Reading(value, "" if SIGNALS[signal] != "state" or not value else "응답하지 않아요.")


class Parts:
    """Commands that answer as a deployment in good order would; ``service start`` starts what is down in ``world``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.groups = (
            *(self._group(name, *commands) for name, commands in self._commands().items()),
            self._services(),
        )

    def _commands(self) -> Mapping[str, Sequence[tuple[str, Risk, Callable[..., Any]]]]:
        return {
            "status": (("show", Risk.READ, self.status),),
            "backup": (("create", Risk.CHANGE, self.backup), ("drill", Risk.CHANGE, self.drill), ("list", Risk.READ, self.backups)),
            "check": (("setup", Risk.READ, self.well), ("health", Risk.READ, self.well)),
            "logs": (("errors", Risk.READ, self.errors),),
            "disk": (("show", Risk.READ, self.disk),),
            "queue": (("status", Risk.READ, self.queue),),
            "db": (("slow", Risk.READ, self.slow),),
            "redis": (("info", Risk.READ, self.redis),),
        }

    @staticmethod
    def _group(name: str, *commands: tuple[str, Risk, Callable[..., Any]]) -> Group:
        group = Group(name, default=commands[0][0])
        for word, risk, work in commands:
            group.command(word, risk, examples=(f"{name} {word}",))(work)
        return group

    def _services(self) -> Group:
        group = Group("service", default="start")
        group.command("start", Risk.CHANGE, examples=("service start backend",))(self.start)
        return group

    async def start(self, ctx: Context, name: str) -> Reply:
        """It runs again."""
        self._world.set("service.down", name, 0.0)
        return Reply(f"{name} 시작함", tone=Tone.GOOD)

    async def status(self, ctx: Context) -> Reply:
        """All is well, the last backup a few hours old."""
        backup = {"last_good_age_s": 21_600.0, "last_restorable_age_s": 86_400.0}
        return Reply("모두 정상", tone=Tone.GOOD, data={"backup": backup, "host": {"memory_percent": 60.0, "cpu_percent": 12.0}})

    async def backup(self, ctx: Context) -> Reply:
        """A good backup."""
        return Reply("백업 완료", tone=Tone.GOOD)

    async def drill(self, ctx: Context) -> Reply:
        """A drill that worked."""
        return Reply("복원 훈련 성공", tone=Tone.GOOD)

    async def backups(self, ctx: Context) -> Reply:
        """Two of them."""
        return Reply("백업 2개", tone=Tone.GOOD, data={"backups": [{"id": 1}, {"id": 2}]})

    async def well(self, ctx: Context) -> Reply:
        """Nothing to mend."""
        return Reply("이상 없음", tone=Tone.GOOD)

    async def errors(self, ctx: Context, *, since: Duration = Duration(3_600), limit: int = 20) -> Reply:
        """None."""
        return Reply("에러 없음", tone=Tone.GOOD, data={"errors_total": 0})

    async def disk(self, ctx: Context) -> Reply:
        """As full as the world says."""
        percent = self._world.figures["disk.percent"]["/data"]
        return Reply("디스크", data={"file_systems": [{"path": "/data", "percent": percent}]})

    async def queue(self, ctx: Context) -> Reply:
        """Little waits."""
        found = {"waiting": 3, "paused": 0, "throughput": {"failure_percent": 1.0}}
        return Reply("큐 정상", tone=Tone.GOOD, data=[found])

    async def slow(self, ctx: Context) -> Reply:
        """One kind."""
        return Reply("느린 쿼리 1종", tone=Tone.GOOD, data={"groups_total": 1})

    async def redis(self, ctx: Context) -> Reply:
        """Some memory."""
        return Reply("Redis 정상", tone=Tone.GOOD, data={"used_memory": 64 << 20})
