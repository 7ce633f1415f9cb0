"""Says whether blocks are legal, as Slack would: slack_sdk's validators, slackblocks', and what both of them miss.

Knows no message and no method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block
from slackblocks.blocks import Block as StrictBlock
from slackblocks.errors import InvalidUsageError

from tests.platforms.slack.wire import ApiError

Check: TypeAlias = Callable[[dict[str, Any]], Iterator[str]]
IDENTIFIER = 255
BUTTON_STYLES = (None, "primary", "danger")
# Slack has these; slack_sdk 3.47 and slackblocks 3.0 have no class that could judge them.
MESSAGE_BLOCKS = frozenset(
    [
        "section",
        "divider",
        "image",
        "actions",
        "context",
        "context_actions",
        "header",
        "markdown",
        "video",
        "rich_text",
        "table",
        "data_table",
        "alert",
        "card",
        "carousel",
        "container",
        "plan",
        "task_card",
        "file",
        "call",
        "data_visualization",
        "input",
    ]
)


def check_blocks(blocks: Any, most: int = 50) -> None:
    """Return when the blocks are legal; ApiError ``invalid_blocks`` naming every fault otherwise."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise ApiError("invalid_blocks_format")
    faults = list(_faults(blocks, most))
    if faults:
        raise ApiError("invalid_blocks", errors=faults, response_metadata={"messages": [f"[ERROR] {fault}" for fault in faults]})


def _faults(blocks: list[dict[str, Any]], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:/blocks]"
    for index, block in enumerate(blocks):
        for fault in _block_faults(block):
            yield f"{fault} [json-pointer:/blocks/{index}]"
    identifiers = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(identifiers) != len(set(identifiers)):
        yield "block_id already exists [json-pointer:/blocks]"
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield "only_one_table_allowed [json-pointer:/blocks]"
    if sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown") > 12_000:
        yield "markdown text over all blocks must be less than 12001 characters [json-pointer:/blocks]"


def _block_faults(block: dict[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    if kind not in MESSAGE_BLOCKS:
        yield f"unsupported type: {kind}"
        return
    yield from _model_faults(block)
    yield from _strict_faults(block)
    yield from _OWN.get(str(kind), _nothing)(block)
    yield from _element_faults(block)
    for text in _text_objects(block):
        yield from _text_object_faults(text)


def _model_faults(block: dict[str, Any]) -> Iterator[str]:
    """What slack_sdk finds, in the block and in everything nested in it."""
    try:
        model = Block.parse(block)
        if model is not None:
            for part in _parts(model):
                part.validate_json()
            model.to_dict()
    except (SlackObjectFormationError, TypeError, KeyError, AttributeError, ValueError) as error:
        yield str(error)


def _parts(model: Any) -> Iterator[JsonObject]:
    if isinstance(model, JsonObject):
        yield model
        for value in vars(model).values():
            yield from _parts(value)
    elif isinstance(model, (list, tuple)):
        for item in model:
            yield from _parts(item)


def _strict_faults(block: dict[str, Any]) -> Iterator[str]:
    """What slackblocks finds; it cannot read every kind of block back yet, and says so itself."""
    try:
        StrictBlock.from_dict(block)
    except NotImplementedError:
        return
    except (InvalidUsageError, TypeError, KeyError, AttributeError, ValueError) as error:
        yield str(error)


def elements_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The interactive elements of one block."""
    inside = [item for item in block.get("elements", []) if isinstance(item, dict)]
    return [*inside, *([block["accessory"]] if isinstance(block.get("accessory"), dict) else [])]


def _element_faults(block: dict[str, Any]) -> Iterator[str]:
    if block.get("type") not in ("actions", "section", "context_actions"):
        return
    elements = elements_of(block)
    actions = [element["action_id"] for element in elements if element.get("action_id")]
    if len(actions) != len(set(actions)):
        yield "action_id already exists"
    for element in elements:
        if len(str(element.get("action_id") or "")) > IDENTIFIER:
            yield "action_id must be less than 256 characters"
        if element.get("type") == "button":
            yield from _button_faults(element)


def _button_faults(button: dict[str, Any]) -> Iterator[str]:
    label = button.get("text")
    if not isinstance(label, dict) or label.get("type") != "plain_text":
        yield "a button needs a plain_text text"
    elif not 1 <= len(str(label.get("text", ""))) <= 75:
        yield "button text must be 1 to 75 characters"
    value = button.get("value")
    if value is not None and (not isinstance(value, str) or len(value) > 2000):
        yield "button value must be a string of at most 2000 characters"
    if button.get("style") not in BUTTON_STYLES:
        yield "button style must be primary or danger"


def _text_objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _text_objects(item)
    elif isinstance(node, dict):
        if node.get("type") in ("mrkdwn", "plain_text"):
            yield node
        for item in node.values():
            yield from _text_objects(item)


def _text_object_faults(text: dict[str, Any]) -> Iterator[str]:
    content = text.get("text")
    if not isinstance(content, str) or not content:
        yield "must be more than 0 characters"
    elif len(content) > 3000:
        yield "must be less than 3001 characters"
    foreign = set(text) - ({"type", "text", "verbatim"} if text["type"] == "mrkdwn" else {"type", "text", "emoji"})
    if foreign:
        yield f"invalid additional property: {', '.join(sorted(foreign))}"


def _nothing(_block: dict[str, Any]) -> Iterator[str]:
    return iter(())


def _actions(block: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(block.get("elements") or []) <= 25:
        yield "actions needs 1 to 25 elements"


def _context(block: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(block.get("elements") or []) <= 10:
        yield "context needs 1 to 10 elements"


def _section(block: dict[str, Any]) -> Iterator[str]:
    fields = block.get("fields")
    if fields is not None and not 1 <= len(fields) <= 10:
        yield "section needs 1 to 10 fields"
    for item in fields or []:
        if len(str(item.get("text", ""))) > 2000:
            yield "a field must be less than 2001 characters"


def _header(block: dict[str, Any]) -> Iterator[str]:
    text = block.get("text")
    if not isinstance(text, dict) or text.get("type") != "plain_text" or len(str(text.get("text", ""))) > 150:
        yield "header needs a plain_text of at most 150 characters"


def _table(block: dict[str, Any]) -> Iterator[str]:
    rows = block.get("rows") or []
    if not 1 <= len(rows) <= 100:
        yield "table needs 1 to 100 rows"
    if len({len(row) for row in rows}) > 1 or any(not 1 <= len(row) <= 20 for row in rows):
        yield "every row needs the same number of cells, 1 to 20"
    if len(block.get("column_settings") or []) > 20:
        yield "no more than 20 column_settings"
    for cell in (cell for row in rows for cell in row):
        if not isinstance(cell, dict) or cell.get("type") not in ("raw_text", "raw_number", "rich_text"):
            yield "a cell must be raw_text or rich_text"
        elif cell["type"] == "raw_text" and not cell.get("text"):
            yield "a cell must be more than 0 characters"


_OWN: dict[str, Check] = {"actions": _actions, "context": _context, "section": _section, "header": _header, "table": _table}
