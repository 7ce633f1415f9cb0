"""Settings: read once from the environment and ``.env``, typed, frozen, secrets masked, all faults told together.

Every setting is listed in ``.env.example``. A secret may come from a file: ``NAME_FILE`` holds its path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import Misconfigured
from bot.setting_types import (
    AgeRecipients,
    Bucket,
    Certificates,
    Channels,
    Directory,
    DockerHost,
    Emails,
    Hours,
    Number,
    People,
    S3Endpoint,
    Urls,
    Zone,
    with_scheme,
)
from bot.words import LANGUAGES, Words


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
    vcc_backup_s3_url: Bucket = ""
    aws_access_key_id: SecretStr = SecretStr("")
    aws_secret_access_key: SecretStr = SecretStr("")
    aws_session_token: SecretStr = SecretStr("")
    aws_region: str = ""
    aws_default_region: str = ""
    aws_endpoint_url: S3Endpoint = ""
    vcc_backup_key: AgeRecipients = ""
    vcc_backup_identity_file: Directory = None
    vcc_backup_max_age_hours: Hours = 26
    mongodb_uri: Annotated[SecretStr, with_scheme("mongodb", "mongodb+srv")] = SecretStr("")
    redis_url: Annotated[SecretStr, with_scheme("redis", "rediss", "unix")] = SecretStr("")
    docker_host: DockerHost = "unix:///var/run/docker.sock"
    vcc_health_urls: Urls = Field(default_factory=dict)
    vcc_certs: Certificates = ()

    vcc_lang: Literal["ko", "en"] = "ko"
    vcc_tz: Zone = "Asia/Seoul"

    vcc_admins: People = ()
    vcc_operators: People = ()
    vcc_viewers: People = ()
    vcc_approvals: Literal["second-person", "solo"] = "second-person"
    vcc_console: Literal["off", "viewer", "operator", "admin"] = "operator"
    vcc_channel_ops: Channels = ()
    vcc_channel_alerts: Channels = ()
    vcc_channel_incidents: Channels = ()
    vcc_smtp_url: Annotated[SecretStr, with_scheme("smtp", "smtps")] = SecretStr("")
    vcc_alert_email: Emails = ()
    vcc_deadman_url: Annotated[SecretStr, with_scheme("http", "https")] = SecretStr("")

    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: str = "https://slack.com/api/"
    discord_token: SecretStr = SecretStr("")
    discord_guild_id: Number = None
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
