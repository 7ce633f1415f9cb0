"""The native commands made from the catalogue: within Discord's rules, in two languages, and told apart when they do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import discord
import pytest

from bot.command import Between, Command, Duration, Group, Handler, Parameter, ServiceName
from bot.connectors.discord_tree import MORE, ROOT, Interaction, Languages, Maker, Texts, matching, roots, tree_of
from bot.context import Context
from bot.errors import Misconfigured
from bot.model import Reply, Risk
from bot.registry import Registry, discover
from bot.testing.bot import with_words, words_of
from bot.words import Words
from tests.platforms.discord.command_rules import check_commands


async def _use(interaction: Interaction, line: str) -> None:
    raise AssertionError(line)


async def _suggest(interaction: Interaction, parameter: Parameter, command: Command, current: str) -> Sequence[str]:
    raise AssertionError(current)


def maker_of(registry: Registry) -> Maker:
    return Maker(Words("en"), Texts(registry), _use, _suggest)


def registry_of(*groups: Group, text: str = "") -> Registry:
    said = {key: text or key for key in words_of(groups)}
    return Registry(groups, with_words(said))


def group_of(name: str, *children: str, handler: Handler | None = None) -> Group:
    group = Group(name)

    async def nothing(ctx: Context) -> Reply:
        return Reply("nothing")

    for child in children or (name,):
        group.command(child, Risk.READ, examples=(child,))(handler or nothing)
    return group


async def payload_of(registry: Registry) -> list[dict[str, Any]]:
    """What is sent to Discord."""
    client = discord.Client(intents=discord.Intents.none())
    tree = tree_of(client, registry, maker_of(registry), 1)
    await tree.set_translator(Languages())
    translator = tree.translator
    assert translator is not None
    return [await each.get_translated_payload(tree, translator) for each in tree.get_commands(guild=discord.Object(1))]


async def test_the_whole_catalogue_is_within_discords_rules() -> None:
    payload = await payload_of(Registry(discover()))
    check_commands(payload)
    assert payload[0]["name"] == ROOT


async def test_options_are_typed_as_they_were_declared() -> None:
    async def typed(
        ctx: Context,
        state: Literal["a", "b"],
        service: ServiceName = ServiceName(""),
        *,
        most_lines: Annotated[int, Between(1, 500)] = 5,
        since: Duration = Duration(1.0),
        deep: bool = False,
    ) -> Reply:
        return Reply("typed")

    (root,) = await payload_of(registry_of(group_of("try", "one", "two", handler=typed)))
    options = {option["name"]: option for option in root["options"][0]["options"][0]["options"]}
    assert {name: option["type"] for name, option in options.items()} == {"state": 3, "service": 3, "most-lines": 4, "since": 3, "deep": 5}
    assert (options["most-lines"]["min_value"], options["most-lines"]["max_value"]) == (1, 500)
    assert [choice["value"] for choice in options["state"]["choices"]] == ["a", "b"]
    assert (options["state"]["required"], options["service"]["required"]) == (True, False)
    assert (options["service"].get("autocomplete"), options["since"].get("autocomplete")) == (True, None)


async def test_descriptions_come_in_both_languages() -> None:
    (root,) = await payload_of(registry_of(group_of("try", "one")))
    assert root["description_localizations"] == {
        "ko": "VCC Manager 운영 명령",
        "en-US": "VCC Manager operations",
        "en-GB": "VCC Manager operations",
    }
    assert root["options"][0]["description_localizations"]["ko"] == "try 관련 명령"


async def test_more_than_twenty_five_groups_go_on_under_a_second_command() -> None:
    groups = [group_of(f"g{number:02}", "one") for number in range(27)] + [group_of("alone")]
    payload = await payload_of(registry_of(*groups))
    check_commands(payload)
    assert [(root["name"], len(root["options"])) for root in payload] == [(ROOT, 25), (MORE, 3)]
    assert payload[0]["options"][0]["name"] == "alone"


async def test_long_descriptions_are_shortened_and_then_spread() -> None:
    async def wordy(ctx: Context, *, one: str = "", two: str = "", three: str = "") -> Reply:
        return Reply("wordy")

    groups = [group_of(f"g{number:02}", *(f"c{child}" for child in range(8)), handler=wordy) for number in range(12)]
    payload = await payload_of(registry_of(*groups, text="말 " * 60))
    check_commands(payload)
    assert sum(len(root["options"]) for root in payload) == 12


def test_what_discord_would_refuse_is_told_all_together() -> None:
    wide = group_of("wide", *(f"c{number}" for number in range(26)))
    registry = registry_of(wide, group_of("strange", "Upper", "with space"))
    with pytest.raises(Misconfigured) as caught:
        roots(registry, maker_of(registry))
    told = "\n".join(caught.value.faults)
    for name in ("wide", "26", "Upper", "with space"):
        assert name in told


def test_suggestions_begin_with_what_was_typed() -> None:
    assert matching(["mongodb", "backend", "frontend", "end"], " END") == ["end", "backend", "frontend"]
    assert len(matching([str(number) for number in range(100)], "")) == 25
