"""Groups are looked up on their platform; a lookup that fails grants nothing new."""

from __future__ import annotations

import pytest

from bot.config import read
from bot.errors import Forbidden, RecordUnwritable, TimedOut, Unreachable
from bot.gate import FRESH, REST, USABLE, Gate
from bot.model import Account, Invocation, Place, Role
from bot.permissions import Permissions
from bot.testing.clock import Clock

MEMBER, STAFF = Account("slack", "M"), Account("slack-group", "S1")


class Roster:
    """A platform's groups; ``down`` makes it unreachable."""

    def __init__(self) -> None:
        self.groups = frozenset({STAFF})
        self.down = False
        self.hangs = False
        self.asked = 0

    async def groups_of(self, account: Account) -> frozenset[Account]:
        """The groups, for the member only."""
        self.asked += 1
        if self.hangs:
            raise TimedOut("slack", 1.0)
        if self.down:
            raise Unreachable("slack")
        return self.groups if account == MEMBER else frozenset()


class House:
    """A gate with one roster and a clock."""

    def __init__(self, admins: str = "slack-group:S1") -> None:
        self.clock = Clock(0.0)
        self.roster = Roster()
        self.gate = Gate(Permissions(read({"VCC_ADMINS": admins, "VCC_CHANNEL_OPS": "slack:OPS,discord:100"}, None)), self.clock)
        self.gate.register("slack", self.roster)

    async def key(self, account: Account = MEMBER) -> str:
        """The key of the refusal; empty when admitted."""
        place = Place("slack", "OPS") if account.platform == "slack" else Place("discord", "100")
        try:
            await self.gate.admit(Invocation("status", account, place, "", 0.0))
        except Forbidden as refusal:
            return refusal.key
        return ""


async def test_a_member_is_admitted_and_others_are_not() -> None:
    house = House()
    assert await house.key() == ""
    assert await house.key(Account("slack", "X")) == "permissions.unknown_account"


async def test_groups_are_asked_for_once_a_minute() -> None:
    house = House()
    for _ in range(5):
        await house.key()
    assert house.roster.asked == 1
    house.clock.forward(FRESH + 1)
    await house.key()
    assert house.roster.asked == 2


async def test_who_left_the_group_is_out_within_a_minute_and_at_once_when_told() -> None:
    house = House()
    assert await house.key() == ""
    house.roster.groups = frozenset()
    house.gate.forget(MEMBER)
    assert await house.key() == "permissions.unknown_account"


async def test_a_platform_that_is_down_grants_nothing_that_it_did_not_just_say() -> None:
    house = House()
    house.roster.down = True
    assert await house.key() == "permissions.roles_unknown"
    house.roster.down = False
    assert await house.key() == ""
    house.roster.down = True
    house.clock.forward(USABLE - 1)
    assert await house.key() == ""
    house.clock.forward(2)
    assert await house.key() == "permissions.roles_unknown"


async def test_a_platform_without_a_roster_grants_nothing() -> None:
    assert await House().key(Account("discord", "9")) == "permissions.roles_unknown"


async def test_who_is_listed_by_name_needs_no_lookup_to_be_let_in() -> None:
    house = House(admins="slack:M,slack-group:S1")
    house.roster.down = True
    assert await house.key() == ""


async def test_without_groups_in_the_settings_nobody_is_asked() -> None:
    house = House(admins="slack:M")
    assert await house.key() == ""
    assert house.roster.asked == 0


async def test_a_roster_with_a_bug_refuses() -> None:
    house = House()

    async def broken(account: Account) -> frozenset[Account]:
        raise ZeroDivisionError

    house.roster.groups_of = broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await house.key()


async def test_an_approver_who_left_the_group_may_not_approve_any_more() -> None:
    house = House(admins="slack:A,slack-group:S1")
    held = Invocation("wipe", Account("slack", "A"), Place("slack", "OPS"), "", 0.0, approved_by=MEMBER, ticket=1)
    assert (await house.gate.require_approval(held)).role is Role.ADMIN
    house.roster.groups = frozenset()
    house.gate.forget(MEMBER)
    with pytest.raises(Forbidden):
        await house.gate.require_approval(held)


async def test_a_request_that_nobody_approved_has_no_approver() -> None:
    with pytest.raises(Forbidden):
        await House().gate.require_approval(Invocation("wipe", MEMBER, Place("slack", "OPS"), "", 0.0))


async def test_a_platform_that_hangs_is_waited_for_by_one_and_not_by_all() -> None:
    house = House()
    house.roster.hangs = True
    assert await house.key() == "permissions.roles_unknown"
    asked = house.roster.asked
    assert await house.key() == "permissions.roles_unknown"
    assert house.roster.asked == asked
    house.roster.hangs = False
    house.clock.forward(REST + 1)
    assert await house.key() == ""


async def test_a_channel_that_the_house_made_is_a_place_only_for_its_own_platform_and_only_while_that_is_known() -> None:
    rooms = {Place("slack", "ROOM")}

    async def made(place: Place) -> bool:
        if place.channel == "UNREADABLE":
            raise RecordUnwritable("no state")
        return place in rooms

    settings = {"VCC_ADMINS": "slack:ada,local:ada", "VCC_CHANNEL_OPS": "slack:OPS", "VCC_CONSOLE": "off"}
    gate = Gate(Permissions(read(settings, None)), Clock(0.0), made)

    async def admitted(who: str, place: Place) -> bool:
        try:
            await gate.admit(Invocation("status", Account.parse(who), place, "", 0.0))
        except (Forbidden, RecordUnwritable):
            return False
        return True

    assert await admitted("slack:ada", Place("slack", "ROOM"))
    assert not await admitted("slack:mallory", Place("slack", "ROOM"))
    assert not await admitted("local:ada", Place("slack", "ROOM"))
    assert not await admitted("slack:ada", Place("slack", "OTHER"))
    assert not await admitted("slack:ada", Place("slack", "UNREADABLE"))
    assert not await admitted("local:ada", Place("local", "console"))
