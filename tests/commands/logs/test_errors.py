"""``logs errors``: classified, grouped and counted, from an index that outlives the logs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from bot.errors import RecordUnwritable
from bot.model import Outcome, Reply
from bot.ops.container_values import Service
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_position import LogPosition
from tests.commands.conftest import Bot, MakeBot
from tests.commands.logs.conftest import Plant, said


def group_of(reply: Reply, word: str) -> dict[str, Any]:
    """The one group whose example holds this word."""
    (found,) = [group for group in reply.data["groups"] if word in group["example"]]
    return dict(found)


async def test_errors_are_grouped_counted_and_dated(bot: Bot) -> None:
    reply = await bot("logs errors --since 2d", "vera")
    groups = reply.data["groups"]
    assert groups
    assert [group["count"] for group in groups] == sorted((group["count"] for group in groups), reverse=True)
    assert all(group["first_seen"] <= group["last_seen"] for group in groups)
    assert all(group["kind"] != "known" for group in groups)
    assert len({group["fingerprint"] for group in groups}) == len(groups)


async def test_harmless_noise_is_counted_apart(bot: Bot) -> None:
    reply = await bot("logs errors backend --since 7d")
    assert {group["kind"] for group in reply.data["known"]} == {"known"}


async def test_groups_beyond_the_limit_are_in_a_file(bot: Bot) -> None:
    reply = await bot("logs errors --since 7d --limit 2")
    assert len(reply.data["groups"]) == 2
    assert reply.data["groups_total"] > 2
    (file,) = reply.files
    assert "3. " in file.path.read_text(encoding="utf-8")


async def test_no_secret_is_in_an_example_nor_in_the_index(bot: Bot, plant: Plant, word: str, sandbox_secrets: tuple[str, ...]) -> None:
    await plant(f"Error: {word} redis://:{sandbox_secrets[0]}@redis:6379", f'    "password": "{sandbox_secrets[0]}"')
    everything = said(await bot("logs errors --since 7d --limit 50"))
    assert word in everything
    assert [secret for secret in sandbox_secrets if secret in everything] == []
    with sqlite3.connect(bot.app.settings.vcc_home / "vcc.db") as db:
        kept = "\n".join(f"{example} {trace}" for example, trace in db.execute("SELECT example, trace FROM error_groups"))
    db.close()
    assert word in kept
    assert [secret for secret in sandbox_secrets if secret in kept] == []


async def test_a_prompt_about_errors_is_no_error(bot: Bot, plant: Plant, word: str) -> None:
    await plant("Job 7 is waiting", f'  prompt: "hello error world {word}",', f"prompt was: error {word}")
    await plant(f'Validation input: {{ "prompt": "ECONNREFUSED {word}" }}')
    assert word not in said(await bot("logs errors --since 7d --limit 50"))


async def test_asking_again_adds_only_what_is_new(bot: Bot, plant: Plant, word: str) -> None:
    await plant(f"Error: {word} 1", f"Error: {word} 2")
    assert group_of(await bot("logs errors backend --limit 50"), word)["count"] == 2
    assert group_of(await bot("logs errors backend --limit 50"), word)["count"] == 2
    await plant(f"Error: {word} 3")
    found = group_of(await bot("logs errors backend --limit 50"), word)
    assert (found["count"], found["total"]) == (3, 3)
    assert found["example"].endswith("3")


async def test_what_first_came_after_the_last_start_is_new(bot: Bot, plant: Plant, word: str) -> None:
    await plant(f"Error: fresh {word}")
    reply = await bot("logs errors backend --since 7d --limit 50")
    assert group_of(reply, word)["new"] is True
    assert not all(group["new"] for group in reply.data["groups"])  # the log began before the service was started
    only = await bot("logs errors backend --since 7d --new --limit 50")
    assert only.data["groups"] == [group for group in reply.data["groups"] if group["new"]]
    assert reply.data["new_total"] == len(only.data["groups"])


async def test_the_index_answers_for_services_that_cannot_be_read_any_more(
    make_bot: MakeBot, plant: Plant, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await make_bot()
    await plant(f"Error: {word}")
    await bot("logs errors")

    async def gone() -> Sequence[Service]:
        return ()

    monkeypatch.setattr(bot.app.ops.containers, "services", gone)
    assert group_of(await bot("logs errors backend --limit 50"), word)["count"] == 1
    assert (await bot("logs errors nowhere")).data["usage"] is True


async def test_with_docker_down_what_is_on_record_is_told(make_bot: MakeBot, plant: Plant, word: str) -> None:
    await plant(f"Error: {word}")
    before = await make_bot()
    await before("logs errors")
    after = await make_bot(DOCKER_HOST="unix:///nowhere/docker.sock", VCC_HOME=str(before.app.settings.vcc_home))
    reply = await after("logs errors backend --limit 50")
    assert group_of(reply, word)["count"] == 1
    assert "docker" in reply.text


async def test_without_docker_and_without_a_record_it_fails_with_what_to_do(make_bot: MakeBot) -> None:
    reply = await (await make_bot(DOCKER_HOST="unix:///nowhere/docker.sock"))("logs errors")
    assert reply.outcome is Outcome.FAILED
    assert "docker" in reply.text


async def test_when_the_index_cannot_be_used_the_logs_are_read(bot: Bot, plant: Plant, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise RecordUnwritable("disk full")

    monkeypatch.setattr(bot.app.errors, "catch_up", full)
    await plant(f"Error: {word}")
    reply = await bot("logs errors backend --limit 50")
    assert (reply.data["indexed"], group_of(reply, word)["count"]) == (False, 1)


async def test_two_programs_on_one_state_count_every_error_once(make_bot: MakeBot, plant: Plant, word: str) -> None:
    one = await make_bot()
    two = await make_bot(VCC_HOME=str(one.app.settings.vcc_home))
    await plant(*(f"Error: {word} {number}" for number in range(20)))
    services = await one.app.ops.containers.services()
    overlapping = Overlapping(one.app.ops.logs.errors, lambda: two.app.errors.catch_up(services, 30))
    one.app.errors._logs = overlapping
    assert group_of(await one("logs errors backend --limit 50"), word)["count"] == 20
    assert overlapping.overtaken


class Overlapping:
    """Reads like the real one, and is overtaken by somebody before it can say so."""

    def __init__(self, read: Any, meanwhile: Any) -> None:
        self._read = read
        self._meanwhile = meanwhile
        self.overtaken = False

    async def errors(self, service: Service, grouper: ErrorGrouper, **where: Any) -> LogPosition:
        """The first time somebody else reads and counts meanwhile."""
        position: LogPosition = await self._read(service, grouper, **where)
        if not self.overtaken:
            self.overtaken = True
            await self._meanwhile()
        return position


async def test_what_cannot_be_meant_is_refused(bot: Bot) -> None:
    for words in ("--since 1s", "--since 99999d", "--since 2999-01-01", "nobody", "--limit 0"):
        assert (await bot(f"logs errors {words}")).data["usage"] is True, words
