"""``check connections`` and ``check health`` on both grounds: a real container is asked from inside, and real nginx is walked through."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from bot.connectors import plain
from bot.model import Outcome, Reply
from tests.grounds.conftest import Ask
from tests.grounds.ground import Ground
from tests.parts import absent, on_path

DRIVERS = {"mongodb": "mongoose", "redis": "ioredis"}


def needs_node(ground: Ground) -> None:
    """The sandbox's containers have the machine's programs."""
    if ground.name == "sandbox" and on_path("node") is None:
        absent("no node: install Node.js")


def checked(reply: Reply) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in reply.data["checks"]}


async def test_the_backend_is_asked_from_inside_and_reaches_both_servers(ground: Ground, ask: Ask) -> None:
    needs_node(ground)
    for _ in range(3):  # what takes too long inside once only may be the machine's fault
        reply = await ask("check connections", "vera")
        if reply.data["verdict"] == "ok":
            break
    inside = reply.data["inside"]
    assert (reply.outcome, reply.data["verdict"], inside["obstacle"]) == (Outcome.DONE, "ok", None), reply.text
    assert [(each["name"], each["trouble"]) for each in inside["targets"]] == [("mongodb", ""), ("redis", "")]
    assert all(each["connect_ms"] > 0 and each["took_ms"] < 6000 for each in inside["targets"])
    if ground.name == "docker":
        assert {each["name"]: each["how"] for each in inside["targets"]} == DRIVERS
        assert [(each["host"], each["auth_ok"], each["read_ok"]) for each in inside["targets"]] == [
            ("mongodb", True, True),
            ("redis", True, True),
        ]
        assert not any(ipaddress.ip_address(each["addresses"][0]).is_loopback for each in inside["targets"])
    said = json.dumps(plain.as_json(reply)) + plain.text(reply)
    assert not [secret for secret in ground.secrets if secret in said]


async def test_a_stopped_mongodb_is_told_from_inside_and_the_backends_own_health_is_not_believed(ground: Ground, ask: Ask) -> None:
    needs_node(ground)
    ground.stop("mongodb")
    connections = await ask("check connections")
    assert [(each["name"], bool(each["trouble"])) for each in connections.data["inside"]["targets"]] == [
        ("mongodb", True),
        ("redis", False),
    ]
    assert "/vcc service start mongodb" in connections.text
    found = checked(await ask("check health"))
    assert (found["backend"]["verdict"], found["mongodb"]["verdict"], found["containers"]["verdict"]) == ("ok", "bad", "bad")


async def test_a_whole_deployment_is_asked_for_something_real_in_every_part(ground: Ground, ask: Ask) -> None:
    with ground.mongo() as mongo:
        mongo["vcc-manager"]["imagegenerationjobs"].insert_one({"status": "cancelled"})  # a new deployment has nothing to read
    found = checked(await ask("check health", "vera"))
    kinds = ("backend", "page", "proxy", "mongodb", "redis")
    assert {kind: (found[kind]["verdict"], found[kind]["text"]) for kind in kinds if found[kind]["verdict"] != "ok"} == {}
    assert found["proxy"]["figures"]["status"] == 404
    assert found["containers"]["figures"] == {"running": 4, "total": 4} or found["containers"]["verdict"] == "warn"


async def test_nginx_before_a_dead_backend_serves_its_page_and_is_not_taken_for_well(ground: Ground, ask: Ask) -> None:
    ground.stop("backend")
    found = checked(await ask("check health"))
    assert (found["page"]["verdict"], found["proxy"]["verdict"], found["backend"]["verdict"]) == ("ok", "bad", "bad")
    assert found["proxy"]["state"] in ("bad", "silent")
