"""Settings: typed, all faults told together, secrets from files, and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.config import Settings, language, read
from bot.errors import Misconfigured
from bot.model import Account
from bot.setting_types import endpoint_of


def faults(environment: dict[str, str]) -> dict[str, str]:
    """What is wrong, by setting."""
    with pytest.raises(Misconfigured) as refusal:
        read({"VCC_LANG": "en", **environment}, None)
    return dict(fault.split(": ", 1) for fault in refusal.value.faults)


def test_no_setting_at_all_is_a_setting() -> None:
    settings = read({}, None)
    assert (settings.vcc_lang, settings.vcc_tz, settings.vcc_approvals, settings.vcc_admins) == ("ko", "Asia/Seoul", "second-person", ())


def test_an_empty_setting_is_as_good_as_none() -> None:
    assert read({"VCC_LANG": "", "VCC_HTTP_PORT": "", "DISCORD_GUILD_ID": "", "VCC_UPLOADS_DIR": ""}, None) == read({}, None)


def test_all_faults_are_told_together_and_by_name(tmp_path: Path) -> None:
    told = faults(
        {
            "VCC_TZ": "Mars",
            "VCC_ADMINS": "ada",
            "VCC_OPERATORS": "slack-group:S1=slack:U1",
            "VCC_HTTP_PORT": "99999",
            "MONGODB_URI": "http://x",
            "VCC_APPROVALS": "nobody",
            "VCC_HEALTH_URLS": "backend",
            "DOCKER_HOST": "docker",
            "REDIS_URL_FILE": str(tmp_path / "gone"),
        }
    )
    wrong = {"VCC_TZ", "VCC_ADMINS", "VCC_OPERATORS", "VCC_HTTP_PORT", "MONGODB_URI", "VCC_APPROVALS", "VCC_HEALTH_URLS", "DOCKER_HOST"}
    assert set(told) == wrong | {"REDIS_URL_FILE"}
    assert all(len(sentence) > 10 for sentence in told.values())


def test_a_wrong_secret_is_not_repeated() -> None:
    assert "hunter22" not in str(faults({"MONGODB_URI": "mongo://u:hunter22@db", "DISCORD_GUILD_ID": "hunter22"}))


def test_people_are_read_with_all_their_accounts() -> None:
    settings = read({"VCC_ADMINS": " slack:U1 = discord:2 , local:ada ,, slack-group:S3"}, None)
    assert settings.vcc_admins == (
        (Account("slack", "U1"), Account("discord", "2")),
        (Account("local", "ada"),),
        (Account("slack-group", "S3"),),
    )


@pytest.mark.parametrize("text", ["slack", "slack:", ":U1", "irc:x", "slack:U1=", "@ada", "slack-group:S=slack:U"])
def test_a_person_that_cannot_be_read_stops_the_start(text: str) -> None:
    assert "VCC_ADMINS" in faults({"VCC_ADMINS": f"slack:OK,{text}"})


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "uri").write_text("mongodb://u:p@db/vcc\n", encoding="utf-8")
    settings = read({"MONGODB_URI_FILE": str(tmp_path / "uri")}, None)
    assert settings.mongodb_uri.get_secret_value() == "mongodb://u:p@db/vcc"
    assert settings.secrets == ("mongodb://u:p@db/vcc",)


def test_the_setting_itself_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file", encoding="utf-8")
    settings = read({"DISCORD_TOKEN": "direct", "DISCORD_TOKEN_FILE": str(tmp_path / "token")}, None)
    assert settings.discord_token.get_secret_value() == "direct"


def test_a_secret_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")
    assert "DISCORD_TOKEN_FILE" in faults({"DISCORD_TOKEN_FILE": str(tmp_path / "token")})


def test_the_environment_wins_over_the_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VCC_LANG=en\nVCC_TRASH_DAYS=3\nVCC_TZ='UTC'\n", encoding="utf-8")
    settings = read({"VCC_TZ": "Asia/Tokyo"}, tmp_path / ".env")
    assert (settings.vcc_lang, settings.vcc_tz) == ("en", "Asia/Tokyo")


def test_settings_are_frozen_and_hide_their_secrets() -> None:
    settings = read({"DISCORD_TOKEN": "tok-hunter22", "MONGODB_URI": "mongodb://u:hunter22@db"}, None)
    assert "hunter22" not in repr(settings)
    assert "hunter22" not in str(settings.model_dump())
    with pytest.raises(ValidationError):
        settings.vcc_lang = "en"


@pytest.mark.parametrize(
    ("typed", "read_as"), [("on", "operator"), ("", "operator"), ("ON", "operator"), ("off", "off"), ("viewer", "viewer")]
)
def test_the_console_is_on_unless_it_is_off(typed: str, read_as: str) -> None:
    assert read({"VCC_CONSOLE": typed}, None).vcc_console == read_as


def test_a_misspelt_console_is_not_taken_for_on() -> None:
    assert "VCC_CONSOLE" in faults({"VCC_CONSOLE": "of"})


def test_health_addresses_have_names() -> None:
    settings = read({"VCC_HEALTH_URLS": "backend=http://b:3000/health, web=https://w/"}, None)
    assert settings.vcc_health_urls == {"backend": "http://b:3000/health", "web": "https://w/"}


def test_certificates_are_files_and_endpoints(tmp_path: Path) -> None:
    path = tmp_path / "vcc.pem"
    path.write_text("any")
    settings = read({"VCC_CERTS": f" {path} ,vcc.example:443,, [::1]:8443"}, None)
    assert settings.vcc_certs == (str(path), "vcc.example:443", "[::1]:8443")
    assert [endpoint_of(each) for each in settings.vcc_certs] == [None, ("vcc.example", 443), ("::1", 8443)]
    assert read({"VCC_CERTS": ""}, None).vcc_certs == ()


@pytest.mark.parametrize(
    "entry",
    [
        "vcc.example",
        "vcc.example:0",
        "vcc.example:99999",
        ":443",
        "vcc .example:443",
        "u:hunter22@vcc.example:443",
        "-x:443",
        "v:4４3",
        "[x]:1",
    ],
)
def test_a_certificate_that_is_neither_stops_the_start_with_the_others(entry: str) -> None:
    told = faults({"VCC_CERTS": f"vcc.example:443,{entry}", "VCC_TZ": "Mars"})
    assert set(told) == {"VCC_CERTS", "VCC_TZ"}
    assert told["VCC_CERTS"].startswith("entry 2: write")
    assert "hunter22" not in told["VCC_CERTS"]


@pytest.mark.parametrize("entry", ["gone.pem", "/nowhere/at/all/vcc.crt", ".", "/", "https://vcc.example:443/"])
def test_a_certificate_file_that_is_not_there_stops_the_start(entry: str) -> None:
    assert faults({"VCC_CERTS": f"vcc.example:443,{entry}"})["VCC_CERTS"].startswith("entry 2: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("VCC_BACKUP_S3_URL", url)
            for url in ("s3://B", "http://bucket/x", "s3://key:hunter22@bucket/x", "s3://bucket/../x", "bucket", "s3://")
        ),
        *(("AWS_ENDPOINT_URL", url) for url in ("s3.example", "https://u:hunter22@s3.example", "ftp://s3.example", "https://")),
        *(("VCC_BACKUP_KEY", key) for key in ("age1", "hunter22", "AGE-SECRET-KEY-1HUNTER22", f"age1{'q' * 58},x")),
    ],
)
def test_a_second_place_that_is_none_stops_the_start(name: str, value: str) -> None:
    told = faults({name: value})
    assert set(told) == {name}
    assert "hunter22" not in told[name].lower()


def test_a_second_place_is_a_bucket_with_or_without_a_folder() -> None:
    for url in ("s3://bucket", "s3://vcc-backups/", "s3://vcc.backups/seoul/vcc_1"):
        assert read({"VCC_BACKUP_S3_URL": url}, None).vcc_backup_s3_url == url


def test_the_language_of_the_faults_is_known_however_wrong_the_settings() -> None:
    assert (language({"VCC_LANG": "en"}, None), language({"VCC_LANG": "xx"}, None), language({}, None)) == ("en", "ko", "ko")


def test_every_secret_setting_is_known_to_the_redactor() -> None:
    names = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert {"mongodb_uri", "redis_url", "slack_bot_token", "slack_app_token", "slack_signing_secret", "discord_token"} <= set(names)
    addresses: dict[str, Any] = {
        "redis_url": "redis://:pw@r",
        "mongodb_uri": "mongodb://u:pw@m",
        "vcc_smtp_url": "smtp://u:pw@s",
        "vcc_deadman_url": "https://d/id",
    }
    values: dict[str, Any] = {name: addresses.get(name, name) for name in names}
    assert len(Settings(**values).secrets) == len(names)
