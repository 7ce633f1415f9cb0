"""What Discord refuses in buttons, selects and layout components, and how it numbers them. Knows no messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .errors import Json, bad_length, invalid_form, too_long

ROW, BUTTON, STRING_SELECT, TEXT_INPUT, SECTION, TEXT_DISPLAY = 1, 2, 3, 4, 9, 10
THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 11, 12, 13, 14, 17
SELECTS = (3, 5, 6, 7, 8)
TOP_LEVEL_V2 = (ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR, CONTAINER)
LINK, PREMIUM = 5, 6


def walk(components: list[Json], path: str = "components") -> Iterator[tuple[str, Json]]:
    """Every component with its path, outer before inner."""
    for index, component in enumerate(components):
        here = f"{path}.{index}"
        yield here, component
        yield from walk(component.get("components") or [], f"{here}.components")
        for name in ("accessory", "component"):
            if inner := component.get(name):
                yield f"{here}.{name}", inner


def check_components(components: list[Json], *, v2: bool) -> None:
    """Refuse what either generation of components refuses."""
    everything = list(walk(components))
    if v2 and len(everything) > 40:
        raise invalid_form("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "The total number of components cannot exceed 40")
    if not v2 and len(components) > 5:
        raise bad_length("components", 1, 5)
    for index, component in enumerate(components):
        if component.get("type") not in (TOP_LEVEL_V2 if v2 else (ROW,)):
            raise invalid_form(f"components.{index}.type", "UNION_TYPE_CHOICES", "This component cannot be here.")
    for path, component in everything:
        _check_one(path, component)
    _check_unique([str(component["custom_id"]) for _, component in everything if component.get("custom_id")])
    if sum(len(component.get("content") or "") for _, component in everything if component.get("type") == TEXT_DISPLAY) > 4000:
        raise invalid_form("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "The total displayable text cannot exceed 4000")


def _check_unique(custom_ids: list[str]) -> None:
    for custom_id, times in Counter(custom_ids).items():
        if times > 1:
            raise invalid_form("components", "COMPONENT_CUSTOM_ID_DUPLICATED", f"Component custom id {custom_id} cannot be duplicated")


def _check_one(path: str, component: Json) -> None:
    kind = component.get("type")
    if kind == ROW:
        _check_row(path, component)
    elif kind == BUTTON:
        _check_button(path, component)
    elif kind in SELECTS:
        _check_select(path, component)
    elif kind == TEXT_DISPLAY and not 1 <= len(component.get("content") or "") <= 4000:
        raise bad_length(f"{path}.content", 1, 4000)
    elif kind == SECTION and not 1 <= len(component.get("components") or []) <= 3:
        raise bad_length(f"{path}.components", 1, 3)
    elif kind == GALLERY and not 1 <= len(component.get("items") or []) <= 10:
        raise bad_length(f"{path}.items", 1, 10)


def _check_row(path: str, row: Json) -> None:
    children = row.get("components") or []
    if not 1 <= len(children) <= 5:
        raise bad_length(f"{path}.components", 1, 5)
    selects = [child for child in children if child.get("type") in SELECTS]
    if selects and len(children) > 1:
        raise invalid_form(f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")


def _check_button(path: str, button: Json) -> None:
    custom_id, url, label = button.get("custom_id"), button.get("url"), button.get("label") or ""
    if len(label) > 80:
        raise too_long(f"{path}.label", 80)
    if not label and not button.get("emoji") and button.get("style") != PREMIUM:
        raise invalid_form(f"{path}", "BUTTON_COMPONENT_INVALID_LABEL", "A button needs a label or an emoji")
    if button.get("style") == LINK:
        if not url or custom_id:
            raise invalid_form(f"{path}.url", "BASE_TYPE_REQUIRED", "A link button has a url and no custom id")
        if len(url) > 512:
            raise too_long(f"{path}.url", 512)
    elif button.get("style") != PREMIUM:
        _check_custom_id(path, button)


def _check_custom_id(path: str, component: Json) -> None:
    if not 1 <= len(component.get("custom_id") or "") <= 100:
        raise bad_length(f"{path}.custom_id", 1, 100)


def _check_select(path: str, select: Json) -> None:
    _check_custom_id(path, select)
    if len(select.get("placeholder") or "") > 150:
        raise too_long(f"{path}.placeholder", 150)
    if select["type"] != STRING_SELECT:
        return
    options = select.get("options") or []
    if not 1 <= len(options) <= 25:
        raise bad_length(f"{path}.options", 1, 25)
    for index, option in enumerate(options):
        for name in ("label", "value", "description"):
            if len(option.get(name) or "") > 100 or (name != "description" and not option.get(name)):
                raise bad_length(f"{path}.options.{index}.{name}", 1, 100)


def numbered(components: list[Json]) -> list[Json]:
    """A copy as Discord stores it: ids given where missing, defaults written out."""
    counter = iter(range(1, 1000))
    return [_numbered(component, counter) for component in components]


def _numbered(component: Json, counter: Iterator[int]) -> Json:
    kept = {name: value for name, value in component.items() if value is not None}
    kept["id"] = kept.get("id") or next(counter)
    if kept.get("type") in SELECTS:
        kept = {"min_values": 1, "max_values": 1} | kept
    if "components" in kept:
        kept["components"] = [_numbered(child, counter) for child in kept["components"]]
    if "accessory" in kept:
        kept["accessory"] = _numbered(kept["accessory"], counter)
    return kept
