"""All adapters of one deployment, made from the settings; an adapter whose setting is missing says so when it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bot.config import Settings
from bot.errors import Misconfigured, OutsideError
from bot.ops.bounded import Workers
from bot.ops.bull import BullQueues
from bot.ops.certs import Certs
from bot.ops.containers import Containers
from bot.ops.deployment_files import DeploymentFiles
from bot.ops.env_files import EnvFiles
from bot.ops.health import HealthProbes
from bot.ops.host import Host
from bot.ops.logs import Logs
from bot.ops.mongo import Mongo
from bot.ops.mongo_access import account_of, with_password
from bot.ops.redis_server import RedisServer
from bot.ops.remote import Remote
from bot.ops.remote_values import Address
from bot.ops.seal import Seal
from bot.ops.uploads import Uploads
from bot.words import Words

T = TypeVar("T")
_BACKUP_KEY = "VCC_BACKUP_KEY"


class Ops:
    """The adapters, each by its name. OutsideError (``error.not_configured``) for one that has no setting."""

    def __init__(self, settings: Settings) -> None:
        faults: list[str] = []
        mongodb, redis = settings.mongodb_uri.get_secret_value(), settings.redis_url.get_secret_value()
        self.project = settings.vcc_compose_project
        self.containers = Containers(settings.docker_host, settings.vcc_compose_project)
        self.logs = Logs(self.containers, settings.vcc_docker_data_dir)
        self.host = Host(_paths(settings))
        self.health = HealthProbes(settings.vcc_health_urls, deadline=1.5)
        # For short looks at the backups' directory: on a dead network mount they wait in line here, and hold nobody else up.
        self.shelf_threads = Workers("shelf", 1)
        self.seal = _seal(settings, faults)
        self.env_files = EnvFiles(self.containers, settings.vcc_project_dir)
        self.deployment_files = DeploymentFiles(self.containers, settings.vcc_project_dir, self.seal)
        self._remote = Remote(_bucket(settings), self.seal, _staging(settings)) if settings.vcc_backup_s3_url else None
        self.certs = Certs(settings.vcc_certs)
        self._own_mongodb_uri, self._own_redis_url = mongodb, redis
        self._mongo = _made(Mongo, "MONGODB_URI", mongodb, faults)
        self._redis = _made(RedisServer, "REDIS_URL", redis, faults)
        self._bull = _made(BullQueues, "REDIS_URL", redis, []) if self._redis else None
        self._uploads = Uploads(settings.vcc_uploads_dir) if settings.vcc_uploads_dir else None
        if faults:
            words = Words(settings.vcc_lang)
            raise Misconfigured(
                [f"{setting}: {words('config.age_recipient' if setting == _BACKUP_KEY else 'config.address')}" for setting in faults]
            )

    @property
    def mongo(self) -> Mongo:
        """The database server."""
        return _needed(self._mongo, "mongodb", "MONGODB_URI")

    @property
    def redis(self) -> RedisServer:
        """The Redis server."""
        return _needed(self._redis, "redis", "REDIS_URL")

    @property
    def bull(self) -> BullQueues:
        """The job queues in Redis."""
        return _needed(self._bull, "redis", "REDIS_URL")

    @property
    def remote(self) -> Remote:
        """The second place for backups."""
        return _needed(self._remote, "s3", "VCC_BACKUP_S3_URL")

    @property
    def uploads(self) -> Uploads:
        """The uploads directory."""
        return _needed(self._uploads, "uploads", "VCC_UPLOADS_DIR")

    def logs_in_as(self) -> str:
        """The name that the bot's own address of the database logs in with; empty when there is none."""
        return account_of(self._own_mongodb_uri) if self._own_mongodb_uri else ""

    async def rekey(self, *, mongodb: str = "", redis: str = "") -> None:
        """Use another password from now on, until the settings are read again; whoever asks next connects anew."""
        old: list[Mongo | RedisServer | BullQueues | None] = []
        if mongodb and self._mongo is not None:
            old, self._own_mongodb_uri = [self._mongo], with_password(self._own_mongodb_uri, mongodb)
            self._mongo = Mongo(self._own_mongodb_uri)
        if redis and self._redis is not None:
            old, self._own_redis_url = [*old, self._redis, self._bull], with_password(self._own_redis_url, redis)
            self._redis, self._bull = RedisServer(self._own_redis_url), BullQueues(self._own_redis_url)
        for adapter in old:
            if adapter is not None:
                await adapter.close()

    async def close(self) -> None:
        """Close every connection."""
        self.shelf_threads.close()
        self.containers.close()
        self.logs.close()
        self.host.close()
        self.certs.close()
        self.deployment_files.close()
        if self._remote is not None:
            self._remote.close()
        if self._uploads is not None:
            self._uploads.close()
        for adapter in (self._mongo, self._redis, self._bull):
            if adapter is not None:
                await adapter.close()


def _paths(settings: Settings) -> tuple[Path, ...]:
    paths = (settings.vcc_home, settings.vcc_uploads_dir, settings.vcc_backup_dir, settings.vcc_docker_data_dir)
    return tuple(path for path in paths if path is not None)


def _seal(settings: Settings, faults: list[str]) -> Seal:
    """With no key it seals nothing, but may still open what was sealed."""
    identity = settings.vcc_backup_identity_file
    return _made(lambda key: Seal(key, identity), _BACKUP_KEY, settings.vcc_backup_key, faults) or Seal("", identity)


def _bucket(settings: Settings) -> Address:
    address = Address.parse(settings.vcc_backup_s3_url, settings.aws_endpoint_url, settings.aws_region or settings.aws_default_region)
    secrets = (settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token)
    key, secret, token = (each.get_secret_value() for each in secrets)
    return replace(address, key=key, secret=secret, token=token)


def _staging(settings: Settings) -> Path:
    """Sealed copies of what is under way are as big as the backup's biggest file, so they stand where there is room for backups."""
    return (settings.vcc_backup_dir or settings.vcc_home) / ".remote"


def _made(adapter: Callable[[str], T], setting: str, address: str, faults: list[str]) -> T | None:
    """The adapter at this address, or none; what is wrong with the address goes to ``faults``, the address itself never."""
    try:
        return adapter(address) if address else None
    except ValueError:
        faults.append(setting)
        return None


def _needed(adapter: T | None, system: str, setting: str) -> T:
    if adapter is None:
        raise OutsideError("error.not_configured", system=system, setting=setting)
    return adapter
