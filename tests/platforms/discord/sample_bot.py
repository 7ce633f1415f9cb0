"""A small bot on the real discord.py with one command of each kind, for the fake's own tests."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

import discord
from discord import app_commands

from .fake import FakeDiscord
from .library import make_client

Interaction = discord.Interaction[Any]
Limit = app_commands.Range[int, 1, 50]
STATES = [app_commands.Choice(name=state, value=state) for state in ("failed", "active")]


class AckButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"ack:(?P<number>\d+)"):
    """A button whose meaning is in its custom id."""

    def __init__(self, number: int) -> None:
        super().__init__(discord.ui.Button(label="Acknowledge", custom_id=f"ack:{number}", style=discord.ButtonStyle.primary))
        self.number = number

    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: Any, match: re.Match[str], /) -> AckButton:
        """Made anew from what the button carries."""
        return cls(int(match["number"]))

    async def callback(self, interaction: Interaction) -> None:
        """Pressed."""
        await interaction.response.edit_message(content=f"acknowledged {self.number} by {interaction.user.name}", view=None)


class Confirm(discord.ui.Modal, title="Confirm"):
    """Asks for a code."""

    code: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Code", custom_id="code", max_length=8)

    async def on_submit(self, interaction: Interaction) -> None:
        """Sent."""
        await interaction.response.send_message(f"typed {self.code.value}")


class SampleBot:
    """Holds the client and its command tree; ``seen`` are the interactions it was given, ``hold`` delays its answers."""

    def __init__(self, fake: FakeDiscord, **options: Any) -> None:
        self.client = make_client(**options)
        self.client.add_dynamic_items(AckButton)
        self.tree: app_commands.CommandTree[Any] = app_commands.CommandTree(self.client)
        self.tree.error(_ignore)
        self.seen: list[Interaction] = []
        self.hold = asyncio.Event()
        self.hold.set()
        group = app_commands.Group(name="vcc", description="VCC")
        _add_plain_commands(group, self)
        _add_queue_commands(group)
        self.tree.add_command(group, guild=discord.Object(fake.guild_id))


async def _ignore(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    """Tests look at what the fake refused."""


def _add_plain_commands(group: app_commands.Group, bot: SampleBot) -> None:
    @group.command(name="status", description="At a glance")
    async def status(interaction: Interaction) -> None:
        await bot.hold.wait()
        await interaction.response.defer()
        await interaction.edit_original_response(content="all well", embed=discord.Embed(title="VCC").add_field(name="queue", value="0"))
        await interaction.followup.send("hidden", ephemeral=True, file=discord.File(io.BytesIO(b"a,b\n"), "figures.csv"))

    @group.command(name="card", description="A card")
    async def card(interaction: Interaction) -> None:
        bot.seen.append(interaction)
        view = discord.ui.View(timeout=None)
        view.add_item(AckButton(7))
        await interaction.response.send_message("a card", view=view)

    @group.command(name="confirm", description="Asks for a code")
    async def confirm(interaction: Interaction) -> None:
        await interaction.response.send_modal(Confirm())


def _add_queue_commands(group: app_commands.Group) -> None:
    queues = app_commands.Group(name="queue", description="Queues", parent=group)

    @queues.command(name="jobs", description="Jobs in a state")
    @app_commands.choices(state=STATES)
    async def jobs(interaction: Interaction, state: str, queue: str = "", limit: Limit = 5) -> None:
        await interaction.response.send_message(f"{state} {queue} {limit}", ephemeral=True)

    @jobs.autocomplete("queue")
    async def names(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name, value=name) for name in ("image-processing", "mail") if name.startswith(current)]
