"""What a container holds of secrets is known before anything of it is kept, also what no text would be searched for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.redact import Redactor
from bot.security.evidence import secrets_of, without_values


def inspected(password: str) -> dict[str, Any]:
    command = ["redis-server", "--appendonly", "yes", "--requirepass", password]
    return {
        "Path": "redis-server",
        "Args": command[1:],
        "Config": {"Env": ["TZ=Asia/Seoul"], "Cmd": command, "Healthcheck": {"Test": ["CMD", "redis-cli", "-a", password, "ping"]}},
    }


@pytest.mark.parametrize("password", ["password", "k3y", "Zq9vT7-long-enough"])
def test_a_password_in_a_command_is_hidden_also_when_it_is_short_or_a_common_word(password: str) -> None:
    redactor, told = Redactor(), inspected(password)
    redactor.learn(secrets_of(told))
    assert f'"{password}"' not in json.dumps(redactor.value(without_values(told)))


def test_the_program_after_a_shells_line_is_no_secret() -> None:
    told = {"Config": {"Entrypoint": ["sh", "-c", "exec redis-server --requirepass $REDIS_PASSWORD"], "Cmd": ["redis-server"]}}
    assert secrets_of(told) == []
