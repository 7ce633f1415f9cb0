"""A week in seconds: failures, outages, restarts and people by a script; what stands in both chats then is exactly what is expected.

The week runs on chats in memory: the libraries of Slack and Discord keep time by their own clocks, which no test can move. A day of it on
the real libraries is ``test_week_day.py``. To accept another list on purpose, run with ``VCC_GOLDEN=write`` and read what changed.
"""

from __future__ import annotations

import os
from pathlib import Path

from bot import outbox
from bot.outbox import NotDelivered
from bot.store import alert_rows
from bot.testing.bot import OPS
from tests.stories.week_bot import ALERTS, Week, a_week

GOLDEN = Path(__file__).parent.parent / "golden" / "week"
ROUTES = [f"route-{number:05}" for number in range(10_000)]


async def monday(week: Week) -> None:
    """Checklists and a signature; a disk that fills, a memory that stays full, a service that comes and goes."""
    await week.to("Mon", "10:20")
    await week.figure("disk.percent", "/data", 91.0)
    await week.to("Mon", "10:31")
    await week.presses("discord:1", week.alert("discord", "디스크"), "확인")
    await week.to("Mon", "12:30")
    await week.figure("disk.percent", "/data", 74.0)
    await week.to("Mon", "14:00")
    weekly = week.chats["slack"].newest(OPS["slack"], "매주 점검")
    await week.presses("slack:olga", weekly, "서명: 보안 로그 검토")
    await week.figure("host.memory_percent", "", 93.0)
    await week.to("Mon", "17:40")
    await week.figure("host.memory_percent", "", 70.0)
    await week.to("Mon", "20:00")
    for minute in range(0, 25, 6):
        await week.to("Mon", f"20:{minute:02}")
        await week.figure("service.down", "backend", 1.0)
        await week.to("Mon", f"20:{minute + 2:02}")
        await week.figure("service.down", "backend", 0.0)


async def tuesday(week: Week) -> None:
    """Slack is down for an hour; some of what happens then is over before it is back. The signature is late."""
    await week.to("Tue", "10:00")
    weekly = week.chats["discord"].newest(OPS["discord"], "매주 점검")
    await week.presses("discord:1", weekly, "서명: 의존성 업데이트 확인")
    await week.to("Tue", "11:00")
    slack = week.chats["slack"]
    slack.down = True
    slack.fail(NotDelivered("no connection"))
    await week.stir()
    await week.to("Tue", "11:15")
    await week.figure("queue.oldest_waiting_s", "image generation", 2_000.0)
    await week.to("Tue", "11:20")
    await week.figure("disk.inodes_percent", "/data", 95.0)
    await week.to("Tue", "11:30")
    await week.figure("disk.inodes_percent", "/data", 40.0)
    await week.to("Tue", "12:00")
    slack.down = False
    slack.recover()
    await week.stir()
    await week.to("Tue", "12:30")
    await week.figure("queue.oldest_waiting_s", "image generation", 20.0)


async def wednesday(week: Week) -> None:
    """A critical alert in the night; a restart over the time of the backup; a mute that ends while it goes on."""
    await week.to("Wed", "02:00")
    await week.figure("reachable.lost", "mongodb", 1.0)
    await week.to("Wed", "02:25")
    await week.presses("slack:ben", week.alert("slack", "연결 안 됨"), "확인")
    await week.figure("reachable.lost", "mongodb", 0.0)
    await week.to("Wed", "03:05")
    await week.stop()
    week.clock.forward(35 * 60)
    await week.start()
    await week.to("Wed", "14:00")
    await week.types("slack:ada", "alert mute memory --for 2h", ALERTS["slack"])
    await week.to("Wed", "14:30")
    await week.figure("host.memory_percent", "", 95.0)
    await week.to("Wed", "17:00")
    await week.figure("host.memory_percent", "", 60.0)


async def thursday(week: Week) -> None:
    """Maintenance; a crash while an alert is being told; Slack slows us down."""
    await week.to("Thu", "10:00")
    await week.types("discord:1", "maintenance start --for 1h", ALERTS["discord"])
    await week.to("Thu", "10:10")
    await week.figure("service.down", "backend", 1.0)
    await week.to("Thu", "10:30")
    await week.figure("service.down", "backend", 0.0)
    await week.to("Thu", "10:40")
    await week.figure("reachable.lost", "redis", 1.0)
    await week.to("Thu", "11:10")
    await week.figure("reachable.lost", "redis", 0.0)
    await week.to("Thu", "15:00")
    await crash_in_the_middle(week)
    await week.to("Thu", "18:00")
    week.chats["slack"].fail(NotDelivered("ratelimited", retry_after=90.0), times=5)
    await week.figure("errors.new", "backend", 25.0)
    await week.to("Thu", "18:20")
    await week.figure("errors.new", "backend", 0.0)


async def crash_in_the_middle(week: Week) -> None:
    """Slack has the message and the bot does not know it yet; Discord has none. So it ends, for three minutes."""
    week.chats["slack"].hold_after_posting()
    week.chats["discord"].hold()
    week.world.set("service.unhealthy", "frontend", 1.0)
    posted = len(week.chats["slack"].posts)
    await week.round()
    week.clock.forward(60)
    await week.round(settle=False)
    await week.crash(lambda: len(week.chats["slack"].posts) > posted)
    for chat in week.chats.values():
        chat.let_go()
    week.clock.forward(180)
    await week.start()
    await week.to("Thu", "15:08")
    await week.presses("slack:ada", week.alert("slack", "컨테이너 비정상"), "확인")
    await week.figure("service.unhealthy", "frontend", 0.0)


async def friday(week: Week) -> None:
    """Ten thousand alerts in a minute, and one that matters among them; then a clock that jumps over the backup, and back."""
    await week.to("Fri", "11:00")
    routes = week.world.figures["health.bad"]
    routes |= dict.fromkeys(ROUTES, 1.0)
    week.world.set("disk.percent", "/data", 96.0)
    await week.to("Fri", "11:02", every=60)
    await week.presses("discord:2", week.alert("discord", "디스크"), "확인")
    await week.to("Fri", "11:06", every=120)
    routes |= dict.fromkeys(ROUTES, 0.0)
    week.world.set("disk.percent", "/data", 70.0)
    await week.to("Fri", "11:09", every=60)
    for route in ROUTES:
        del routes[route]
    await week.to("Fri", "23:00")
    week.clock.forward(4.5 * 3_600)
    await week.stir()
    week.clock.forward(120)
    await week.stir()
    week.clock.forward(-4.5 * 3_600)
    await week.stir()


async def weekend(week: Week) -> None:
    """An incident from an alert, which a remedy by button ends; the night in which Berlin leaves an hour out."""
    await week.to("Sat", "13:00")
    await week.figure("service.down", "frontend", 1.0)
    await week.to("Sat", "13:05")
    await week.presses("slack:olga", week.alert("slack", "컨테이너 꺼짐"), "사고 열기")
    await week.to("Sat", "13:10")
    await week.presses("slack:olga", week.alert("slack", "컨테이너 꺼짐"), "service start frontend")
    await week.to("Sat", "13:20")
    await week.types("slack:olga", "incident note 디스크 교체 뒤 정상")
    await week.types("slack:olga", "incident resolve 디스크를 바꾸고 다시 시작함")
    await week.to("Sun", "23:59")


async def test_a_week_is_told_exactly_as_expected(tmp_path: Path) -> None:
    async with a_week(tmp_path) as week:
        for day in (monday, tuesday, wednesday, thursday, friday, weekend):
            await day(week)
        assert not await week.app.store.read(alert_rows.all_open)
        assert [waiting for _, waiting, given_up, _ in await outbox.state(week.app.store) if waiting or given_up] == []
    for chat in week.chats.values():
        rows = [post.row for post in chat.posts.values()]
        assert len(rows) == len(set(rows)), "a message was posted twice"
        told, path = "\n".join(chat.told()) + "\n", GOLDEN / f"{chat.platform}.txt"
        if os.environ.get("VCC_GOLDEN") == "write":
            path.write_text(told, encoding="utf-8")
        assert told.splitlines() == path.read_text(encoding="utf-8").splitlines()
