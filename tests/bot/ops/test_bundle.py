"""The adapters of a deployment from its settings: what is wrong or missing is named by its setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import Misconfigured, OutsideError
from bot.ops.bundle import Ops
from bot.testing.bot import settings_for
from tests.bot.ops.remote_parts import a_backup, a_seal
from tests.s3_parts import an_address


async def test_without_its_setting_an_adapter_names_it_when_it_is_used(tmp_path: Path) -> None:
    ops = Ops(settings_for(tmp_path))
    with pytest.raises(OutsideError) as told:
        _ = ops.remote
    assert (told.value.key, told.value.values["setting"]) == ("error.not_configured", "VCC_BACKUP_S3_URL")
    assert not ops.seal.configured
    await ops.close()


async def test_a_public_key_with_a_slip_of_the_pen_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as told:
        Ops(settings_for(tmp_path, vcc_backup_key="age1" + "q" * 58, vcc_lang="en"))
    (fault,) = told.value.faults
    assert fault.startswith("VCC_BACKUP_KEY: write the public key")


async def test_the_second_place_is_made_from_its_settings(tmp_path: Path, s3_endpoint: str, s3_client: object) -> None:
    address = an_address(s3_endpoint)
    s3_client.create_bucket(Bucket=address.bucket)  # type: ignore[attr-defined]
    key = {"aws_access_key_id": SecretStr("id"), "aws_secret_access_key": SecretStr("secret"), "aws_endpoint_url": s3_endpoint}
    settings = settings_for(tmp_path, vcc_backup_s3_url=f"s3://{address.bucket}/vcc", aws_default_region="us-east-1", **key)
    ops = Ops(settings)
    assert await ops.remote.check() == ("open",)
    await ops.remote.push(tmp_path / "b", a_backup(tmp_path / "b", {"x": b"content"}))
    assert [each.id for each in (await ops.remote.list()).backups] == ["b"]
    assert "secret" in settings.secrets
    await ops.close()


async def test_with_an_identity_and_no_key_it_opens_and_does_not_seal(tmp_path: Path) -> None:
    a_seal(tmp_path)
    ops = Ops(settings_for(tmp_path, vcc_backup_identity_file=tmp_path / "identity.txt"))
    assert (ops.seal.configured, ops.seal.can_open) == (False, True)
    await ops.close()
