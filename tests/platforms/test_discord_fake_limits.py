"""The limits and rights the fake enforces, asked on the wire without any library. Knows nothing of our bot."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from .discord import FakeDiscord, Oracle
from .discord.command_rules import GROUP as SUBGROUP
from .discord.command_rules import STRING, SUBCOMMAND
from .discord.records import SEND_MESSAGES, VIEW_CHANNEL

Json = dict[str, Any]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        server.rest.limits.set("create", "^POST /channels/", 1000, 1.0)
        yield server


async def ask(fake: FakeDiscord, method: str, path: str, body: Any = None, files: dict[str, bytes] | None = None) -> tuple[int, Any]:
    """One request with the bot's token."""
    options: Json = {"json": body}
    if files is not None:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", json.dumps(body))
        for index, (name, data) in enumerate(files.items()):
            form.add_field(f"files[{index}]", io.BytesIO(data), filename=name, content_type="application/octet-stream")
        options = {"data": form}
    headers = {"Authorization": f"Bot {fake.token}"}
    async with aiohttp.ClientSession() as session, session.request(method, fake.api_url + path, headers=headers, **options) as answer:
        return answer.status, await answer.json() if answer.status != 204 else None


def button(**changes: Any) -> Json:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": "go"} | changes


def rows(*rows_of: list[Json]) -> Json:
    return {"content": "x", "components": [{"type": 1, "components": row} for row in rows_of]}


def select(**changes: Any) -> Json:
    return {"type": 3, "custom_id": "pick", "options": [{"label": "a", "value": "a"}]} | changes


OPTIONS_26 = [{"label": str(number), "value": str(number)} for number in range(26)]
BIG_FIELDS = [{"name": "n", "value": "v" * 1000}] * 6


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"content": "x" * 2001}, "content"),
        ({"content": "x", "embeds": [{"title": "t"}] * 11}, "embeds"),
        ({"embeds": [{"title": "t" * 257}]}, "embeds.0.title"),
        ({"embeds": [{"description": "t" * 4097}]}, "embeds.0.description"),
        ({"embeds": [{"footer": {"text": "t" * 2049}}]}, "embeds.0.footer.text"),
        ({"embeds": [{"author": {"name": "t" * 257}}]}, "embeds.0.author.name"),
        ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds.0.fields"),
        ({"embeds": [{"fields": [{"name": "n" * 257, "value": "v"}]}]}, "embeds.0.fields.0.name"),
        ({"embeds": [{"fields": [{"name": "n", "value": "v" * 1025}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"fields": [{"name": "n", "value": ""}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"fields": BIG_FIELDS}]}, "embeds"),
        (rows(*[[button(custom_id=str(number))] for number in range(6)]), "components"),
        (rows([button(custom_id=str(number)) for number in range(6)]), "components.0.components"),
        (rows([button(label="x" * 81)]), "components.0.components.0.label"),
        (rows([button(custom_id="x" * 101)]), "components.0.components.0.custom_id"),
        (rows([button(), button()]), "components"),
        (rows([button(style=5)]), "components.0.components.0.url"),
        (rows([select(options=OPTIONS_26)]), "components.0.components.0.options"),
        (rows([select(placeholder="x" * 151)]), "components.0.components.0.placeholder"),
        (rows([select(), button()]), "components.0.components"),
        ({"content": "x", "components": [{"type": 10, "content": "only in V2"}]}, "components.0.type"),
        ({"content": "x", "flags": 1 << 15, "components": [{"type": 10, "content": "t"}]}, "content"),
        ({"flags": 1 << 15, "components": [{"type": 10, "content": "t"}] * 41}, "components"),
        ({"flags": 1 << 15, "components": [{"type": 10, "content": "t" * 2500}] * 2}, "components"),
        ({"content": "x", "flags": 64}, "flags"),
        ({"content": "x", "nonce": "n" * 26}, "nonce"),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, "allowed_mentions"),
    ],
)
async def test_a_message_beyond_a_limit_is_refused_where_it_is_wrong(fake: FakeDiscord, body: Json, where: str) -> None:
    ops = fake.add_channel("ops")
    status, answer = await ask(fake, "POST", f"/channels/{ops}/messages", body)
    assert (status, answer["code"]) == (400, 50035)
    fault = answer["errors"]
    for step in where.split("."):
        fault = fault[step]
    assert fault["_errors"]
    assert fake.messages(ops) == []


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2000},
        {"embeds": [{"title": "t" * 256, "description": "d" * 4096, "footer": {"text": "f" * 1648}}]},
        rows(*[[button(custom_id=f"{row}-{column}") for column in range(5)] for row in range(5)]),
        rows([select(options=OPTIONS_26[:25])]),
        {"flags": 1 << 15, "components": [{"type": 17, "components": [{"type": 10, "content": "t" * 4000}]}]},
        {"content": "배포 완료 " * 100, "allowed_mentions": {"parse": []}},
    ],
)
async def test_a_message_at_the_limit_is_taken(fake: FakeDiscord, body: Json) -> None:
    ops = fake.add_channel("ops")
    assert (await ask(fake, "POST", f"/channels/{ops}/messages", body))[0] == 200
    assert len(fake.messages(ops)) == 1


async def test_an_empty_message_is_refused(fake: FakeDiscord) -> None:
    ops = fake.add_channel("ops")
    assert (await ask(fake, "POST", f"/channels/{ops}/messages", {"content": " "}))[1]["code"] == 50006


async def test_files_are_kept_to_ten_mebibytes_and_replaced_on_edit(fake: FakeDiscord) -> None:
    ops = fake.add_channel("ops")
    path, mebibytes = f"/channels/{ops}/messages", 1024 * 1024
    assert (await ask(fake, "POST", path, {}, {"big.bin": b"x" * (10 * mebibytes + 1)}))[0] == 413
    three = {f"{number}.bin": b"x" * (9 * mebibytes) for number in range(3)}
    assert (await ask(fake, "POST", path, {}, three))[0] == 413
    status, sent = await ask(fake, "POST", path, {}, {"a.txt": b"a", "b.txt": b"b"})
    assert (status, [file["size"] for file in sent["attachments"]]) == (200, [1, 1])
    keep = {"attachments": [{"id": sent["attachments"][1]["id"]}]}
    assert (await ask(fake, "PATCH", f"{path}/{sent['id']}", keep))[0] == 200
    assert [(file.filename, file.data) for file in fake.messages(ops)[0].attachments] == [("b.txt", b"b")]


async def test_a_picture_is_shown_under_a_name_discord_keeps_and_described_in_1024_characters(fake: FakeDiscord) -> None:
    path = f"/channels/{fake.add_channel('ops')}/messages"

    def showing(name: str, description: str = "") -> Json:
        embeds = [{"image": {"url": f"attachment://{name}"}}]
        return {"embeds": embeds, "attachments": [{"id": 0, "filename": name, "description": description}]}

    status, sent = await ask(fake, "POST", path, showing("a-1.png", "x" * 1024), {"a-1.png": b"png"})
    assert (status, sent["embeds"][0]["image"]["url"]) == (200, sent["attachments"][0]["url"])
    assert (await ask(fake, "POST", path, showing("a.png", "x" * 1025), {"a.png": b"png"}))[1]["code"] == 50035
    assert (await ask(fake, "POST", path, showing("그림.png"), {"그림.png": b"png"}))[1]["code"] == 50035
    assert (await ask(fake, "POST", path, {"embeds": showing("a.png")["embeds"]}, {"b.png": b"png"}))[1]["code"] == 50035


async def test_rights_are_checked(fake: FakeDiscord) -> None:
    ops = fake.add_channel("ops")
    path = f"/channels/{ops}/messages"
    fake.deny(ops, SEND_MESSAGES)
    assert (await ask(fake, "POST", path, {"content": "x"}))[1]["code"] == 50013
    fake.deny(ops, VIEW_CHANNEL)
    assert (await ask(fake, "POST", path, {"content": "x"}))[1]["code"] == 50001
    assert (await ask(fake, "POST", "/channels/1/messages", {"content": "x"}))[1]["code"] == 10003
    fake.token = "another"
    assert (await ask(fake, "GET", "/users/@me"))[0] == 401


async def test_old_messages_take_few_edits(fake: FakeDiscord) -> None:
    ops = fake.add_channel("ops")
    _, sent = await ask(fake, "POST", f"/channels/{ops}/messages", {"content": "0"})
    fake.clock.advance(3601)
    answers = [await ask(fake, "PATCH", f"/channels/{ops}/messages/{sent['id']}", {"content": str(n)}) for n in range(1, 5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429]
    assert answers[3][1]["code"] == 30046
    assert fake.messages(ops)[0].content == "3"
    assert fake.messages(ops)[0].edits == ["0", "1", "2"]


async def test_only_allowed_mentions_notify(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    admins = fake.add_role("admins")
    path, text = f"/channels/{ops}/messages", f"@everyone @here <@{ada}> <@&{admins}>"
    await ask(fake, "POST", path, {"content": text, "allowed_mentions": {"parse": []}})
    await ask(fake, "POST", path, {"embeds": [{"description": text}]})
    assert fake.notifications == []
    await ask(fake, "POST", path, {"content": text, "allowed_mentions": {"users": [str(ada)]}})
    assert [target for _, target in fake.notifications] == [f"<@{ada}>"]
    await ask(fake, "POST", path, {"content": text})
    assert [target for _, target in fake.notifications][1:] == text.split()


def command(**changes: Any) -> Json:
    return {"name": "vcc", "description": "d", "type": 1} | changes


def option(**changes: Any) -> Json:
    return {"name": "o", "description": "d", "type": STRING} | changes


WIDE = [option(description="d" * 100, name=f"o{number}") for number in range(5)]
DEEP = option(type=SUBGROUP, name="g", options=[option(type=SUBGROUP, name="h", options=[option(type=SUBCOMMAND, name="s")])])


@pytest.mark.parametrize(
    "commands",
    [
        [command(name="Deploy")],
        [command(name="two words")],
        [command(name="x" * 33)],
        [command(name="a.b")],
        [command(description="")],
        [command(description="d" * 101)],
        [command(), command()],
        [command(name=f"c{number}") for number in range(101)],
        [command(options=[option(name=f"o{number}") for number in range(26)])],
        [command(options=[option(), option()])],
        [command(options=[option(), option(name="p", required=True)])],
        [command(options=[option(), option(type=SUBCOMMAND, name="s")])],
        [command(options=[DEEP])],
        [command(options=[option(choices=[{"name": str(n), "value": str(n)} for n in range(26)])])],
        [command(options=[option(choices=[{"name": "n" * 101, "value": "v"}])])],
        [command(options=[option(choices=[{"name": "n", "value": 1}])])],
        [command(options=[option(choices=[{"name": "n", "value": "v"}], autocomplete=True)])],
        [command(name_localizations={"ko": "배 포"})],
        [command(name_localizations={"kr": "배포"})],
        [command(description_localizations={"ko": "가" * 101})],
        [command(options=[option(name=f"s{number}", type=SUBCOMMAND, options=WIDE) for number in range(25)])],
    ],
)
async def test_commands_that_break_a_rule_are_not_registered(fake: FakeDiscord, commands: list[Json]) -> None:
    path = f"/applications/{fake.application_id}/guilds/{fake.guild_id}/commands"
    assert (await ask(fake, "PUT", path, [command(name="kept")]))[0] == 200
    assert (await ask(fake, "PUT", path, commands))[0] == 400
    assert [registered["name"] for registered in fake.commands] == ["kept"]


async def test_commands_keep_their_ids_and_can_be_korean(fake: FakeDiscord) -> None:
    path = f"/applications/{fake.application_id}/guilds/{fake.guild_id}/commands"
    korean = command(name="배포", name_localizations={"ko": "배포"}, default_member_permissions=0)
    _, first = await ask(fake, "PUT", path, [korean])
    _, second = await ask(fake, "PUT", path, [command(), korean])
    assert [registered["id"] for registered in second if registered["name"] == "배포"] == [first[0]["id"]]
    assert second[1]["default_member_permissions"] == "0"
    assert (await ask(fake, "PUT", "/applications/1/commands", []))[1]["code"] == 50001


async def test_a_hidden_command_is_offered_to_administrators_only(fake: FakeDiscord) -> None:
    ops, ada, ben = fake.add_channel("ops"), fake.add_member("ada"), fake.add_member("ben")
    fake.add_role("admins", [ada], permissions=1 << 3)
    path = f"/applications/{fake.application_id}/guilds/{fake.guild_id}/commands"
    await ask(fake, "PUT", path, [command(default_member_permissions=0)])
    assert (await fake.slash(ada, ops, "vcc")).payload["data"]["name"] == "vcc"
    with pytest.raises(ValueError, match="hidden"):
        await fake.slash(ben, ops, "vcc")


async def test_answers_of_the_wrong_kind_are_refused(fake: FakeDiscord) -> None:
    ops, ada = fake.add_channel("ops"), fake.add_member("ada")
    await ask(fake, "PUT", f"/applications/{fake.application_id}/commands", [command()])
    delivery = await fake.slash(ada, ops, "vcc")
    path, webhook = f"/interactions/{delivery.id}/{delivery.token}/callback", f"/webhooks/{fake.application_id}/{delivery.token}"
    assert (await ask(fake, "POST", webhook, {"content": "early"}))[1]["code"] == 10015
    for wrong in [{"type": 7, "data": {"content": "x"}}, {"type": 8}, {"type": 5, "data": {"flags": 1 << 15}}, {"type": 4, "data": {}}]:
        assert (await ask(fake, "POST", path, wrong))[0] == 400
    assert (await ask(fake, "POST", path, {"type": 5, "data": {"flags": 64}}))[0] == 204
    assert (await ask(fake, "POST", path, {"type": 4, "data": {"content": "x"}}))[1]["code"] == 40060
    assert delivery.message is not None
    assert (delivery.message.loading, delivery.message.ephemeral_to) == (True, ada)
    assert (await ask(fake, "POST", webhook, {"content": "first"}))[1]["id"] == str(delivery.message_id)
    assert (await ask(fake, "GET", f"/channels/{ops}/messages/{delivery.message_id}"))[1]["code"] == 10008
    assert (await ask(fake, "GET", f"{webhook}/messages/@original"))[1]["content"] == "first"
    assert (await ask(fake, "DELETE", f"{webhook}/messages/@original"))[0] == 204
    assert (await ask(fake, "PATCH", f"{webhook}/messages/@original", {"content": "gone"}))[1]["code"] == 10008


@pytest.mark.skipif(not Oracle.present(), reason="Discord's OpenAPI description is not beside this repository")
async def test_the_oracle_refuses_what_discords_own_description_does_not_know() -> None:
    async with FakeDiscord(oracle=True) as fake:
        ops = fake.add_channel("ops")
        status, answer = await ask(fake, "POST", f"/channels/{ops}/messages", {"content": "x", "embeds": [{"color": "red"}]})
        assert (status, answer["code"]) == (400, 50035)
        assert len(fake.violations) == 1
        assert "'red'" in fake.violations[0]
        assert Oracle().faults_in_answer("GET", "/users/@me", 200, {"id": 1})
