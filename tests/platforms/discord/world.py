"""The guild behind the fake: who is in it, which channels and messages there are, who may do what. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterable

from .clock import Clock, SnowflakeMint
from .errors import missing_access, missing_permissions, unknown
from .records import (
    ADMINISTRATOR,
    BOT_MAY,
    DIRECT,
    EVERYONE_MAY,
    EVERYTHING,
    VIEW_CHANNEL,
    Channel,
    Member,
    Message,
    Role,
    StoredFile,
)


class World:
    """All state of one guild and one application."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.mint = SnowflakeMint(clock)
        self.guild_id = self.mint.next()
        self.guild_name = "VCC"
        self.application_id = self.mint.next()
        self.members: dict[int, Member] = {}
        self.roles: dict[int, Role] = {self.guild_id: Role(self.guild_id, "@everyone", EVERYONE_MAY)}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.files: dict[int, StoredFile] = {}
        owner = self.add_member("owner")
        self.owner_id = owner.id
        self.bot_role = self.add_role("VCC bot", BOT_MAY)
        self.bot_role.managed = True
        self.bot = self.add_member("vcc-bot", [self.bot_role.id], self.application_id)
        self.bot.bot = True

    def add_member(self, name: str, roles: Iterable[int] = (), identity: int | None = None) -> Member:
        """A new person."""
        member = Member(identity or self.mint.next(), name, list(roles), joined=self.clock.now())
        self.members[member.id] = member
        return member

    def add_role(self, name: str, permissions: int = 0, identity: int | None = None) -> Role:
        """A new role."""
        role = Role(identity or self.mint.next(), name, permissions)
        self.roles[role.id] = role
        return role

    def add_channel(self, channel: Channel) -> Channel:
        """Put a channel (or thread) into the guild."""
        channel.created = channel.created or self.clock.now()
        self.channels[channel.id] = channel
        return channel

    def direct_channel(self, member: Member) -> Channel:
        """The bot's private conversation with a member, made when there is none."""
        for channel in self.channels.values():
            if channel.type == DIRECT and channel.recipient == member.id:
                return channel
        return self.add_channel(Channel(self.mint.next(), member.name, DIRECT, recipient=member.id))

    def permissions_of(self, member_id: int, channel: Channel | None = None) -> int:
        """What a member may do, guild-wide or in a channel, as Discord computes it."""
        member = self.members[member_id]
        granted = self.roles[self.guild_id].permissions
        for role_id in member.roles:
            granted |= self.roles[role_id].permissions
        if member_id == self.owner_id or granted & ADMINISTRATOR:
            return EVERYTHING
        if channel is not None and member_id == self.bot.id:
            granted &= ~self._governing(channel).denied
        return granted

    def _governing(self, channel: Channel) -> Channel:
        """A thread's rights are its parent's."""
        return self.channels[channel.parent] if channel.is_thread and channel.parent else channel

    def channel(self, channel_id: int, needs: int = 0) -> Channel:
        """A channel the bot may use: 404 when there is none, 403 when it is hidden or a right is missing."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise unknown("Channel")
        if channel.type == DIRECT:
            return channel
        may = self.permissions_of(self.bot.id, channel)
        if not may & VIEW_CHANNEL:
            raise missing_access()
        if needs & ~may:
            raise missing_permissions()
        return channel

    def member(self, member_id: int) -> Member:
        """A member; 404 when there is none."""
        if member_id not in self.members:
            raise unknown("Member")
        return self.members[member_id]

    def message(self, channel_id: int, message_id: int) -> Message:
        """A message others can see too; an ephemeral one is not there for the REST API."""
        message = self.messages.get(message_id)
        if message is None or message.channel_id != channel_id or message.ephemeral_to is not None:
            raise unknown("Message")
        return message

    def messages_in(self, channel_id: int) -> list[Message]:
        """A channel's messages, oldest first, ephemeral ones among them."""
        return [message for message in self.messages.values() if message.channel_id == channel_id]

    def add_message(self, message: Message) -> Message:
        """Post it."""
        self.messages[message.id] = message
        for file in message.attachments:
            self.files[file.id] = file
        if self.channels[message.channel_id].is_thread:
            self.channels[message.channel_id].message_count += 1
        return message
