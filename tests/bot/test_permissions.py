"""Who may do what, where; what is not plainly allowed is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command import Command
from bot.config import read
from bot.errors import Forbidden
from bot.model import Account, Place, Risk, Role
from bot.permissions import Permissions, system_account
from bot.registry import Registry, discover
from bot.testing.bot import Bot
from tests.bot.demo import Demo
from tests.bot.test_approvals import reason

OPS, CONSOLE = Place("slack", "OPS"), Place("local", "console")
HOUSE = list(Registry(discover()))
ABOVE_READ = [command for command in HOUSE if command.risk is not Risk.READ]


def team(**settings: str) -> Permissions:
    """A team from its settings, as they are written."""
    people = {"VCC_ADMINS": "slack:A=discord:1=local:ada,slack-group:S1", "VCC_OPERATORS": "slack:O", "VCC_VIEWERS": "slack:V"}
    environment = {**people, "VCC_CHANNEL_OPS": "slack:OPS,discord:100", "VCC_CHANNEL_ALERTS": "slack:ALERTS"}
    return Permissions(read({**environment, **{name.upper(): value for name, value in settings.items()}}, None))


def key_of(permissions: Permissions, who: str, place: Place = OPS) -> str:
    """The key of a refusal to be heard here; empty when admitted."""
    try:
        permissions.admit(Account.parse(who), place)
    except Forbidden as refusal:
        return refusal.key
    return ""


# ---------------------------------------------------------------- every command of the house
@pytest.mark.parametrize("command", HOUSE, ids=lambda command: command.name)
def test_a_stranger_is_refused_every_command(command: Command) -> None:
    with pytest.raises(Forbidden):
        team().require(team().person(Account("slack", "nobody")), command)
    assert key_of(team(), "slack:nobody") == "permissions.unknown_account"


@pytest.mark.parametrize("command", ABOVE_READ, ids=lambda command: command.name)
def test_a_viewer_is_refused_every_command_that_changes_something(command: Command) -> None:
    with pytest.raises(Forbidden) as refusal:
        team().require(team().person(Account("slack", "V")), command)
    assert refusal.value.key == "permissions.too_low"
    assert refusal.value.values["helpers"] != "-"


@pytest.mark.parametrize("command", ABOVE_READ, ids=lambda command: command.name)
def test_nothing_above_read_is_open_to_less_than_an_operator(command: Command) -> None:
    assert command.role >= Role.OPERATOR


@pytest.mark.parametrize("line", ["demo change a", "demo wipe", "wipe", "approve 1", "deny 1"])
@pytest.mark.parametrize("who", ["slack:zed", "slack:vera", "local:vera", "local:zed", "discord:99"])
async def test_a_stranger_and_a_viewer_change_nothing_at_any_door(bot: Bot, demo: Demo, who: str, line: str) -> None:
    assert reason(await bot.types(who, line)) in ("permissions.unknown_account", "permissions.too_low")
    assert demo.ran == []
    assert await bot.app.approvals.open() == []


# ---------------------------------------------------------------- places
def test_an_unknown_channel_is_refused_even_to_an_admin() -> None:
    assert key_of(team(), "slack:A", Place("slack", "RANDOM")) == "permissions.unknown_place"
    assert key_of(team(), "slack:A", Place("slack", "D1", direct=True)) == "permissions.unknown_place"
    assert key_of(team(), "slack:A", Place("slack", "ops")) == "permissions.unknown_place"


def test_a_channel_of_one_platform_is_not_one_of_another() -> None:
    assert key_of(team(), "discord:1", Place("discord", "OPS")) == "permissions.unknown_place"
    assert key_of(team(), "slack:A", Place("discord", "100")) == "permissions.unknown_place"


def test_a_known_channel_admits_and_its_threads_too() -> None:
    assert key_of(team(), "slack:A", Place("slack", "ALERTS", "17.3")) == ""
    assert key_of(team(), "discord:1", Place("discord", "100")) == ""


def test_without_any_channel_every_chat_is_refused() -> None:
    assert key_of(team(vcc_channel_ops="", vcc_channel_alerts=""), "slack:A") == "permissions.unknown_place"


def test_a_chat_account_cannot_speak_at_the_terminal() -> None:
    assert key_of(team(), "slack:A", CONSOLE) == "permissions.console_off"


def test_the_console_can_be_switched_off_for_everybody() -> None:
    off = team(vcc_console="off")
    assert key_of(off, "local:ada", CONSOLE) == "permissions.console_off"
    assert key_of(off, str(system_account()), CONSOLE) == "permissions.console_off"


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_the_systems_user_has_the_consoles_role(role: str) -> None:
    assert team(vcc_console=role).admit(system_account(), CONSOLE).role is Role[role.upper()]


def test_the_systems_user_keeps_the_role_of_the_settings_when_listed() -> None:
    permissions = team(vcc_console="admin", vcc_viewers=str(system_account()))
    assert permissions.admit(system_account(), CONSOLE).role is Role.VIEWER


# ---------------------------------------------------------------- people
def test_a_persons_accounts_share_their_highest_role() -> None:
    permissions = team(vcc_viewers="slack:A=slack:A2")
    assert permissions.person(Account("slack", "A2")).role is Role.ADMIN
    assert permissions.accounts_of(Account("discord", "1")) == permissions.accounts_of(Account("slack", "A2"))


def test_entries_that_share_an_account_are_one_person_however_many() -> None:
    permissions = team(vcc_admins="slack:1=discord:1,discord:1=local:x,local:x=slack:9")
    assert len(permissions.accounts_of(Account("slack", "1"))) == 4
    with pytest.raises(Forbidden) as refusal:
        permissions.require_approver(permissions.person(Account("slack", "9")), Account("slack", "9"), Account("slack", "1"))
    assert refusal.value.key == "permissions.own_request"


def test_accounts_are_compared_whole() -> None:
    for other in ("slack:a", "slack:A ", "discord:A", "slack:A1", "slack:"):
        platform, _, name = other.partition(":")
        assert team().person(Account(platform, name)).role is Role.NOBODY


def test_a_group_grants_its_role_to_its_members_only() -> None:
    permissions, member = team(), Account("slack", "M")
    assert permissions.person(member, [Account("slack-group", "S1")]).role is Role.ADMIN
    assert permissions.person(member, [Account("slack-group", "S2")]).role is Role.NOBODY
    assert permissions.person(member, [Account("discord-role", "S1")]).role is Role.NOBODY


def test_a_team_without_people_admits_nobody() -> None:
    nobody = team(vcc_admins="", vcc_operators="", vcc_viewers="")
    assert key_of(nobody, "slack:A") == "permissions.unknown_account"
    assert nobody.who(Role.ADMIN) == "-"


def test_explain_says_where_each_right_comes_from() -> None:
    assert team(vcc_viewers="slack:A").explain(Account("local", "ada")) == {"discord:1": "admin", "local:ada": "admin", "slack:A": "admin"}


def test_people_are_found_by_their_role_on_a_platform_and_by_the_name_they_are_written_with() -> None:
    them = Permissions(read({"VCC_ADMINS": "slack:A=local:ada,slack-group:S", "VCC_OPERATORS": "slack:O", "VCC_VIEWERS": "slack:V"}, None))
    assert them.people_on("slack", Role.OPERATOR) == (Account("slack", "A"), Account("slack", "O"))
    assert them.accounts_named("ada") == (Account("local", "ada"), Account("slack", "A"))
    assert them.accounts_named("slack:G") == (Account("slack", "G"),)
    assert them.accounts_named("nobody") == ()


ACCOUNTS = st.sampled_from([Account(platform, name) for platform in ("slack", "discord", "local") for name in "ABCD"])


@given(st.lists(st.lists(ACCOUNTS, min_size=1, max_size=3), max_size=6), ACCOUNTS, ACCOUNTS)
def test_however_people_are_listed_nobody_approves_themselves(entries: list[list[Account]], asker: Account, approver: Account) -> None:
    listed = ",".join("=".join(map(str, entry)) for entry in entries)
    permissions = Permissions(read({"VCC_ADMINS": listed}, None))
    same = asker in permissions.accounts_of(approver)
    assert same == (approver in permissions.accounts_of(asker))
    try:
        permissions.require_approver(permissions.person(approver), approver, asker)
    except Forbidden:
        return
    assert not same
    assert asker != approver


def test_the_test_walks_the_real_house() -> None:
    assert {"approve", "deny"} <= {command.name for command in ABOVE_READ}
    assert (Path(__file__).parents[2] / "commands" / "approve.py").is_file()
