"""``logs tail`` on a real deployment, whose logs hold secrets, noise and errors as the real ones do."""

from __future__ import annotations

from itertools import pairwise

from bot.model import Outcome
from tests.commands.conftest import Bot, MakeBot, stop
from tests.commands.logs.conftest import Plant, said


async def test_the_newest_lines_of_all_services_are_in_the_order_of_time(bot: Bot, plant: Plant) -> None:
    await plant("one", service="frontend")
    await plant("two", service="backend")
    reply = await bot("logs tail --lines 500", "vera")
    times = [line["at"] for line in reply.data["lines"]]
    assert len(times) == 500
    # The two streams of one container overtake each other by microseconds, and the lines of one container keep their order.
    assert all(later > earlier - 0.01 for earlier, later in pairwise(times))
    assert len({line["service"] for line in reply.data["lines"]}) > 1


async def test_one_service_is_shown_alone(bot: Bot) -> None:
    reply = await bot("logs backend --lines 5")
    assert [line["service"] for line in reply.data["lines"]] == ["backend"] * 5
    assert reply.files == ()
    assert len(reply.code.splitlines()) == 5


async def test_many_lines_go_into_a_file(bot: Bot) -> None:
    reply = await bot("logs tail backend --lines 500")
    (file,) = reply.files
    assert len(file.path.read_text(encoding="utf-8").splitlines()) == 500
    assert len(reply.code) < 3_000


async def test_no_secret_is_shown_nor_written(bot: Bot, sandbox_secrets: tuple[str, ...]) -> None:
    everything = said(await bot("logs tail --lines 500"))
    assert "backend" in everything
    assert [secret for secret in sandbox_secrets if secret in everything] == []


async def test_signs_that_move_the_cursor_or_turn_the_writing_round_are_gone(bot: Bot, plant: Plant, word: str) -> None:
    await plant(f"\x1b[2J\x1b[31m{word}\x07\u202egnp.exe")
    reply = await bot("logs tail backend --lines 20")
    assert word in reply.code
    assert not set(said(reply)) & {"\x1b", "\x07", "\u202e"}


async def test_a_stopped_service_still_shows_its_log(bot: Bot, whole_sandbox: None) -> None:
    await stop(bot, "frontend")
    assert (await bot("logs tail frontend")).data["lines"]


async def test_what_cannot_be_meant_is_refused(bot: Bot) -> None:
    for line in ("logs tail --lines 0", "logs tail --lines 501", "logs tail bakend"):
        assert (await bot(line)).data["usage"] is True


async def test_without_docker_it_fails_with_what_to_do(make_bot: MakeBot) -> None:
    reply = await (await make_bot(DOCKER_HOST="unix:///nowhere/docker.sock"))("logs tail")
    assert reply.outcome is Outcome.FAILED
    assert "docker" in reply.text
