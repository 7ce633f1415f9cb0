"""Settings: read once from the environment and ``.env``, typed, frozen, secrets masked, all faults told together.

Every setting is listed in ``.env.example``. A secret may come from a file: ``NAME_FILE`` holds its path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from bot.errors import Misconfigured
from bot.model import Account
from bot.words import LANGUAGES, Words

_GROUP_PLATFORMS = frozenset({"slack-group", "discord-role"})
_PERSON_PLATFORMS = frozenset({"slack", "discord", "local"})
_ENDPOINT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)):(\d{1,5})", re.ASCII)
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9_.-]+)*/?", re.ASCII)
_AGE_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}", re.ASCII)
_CERTIFICATE_FILES = (".pem", ".crt", ".cer")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("config.zone") from error
    return name


def _people(text: Any) -> Any:
    """``slack:U1=discord:2,slack-group:S3`` to groups of accounts, each group one person."""
    if not isinstance(text, str):
        return text
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return tuple(tuple(_account(part) for part in entry.split("=")) for entry in entries)


def _account(text: str) -> Account:
    try:
        account = Account.parse(text)
    except ValueError as error:
        raise ValueError("config.account") from error
    if account.platform not in _PERSON_PLATFORMS | _GROUP_PLATFORMS:
        raise ValueError("config.account")
    return account


def _whole_people(entries: tuple[tuple[Account, ...], ...]) -> tuple[tuple[Account, ...], ...]:
    if any(len(entry) > 1 and any(account.platform in _GROUP_PLATFORMS for account in entry) for entry in entries):
        raise ValueError("config.joined_group")
    return entries


def _channels(text: Any) -> Any:
    return tuple(_account(part) for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _urls(text: Any) -> Any:
    """``backend=http://…/health,frontend=http://…`` to a mapping."""
    if not isinstance(text, str):
        return text
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    for name, _, url in pairs:
        if not name or urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("config.urls")
    return {name: url for name, _, url in pairs}


def endpoint_of(entry: str) -> tuple[str, int] | None:
    """``host:port`` or ``[address]:port`` as its two parts; None when it is neither."""
    found = _ENDPOINT.fullmatch(entry)
    if found is None or not 0 < int(found[3]) <= 65535:
        return None
    return found[1] or found[2], int(found[3])


def _certs(text: Any) -> Any:
    """``/etc/ssl/vcc.pem,vcc.example:443`` to its entries. Faulty ones are told by position: what stands there may be anything."""
    if not isinstance(text, str):
        return text
    entries = tuple(part.strip() for part in text.split(",") if part.strip())
    files = [each for each in entries if "/" in each or each.endswith(_CERTIFICATE_FILES)]
    wrong = [number for number, each in enumerate(entries, 1) if each not in files and endpoint_of(each) is None]
    missing = [number for number, each in enumerate(entries, 1) if each in files and not _readable(Path(each))]
    if wrong:
        raise PydanticCustomError("certs", "config.certs", {"numbers": ", ".join(map(str, wrong))})
    if missing:
        raise PydanticCustomError("certs", "config.cert_files", {"numbers": ", ".join(map(str, missing))})
    return entries


def _readable(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except (OSError, ValueError):
        return False


def _with_scheme(*schemes: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and urlsplit(text).scheme not in schemes:
            raise PydanticCustomError("scheme", "config.scheme", {"expected": " · ".join(f"{scheme}://" for scheme in schemes)})
        return value

    return AfterValidator(check)


def _docker_host(value: str) -> str:
    if value and urlsplit(value).scheme not in ("unix", "tcp", "http", "https"):
        raise PydanticCustomError("scheme", "config.scheme", {"expected": "unix:// · tcp://"})
    return value


def _bucket(value: str) -> str:
    """``s3://bucket/folder``; a login in it, or ``..``, is no part of that."""
    if value and (not _BUCKET.fullmatch(value) or "/../" in f"{value}/" or "/./" in f"{value}/"):
        raise ValueError("config.bucket")
    return value


def _s3_endpoint(value: str) -> str:
    """An address without a login: keys have settings of their own, and addresses are logged."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc):
        raise ValueError("config.endpoint")
    return value


def _age_recipients(value: str) -> str:
    if any(not _AGE_RECIPIENT.fullmatch(part.strip()) for part in value.split(",") if value):
        raise ValueError("config.age_recipient")
    return value


def _hours(value: float) -> float:
    if not 0 < value <= 8_760:
        raise ValueError("config.hours")
    return value


def _optional_path(value: Any) -> Any:
    return None if value == "" else value


People = Annotated[tuple[tuple[Account, ...], ...], BeforeValidator(_people), AfterValidator(_whole_people)]
Channels = Annotated[tuple[Account, ...], BeforeValidator(_channels)]
Directory = Annotated[Path | None, BeforeValidator(_optional_path)]


class Settings(BaseModel):
    """What the environment says. Field names are the variables' names in lower case."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="ignore", hide_input_in_errors=True)

    vcc_home: Path = Path("state")
    vcc_compose_project: str = ""
    vcc_project_dir: Directory = None
    vcc_uploads_dir: Directory = None
    vcc_backup_dir: Directory = None
    vcc_team_dir: Directory = None
    vcc_docker_data_dir: Directory = None
    vcc_backup_s3_url: Annotated[str, AfterValidator(_bucket)] = ""
    aws_access_key_id: SecretStr = SecretStr("")
    aws_secret_access_key: SecretStr = SecretStr("")
    aws_session_token: SecretStr = SecretStr("")
    aws_region: str = ""
    aws_default_region: str = ""
    aws_endpoint_url: Annotated[str, AfterValidator(_s3_endpoint)] = ""
    vcc_backup_key: Annotated[str, AfterValidator(_age_recipients)] = ""
    vcc_backup_identity_file: Directory = None
    vcc_backup_max_age_hours: Annotated[float, AfterValidator(_hours)] = 26
    mongodb_uri: Annotated[SecretStr, _with_scheme("mongodb", "mongodb+srv")] = SecretStr("")
    redis_url: Annotated[SecretStr, _with_scheme("redis", "rediss", "unix")] = SecretStr("")
    docker_host: Annotated[str, AfterValidator(_docker_host)] = "unix:///var/run/docker.sock"
    vcc_health_urls: Annotated[Mapping[str, str], BeforeValidator(_urls)] = Field(default_factory=dict)
    vcc_certs: Annotated[tuple[str, ...], BeforeValidator(_certs)] = ()

    vcc_lang: Literal["ko", "en"] = "ko"
    vcc_tz: Annotated[str, AfterValidator(_zone)] = "Asia/Seoul"

    vcc_admins: People = ()
    vcc_operators: People = ()
    vcc_viewers: People = ()
    vcc_approvals: Literal["second-person", "solo"] = "second-person"
    vcc_console: Literal["off", "viewer", "operator", "admin"] = "operator"
    vcc_channel_ops: Channels = ()
    vcc_channel_alerts: Channels = ()
    vcc_channel_incidents: Channels = ()

    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: str = "https://slack.com/api/"
    discord_token: SecretStr = SecretStr("")
    discord_guild_id: Annotated[int | None, BeforeValidator(_optional_path)] = None
    discord_api_url: str = ""
    discord_gateway_url: str = ""

    vcc_http_host: str = "127.0.0.1"
    vcc_http_port: int = Field(default=8080, ge=0, le=65535)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret text among the settings, for the redactor."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr) and value.get_secret_value())


def _from_files(environment: Mapping[str, str], words: Words, faults: list[str]) -> dict[str, str]:
    """Secrets handed over as files: ``NAME_FILE`` is read when ``NAME`` itself is not set."""
    values: dict[str, str] = {}
    for name in Settings.model_fields:
        path = environment.get(f"{name.upper()}_FILE")
        if not path or environment.get(name.upper()):
            continue
        try:
            values[name] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            faults.append(f"{name.upper()}_FILE: {words('config.file', path=path, reason=error.strerror or '')}")
        except UnicodeError:
            faults.append(f"{name.upper()}_FILE: {words('config.file', path=path, reason='not UTF-8')}")
    return values


# What pydantic itself finds wrong, in our words; a value is never repeated, since it may be a secret.
_OWN_WORDS = {
    "literal_error": "config.choice",
    "int_parsing": "config.number",
    "float_parsing": "config.hours",
    "greater_than_equal": "config.port",
    "less_than_equal": "config.port",
}


def _sentence(fault: ErrorDetails, words: Words) -> str:
    key = fault["msg"].removeprefix("Value error, ")
    if key not in words:
        key = _OWN_WORDS.get(fault["type"], "config.invalid")
    return f"{str(fault['loc'][0]).upper()}: {words(key, **fault.get('ctx', {}))}"


def _merged(environment: Mapping[str, str] | None, dotenv: Path | None) -> dict[str, str]:
    merged: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        merged.update({name: value for name, value in dotenv_values(dotenv).items() if value is not None})
    merged.update(os.environ if environment is None else environment)
    if merged.get("VCC_CONSOLE", "").lower() in ("on", ""):
        merged.pop("VCC_CONSOLE", None)
    return merged


def language(environment: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> str:
    """The language to say in what is wrong with the settings, however wrong they are."""
    wanted = _merged(environment, dotenv).get("VCC_LANG", "")
    return wanted if wanted in LANGUAGES else LANGUAGES[0]


def read(environment: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """The settings; Misconfigured with every fault at once. Real variables win over the ``.env`` file."""
    merged = _merged(environment, dotenv)
    words = Words(language(environment, dotenv))
    faults: list[str] = []
    values: dict[str, Any] = _from_files(merged, words, faults)
    values.update({name: merged[name.upper()] for name in Settings.model_fields if merged.get(name.upper(), "") != ""})
    try:
        settings = Settings(**values)
    except ValidationError as error:
        faults += [_sentence(fault, words) for fault in error.errors()]
        raise Misconfigured(faults) from None
    if faults:
        raise Misconfigured(faults)
    return settings
