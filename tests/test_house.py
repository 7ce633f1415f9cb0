"""The rules of the house that a machine can hold. ruff, mypy and import-linter hold the others."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
# Where any exception at all may be caught, and why: the answer to a request, one delivery, the store's waiters, a supervised part.
BOUNDARIES = {"bot/dispatch.py", "bot/outbox.py", "bot/store/engine.py", "bot/supervisor.py"}
ROOMS = {
    "slack_bolt": ("bot/connectors/slack",),
    "slack_sdk": ("bot/connectors/slack",),
    "discord": ("bot/connectors/discord",),
    "docker": ("bot/ops/container",),
    "pymongo": ("bot/ops/mongo", "bot/ops/dump", "bot/ops/load", "bot/sandbox/"),
    "bson": ("bot/ops/mongo", "bot/ops/dump", "bot/ops/load", "bot/ops/bson_", "bot/sandbox/"),
    "redis": ("bot/ops/redis", "bot/ops/bull", "bot/sandbox/"),
    "cryptography": ("bot/ops/certs",),
    "psutil": ("bot/ops/host", "bot/sandbox/"),
    "sqlite3": ("bot/store/",),
    "sqlite_utils": (
        "bot/store/",
        "bot/audit.py",
        "bot/approvals.py",
        "bot/dispatch.py",
        "bot/locks.py",
        "bot/notices.py",
        "bot/alert_",
        "bot/checklist_book.py",
        "bot/watch.py",
        "bot/incident_",
        "bot/oncall_book.py",
        "bot/escalation.py",
    ),
    "subprocess": ("bot/sandbox/",),
    "boto3": ("bot/ops/remote_",),
    "botocore": ("bot/ops/remote_",),
    "s3transfer": ("bot/ops/remote_",),
    "pyrage": ("bot/ops/seal",),
    "fastcrc": ("bot/ops/dump_archive",),
    "matplotlib": ("bot/painter",),
    "PIL": ("bot/ops/image_decoder",),
    "re2": ("bot/ops/log_",),
    "apscheduler": ("bot/scheduler",),
    "aiosmtplib": ("bot/ops/mail",),
}


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node


PRODUCT = _files("bot", "commands")
EVERYTHING = _files("bot", "commands", "tests")


@pytest.mark.parametrize("path", EVERYTHING, ids=_name)
def test_no_file_is_longer_than_the_house_allows(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", PRODUCT, ids=_name)
def test_no_function_is_longer_than_the_house_allows(path: Path) -> None:
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in _functions(path)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", PRODUCT, ids=_name)
def test_every_module_says_in_a_docstring_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(_tree(path)) or path.read_text() == ""


def test_any_exception_at_all_is_caught_only_at_the_named_boundaries() -> None:
    broad = {
        _name(path)
        for path in PRODUCT
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"))
    }
    assert broad == BOUNDARIES


@pytest.mark.parametrize("vendor", ROOMS)
def test_a_vendor_library_is_known_in_its_own_room_only(vendor: str) -> None:
    users = {_name(path) for path in PRODUCT for module, _ in _imports(path) if module.split(".")[0] == vendor}
    assert {user for user in users if not user.startswith(ROOMS[vendor])} == set()


def test_nothing_of_ours_is_imported_inside_a_function() -> None:
    inside = {
        f"{_name(path)}:{function.name}"
        for path in PRODUCT
        for function in _functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert inside == set()


def test_no_shell_is_ever_used() -> None:
    found = {
        f"{_name(path)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and (
            any(keyword.arg == "shell" for keyword in node.keywords)
            or (isinstance(node.func, ast.Attribute) and node.func.attr in ("system", "popen", "create_subprocess_shell"))
        )
    }
    assert found == set()


def test_no_committed_file_names_a_package_index() -> None:
    hosts = ("pypi." + "org", "files.pythonhosted." + "org", "registry.npmjs." + "org")
    texts = [path for pattern in ("*.lock", "*.toml", "*.json", "Makefile", "Dockerfile") for path in ROOT.glob(pattern)]
    texts += list((ROOT / "tests").rglob("package*.json"))
    found = {
        _name(path) for path in texts if "node_modules" not in path.parts for host in hosts if host in path.read_text(encoding="utf-8")
    }
    assert found == set()
