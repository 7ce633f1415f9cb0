"""REST routes about the bot itself, the guild, its people, roles, channels and registered commands."""

from __future__ import annotations

from collections.abc import Callable

from . import guild_shapes, shapes
from .command_tree import CommandTree
from .errors import ApiError, Json, bad_length, missing_access, missing_permissions, unknown
from .records import CATEGORY, MANAGE_CHANNELS, TEXT, Channel, Member
from .rest import Answer, Ask, Route
from .world import World

CHANNELS_LIMIT = 500


class GuildRoutes:
    """Reads the world; creates channels, direct conversations and commands."""

    def __init__(self, world: World, tree: CommandTree, announce: Callable[[str, Json], None]) -> None:
        self._world = world
        self._tree = tree
        self._announce = announce
        self.gateway_url = ""

    def table(self) -> list[tuple[str, str, Route]]:
        """Every route, the literal ones before those with placeholders."""
        return [
            ("GET", "/gateway", lambda ask: (200, {"url": self.gateway_url})),
            ("GET", "/gateway/bot", self.gateway_bot),
            ("GET", "/users/@me", self.me),
            ("GET", "/applications/@me", lambda ask: (200, shapes.application(self._world))),
            ("GET", "/oauth2/applications/@me", lambda ask: (200, shapes.application(self._world))),
            ("POST", "/users/@me/channels", self.open_direct),
            ("GET", "/users/{user_id}", self.user),
            ("GET", "/guilds/{guild_id}", self.guild),
            ("GET", "/guilds/{guild_id}/members", self.members),
            ("GET", "/guilds/{guild_id}/members/search", self.search_members),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self.member),
            ("GET", "/guilds/{guild_id}/roles", self.roles),
            ("GET", "/guilds/{guild_id}/channels", self.channels),
            ("POST", "/guilds/{guild_id}/channels", self.create_channel),
            ("GET", "/applications/{application_id}/commands", self.list_commands),
            ("PUT", "/applications/{application_id}/commands", self.put_commands),
            ("GET", "/applications/{application_id}/guilds/{guild_id}/commands", self.list_commands),
            ("PUT", "/applications/{application_id}/guilds/{guild_id}/commands", self.put_commands),
        ]

    def gateway_bot(self, ask: Ask) -> Answer:
        """Where to connect, and how often."""
        limit = {"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1}
        return 200, {"url": self.gateway_url, "shards": 1, "session_start_limit": limit}

    def me(self, ask: Ask) -> Answer:
        """The bot's own user."""
        return 200, shapes.user(self._world.bot) | {"mfa_enabled": True, "locale": "en-US", "verified": True}

    def user(self, ask: Ask) -> Answer:
        """Anyone."""
        member = self._world.members.get(ask.number("user_id"))
        if member is None:
            raise unknown("User")
        return 200, shapes.user(member)

    def open_direct(self, ask: Ask) -> Answer:
        """The private conversation with somebody."""
        member = self._world.members.get(int(ask.body["recipient_id"]))
        if member is None or member.bot:
            raise ApiError(400, 50033, "Invalid Recipient(s)")
        return 200, shapes.channel(self._world, self._world.direct_channel(member))

    def _check_guild(self, ask: Ask) -> None:
        if ask.number("guild_id") != self._world.guild_id:
            raise unknown("Guild")

    def guild(self, ask: Ask) -> Answer:
        """The guild."""
        self._check_guild(ask)
        return 200, guild_shapes.guild(self._world)

    def members(self, ask: Ask) -> Answer:
        """A page of members by id; the default page is a single one, as at Discord."""
        self._check_guild(ask)
        after, limit = int(ask.query.get("after", 0)), int(ask.query.get("limit", 1))
        if not 1 <= limit <= 1000:
            raise bad_length("limit", 1, 1000)
        found = sorted((member for member in self._world.members.values() if member.id > after), key=_identity)
        return 200, [shapes.member(member) for member in found[:limit]]

    def search_members(self, ask: Ask) -> Answer:
        """Members whose name begins so."""
        self._check_guild(ask)
        query, limit = ask.query.get("query", ""), int(ask.query.get("limit", 1))
        found = [member for member in self._world.members.values() if member.name.startswith(query)]
        return 200, [shapes.member(member) for member in found[:limit]]

    def member(self, ask: Ask) -> Answer:
        """One member."""
        self._check_guild(ask)
        return 200, shapes.member(self._world.member(ask.number("user_id")))

    def roles(self, ask: Ask) -> Answer:
        """All roles."""
        self._check_guild(ask)
        return 200, [shapes.role(self._world, role) for role in self._world.roles.values()]

    def channels(self, ask: Ask) -> Answer:
        """The channels the bot sees."""
        self._check_guild(ask)
        return 200, guild_shapes.visible_channels(self._world)

    def create_channel(self, ask: Ask) -> Answer:
        """A text channel: its name is lowered and spaces become dashes, as Discord does."""
        self._check_guild(ask)
        world = self._world
        if not world.permissions_of(world.bot.id) & MANAGE_CHANNELS:
            raise missing_permissions()
        name, kind = str(ask.body.get("name") or ""), ask.body.get("type") or TEXT
        if not 1 <= len(name) <= 100:
            raise bad_length("name", 1, 100)
        if len(ask.body.get("topic") or "") > 1024:
            raise bad_length("topic", 0, 1024)
        if sum(not channel.is_thread for channel in world.channels.values()) >= CHANNELS_LIMIT:
            raise ApiError(400, 30013, "Maximum number of guild channels reached (500)")
        parent = int(ask.body["parent_id"]) if ask.body.get("parent_id") else None
        tidy = name if kind == CATEGORY else "-".join(name.lower().split())
        channel = world.add_channel(Channel(world.mint.next(), tidy, kind, parent, ask.body.get("topic")))
        shape = shapes.channel(world, channel)
        self._announce("CHANNEL_CREATE", shape)
        return 201, shape

    def _scope(self, ask: Ask) -> int:
        """0 for global commands, else the guild's id."""
        if ask.number("application_id") != self._world.application_id:
            raise missing_access()
        if "guild_id" not in ask.path:
            return 0
        if ask.number("guild_id") != self._world.guild_id:
            raise missing_access()
        return self._world.guild_id

    def list_commands(self, ask: Ask) -> Answer:
        """What is registered."""
        return 200, self._tree.listing(self._scope(ask))

    def put_commands(self, ask: Ask) -> Answer:
        """Register a whole new list."""
        return 200, self._tree.overwrite(self._scope(ask), ask.body or [])


def _identity(member: Member) -> int:
    return member.id
