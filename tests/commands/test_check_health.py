"""``check health`` on a real deployment: whole, and with parts down; one verdict, the worst first."""

from __future__ import annotations

import time
from pathlib import Path

from bot.model import Outcome, Reply, Tone
from tests.certificates import Authority, serving
from tests.commands.conftest import Bot, MakeBot, stop

IN_TIME = 3.0


def verdicts(reply: Reply) -> dict[str, str]:
    return {each["kind"]: each["verdict"] for each in reply.data["checks"]}


async def test_a_whole_deployment_is_well_and_every_check_has_its_figure(bot_on_sandbox: Bot) -> None:
    began = time.perf_counter()
    reply = await bot_on_sandbox("check health", "vera")
    assert time.perf_counter() - began < IN_TIME
    assert (reply.outcome, reply.tone, reply.title) == (Outcome.DONE, Tone.GOOD, "모두 정상 (항목 7개)"), reply.text
    assert verdicts(reply) == dict.fromkeys(("containers", "backend", "page", "proxy", "mongodb", "redis", "queues"), "ok")
    figures = {each["kind"]: each["figures"] for each in reply.data["checks"]}
    assert figures["containers"] == {"running": 4, "total": 4}
    assert figures["proxy"]["status"] == 404
    assert figures["mongodb"]["collection"] == "imagegenerationjobs"
    assert figures["queues"]["queues"] == 1
    assert figures["queues"]["waiting"] >= 0  # what was seeded may be worked off by now
    assert all(each["took_ms"] > 0 and each["text"] and not each["hint"] for each in reply.data["checks"])
    assert "/health" in reply.footer


async def test_a_dead_database_is_bad_though_the_backend_says_ok(bot_on_sandbox: Bot) -> None:
    await stop(bot_on_sandbox, "mongodb")
    began = time.perf_counter()
    reply = await bot_on_sandbox("check health")
    assert time.perf_counter() - began < IN_TIME
    assert (reply.tone, reply.data["verdict"]) == (Tone.BAD, "bad")
    found = verdicts(reply)
    assert (found["backend"], found["proxy"], found["mongodb"], found["containers"]) == ("ok", "ok", "bad", "bad")
    assert "✘ mongodb: 연결 안 됨 → /vcc check connections" in reply.text


async def test_the_worst_stands_in_the_title_and_certificates_count(make_bot: MakeBot, whole_sandbox: None, tmp_path: Path) -> None:
    authority = Authority("Test CA")
    path = tmp_path / "soon.pem"
    path.write_bytes(authority.issue("vcc.example", days=(-80, 20.52)).pem)
    async with serving(authority.issue("vcc.example", names=("old.example",)), tmp_path) as port:
        bot = await make_bot(VCC_CERTS=f"{path},127.0.0.1:{port}")
        reply = await bot("check health")
    assert reply.title == f"장애 1건 — 127.0.0.1:{port}: 다른 이름의 인증서: old.example"
    assert "! soon.pem: 20일 뒤 만료" in reply.text
    assert str(tmp_path) not in reply.text
    certificates = [each for each in reply.data["checks"] if each["kind"] == "certificate"]
    assert [each["verdict"] for each in certificates] == ["warn", "bad"]
    assert certificates[1]["figures"]["problems"] == ["wrong_name", "untrusted"]


async def test_what_is_not_set_is_not_known_and_not_well(make_bot: MakeBot, whole_sandbox: None) -> None:
    reply = await (await make_bot(VCC_HEALTH_URLS="", MONGODB_URI=""))("check health")
    assert (reply.tone, reply.data["verdict"]) == (Tone.WARN, "unknown")
    assert "MONGODB_URI를 지정하세요." in reply.text
    assert reply.title.startswith("확인 못 한 항목 4개 — backend")
