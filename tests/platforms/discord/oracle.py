"""Discord's own OpenAPI description as a second opinion on requests and on our answers. Optional: the file may be absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ORACLE_FILE = Path(__file__).resolve().parents[4] / "shared" / "oracles" / "discord-openapi.json"
_ANSWERS, _REQUESTS = "urn:discord:answers", "urn:discord:requests"


class Oracle:
    """Validators per route, compiled when first needed: they are slow to make."""

    def __init__(self, file: Path = ORACLE_FILE) -> None:
        self._spec: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        answers: Resource[Any] = DRAFT202012.create_resource(self._spec)
        requests: Resource[Any] = DRAFT202012.create_resource(_as_taken(self._spec))
        registry: Registry[Any] = Registry()
        self._registry = registry.with_resources([(_ANSWERS, answers), (_REQUESTS, requests)]).crawl()
        self._validators: dict[str, Draft202012Validator] = {}

    @staticmethod
    def present() -> bool:
        """Whether the description is on this machine."""
        return ORACLE_FILE.exists()

    def faults_in_request(self, method: str, route: str, body: Any) -> list[str]:
        """What is wrong with a request body."""
        operation = self._operation(method, route)
        if operation is None or "requestBody" not in operation:
            return []
        return self._faults(f"{_REQUESTS}#{_pointer(method, route)}/requestBody/content/application~1json/schema", body)

    def faults_in_answer(self, method: str, route: str, status: int, body: Any) -> list[str]:
        """What is wrong with what we answered."""
        operation = self._operation(method, route)
        answers = (operation or {}).get("responses") or {}
        if operation is None or status >= 400:
            return []
        if str(status) not in answers:
            return [f"{method} {route} never answers {status}"]
        if "content" not in answers[str(status)]:
            return []
        return self._faults(f"{_ANSWERS}#{_pointer(method, route)}/responses/{status}/content/application~1json/schema", body)

    def _operation(self, method: str, route: str) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = self._spec["paths"].get(route, {}).get(method.lower())
        return operation

    def _faults(self, pointer: str, body: Any) -> list[str]:
        if pointer not in self._validators:
            self._validators[pointer] = Draft202012Validator({"$ref": pointer}, registry=self._registry)
        found = sorted(self._validators[pointer].iter_errors(body), key=lambda error: list(map(str, error.path)))
        return [f"{'.'.join(map(str, error.absolute_path))}: {_deepest(error)}" for error in found]


def _deepest(error: Any) -> str:
    """The most telling of an alternative's faults."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return f"{'.'.join(map(str, error.absolute_path))}: {str(error.message)[:300]}"


def _as_taken(spec: dict[str, Any]) -> dict[str, Any]:
    """Discord takes ids as numbers too, and permissions as text; discord.py sends some so. Its description knows only the other."""
    known = spec["components"]["schemas"]
    snowflake = known["SnowflakeType"] | {"type": ["string", "integer"]}
    overwrite = known["ChannelPermissionOverwriteRequest"]
    bits = {name: {"type": ["integer", "string", "null"], "pattern": "^[0-9]+$"} for name in ("allow", "deny")}
    overwrite = overwrite | {"properties": overwrite["properties"] | bits}
    schemas = known | {"SnowflakeType": snowflake, "ChannelPermissionOverwriteRequest": overwrite}
    return spec | {"components": spec["components"] | {"schemas": schemas}}


def _pointer(method: str, route: str) -> str:
    return f"/paths/{route.replace('~', '~0').replace('/', '~1')}/{method.lower()}"
