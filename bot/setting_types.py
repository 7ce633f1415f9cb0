"""What a setting's text means, and what is wrong with it: a key of the words catalogue, never the value, which may be a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

from bot.model import Account

_GROUP_PLATFORMS = frozenset({"slack-group", "discord-role"})
_PERSON_PLATFORMS = frozenset({"slack", "discord", "local"})
_ENDPOINT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)):(\d{1,5})", re.ASCII)
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9_.-]+)*/?", re.ASCII)
_AGE_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
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


def with_scheme(*schemes: str) -> AfterValidator:
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


def _emails(text: Any) -> Any:
    """``a@b.kr,c@d.kr`` to its addresses."""
    if not isinstance(text, str):
        return text
    addresses = tuple(part.strip() for part in text.split(",") if part.strip())
    if any(not _EMAIL.fullmatch(address) for address in addresses):
        raise ValueError("config.emails")
    return addresses


People = Annotated[tuple[tuple[Account, ...], ...], BeforeValidator(_people), AfterValidator(_whole_people)]
Channels = Annotated[tuple[Account, ...], BeforeValidator(_channels)]
Directory = Annotated[Path | None, BeforeValidator(_optional_path)]
Number = Annotated[int | None, BeforeValidator(_optional_path)]
Zone = Annotated[str, AfterValidator(_zone)]
Urls = Annotated[Mapping[str, str], BeforeValidator(_urls)]
Certificates = Annotated[tuple[str, ...], BeforeValidator(_certs)]
DockerHost = Annotated[str, AfterValidator(_docker_host)]
Bucket = Annotated[str, AfterValidator(_bucket)]
S3Endpoint = Annotated[str, AfterValidator(_s3_endpoint)]
AgeRecipients = Annotated[str, AfterValidator(_age_recipients)]
Hours = Annotated[float, AfterValidator(_hours)]
Emails = Annotated[tuple[str, ...], BeforeValidator(_emails)]
