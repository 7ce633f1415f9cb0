"""An incident on the real deployment: the status at once, a restart that was approved, and the container's start in the timeline."""

from __future__ import annotations

from bot.model import Outcome
from tests.commands.conftest import Bot


async def test_a_service_incident_tells_of_the_status_the_approved_restart_and_the_start(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    opened = await bot("incident open service 큐가 밀림 --service backend")
    assert opened.outcome is Outcome.DONE
    await bot.app.incidents.watch.round()
    assert (await bot("incident status 1")).data["steps"][0]["state"] == "done"
    await bot.approved("restart frontend")
    await bot.app.incidents.watch.round()
    shown = (await bot("incident status 1", who="vera")).data["timeline"]
    said = [(entry["what"], entry["person"], entry["text"]) for entry in shown]
    assert any(what == "command" and person == "olga" and text.startswith("restart frontend — ") for what, person, text in said)
    assert any(what == "command" and person == "ada" and text.startswith("approve ") for what, person, text in said)
    assert any(what == "service" and text.startswith("frontend") for what, _, text in said)
    again = len(shown)
    await bot.app.incidents.watch.round()
    assert len((await bot("incident status 1", who="vera")).data["timeline"]) == again
    ended = await bot("incident resolve 재시작으로 복구")
    assert ended.data["state"] == "resolved"
    text = ended.files[0].path.read_text(encoding="utf-8")
    assert "재시작으로 복구" in text
    assert "restart frontend" in text
