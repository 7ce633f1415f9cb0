"""An alert by mail, through a real mail server: opened, nobody is at it, the next one is called, over; no letter comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.testing.bot import Bot, a_bot
from tests.bot.alerted import STATE, looks, rule
from tests.mail_parts import MailBox, mail_server, text_of

NOW: Mapping[str, Any] = {
    **STATE,
    **{"title": {"ko": "서비스 꺼짐", "en": "Down"}, "for": "0s", "clear_for": "0s", "remedy": None, "repeat": "5m"},
}
TEAM = """
[[contact]]
name = "김온콜"
accounts = ["slack:ada"]
mail = "kim@example.org"
[[contact]]
name = "이당직"
accounts = ["slack:ben"]
mail = "lee@example.org"
"""


@asynccontextmanager
async def delivering(bot: Bot) -> AsyncIterator[None]:
    """With every connector of the settings."""
    bot.app.connect()
    running = asyncio.create_task(bot.app.run())
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_alert_is_one_conversation_in_every_mailbox(tmp_path: Path) -> None:
    down, box = rule(NOW), MailBox()
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "oncall.toml").write_text(TEAM)
    async with mail_server(box) as port:
        settings: dict[str, Any] = {
            "vcc_smtp_url": f"smtp://127.0.0.1:{port}?from=vcc@example.org",
            "vcc_alert_email": ("ops@example.org",),
            "vcc_team_dir": tmp_path / "team",
            "vcc_lang": "ko",
        }
        async with a_bot(tmp_path, running=False, **settings) as bot, delivering(bot):
            await looks(bot, down, backend=1.0)
            await bot.shown("mail")
            for _ in range(3):  # repeats, which are for the thread only
                await looks(bot, down, after=300, backend=1.0)
            await bot.app.calling.escalation.round()
            await bot.shown("mail")
            await looks(bot, down, backend=0.0)
            await bot.shown("mail")
    ops = [letter for letter, recipient in zip(box.letters, box.recipients, strict=True) if recipient == "ops@example.org"]
    assert [text_of(letter).splitlines()[0] for letter in ops] == [
        "✘ [위험] 서비스 꺼짐 · backend",
        "✘ 15분째 응답이 없어 이당직을 호출합니다",
        "✔ 복구됨: 서비스 꺼짐 · backend (15분 30초 만에)",
    ]
    assert len({letter["References"].split()[0] for letter in ops}) == 1
    (lee,) = [letter for letter, recipient in zip(box.letters, box.recipients, strict=True) if recipient == "lee@example.org"]
    assert "  확인: /vcc alert ack 1" in text_of(lee)
    assert "kim@example.org" not in box.recipients
