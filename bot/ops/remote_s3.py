"""The S3 library for one bucket and folder: small calls, each with a deadline and some tries, errors in our words. Blocks.

Costs a third of a second and 40 MB to import: only for who uses it. Knows objects, not backups.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import IO, Any

import boto3
from botocore.config import Config

from bot.errors import NotFound, Rejected
from bot.ops.dump_faults import Damaged
from bot.ops.remote_errors import CUT, asking, translate
from bot.ops.remote_values import SYSTEM, Address, Limits, StoredObject

BLOCK = 1 << 16
_MOST_DELETED = 1000
_BY_AMAZON = {"ServerSideEncryption": "AES256"}


class S3:
    """One bucket and folder; every key given or told is within the folder."""

    def __init__(self, address: Address, limits: Limits) -> None:
        self.limits = limits
        self._bucket = address.bucket
        self._prefix = address.prefix
        # Asked for at Amazon only: others may refuse what they have no keys for.
        self.extras: dict[str, Any] = dict(_BY_AMAZON) if address.amazon else {}
        with asking(limits.connect_s):
            session = boto3.Session(
                aws_access_key_id=address.key or None,
                aws_secret_access_key=address.secret or None,
                aws_session_token=address.token or None,
                region_name=address.region or None,
            )
            self.client: Any = session.client("s3", endpoint_url=address.endpoint or None, config=_config(address, limits))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def place(self, key: str) -> dict[str, str]:
        """Where this key is, as the library wants it."""
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{key}"}

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Errors of the library inside leave in our words."""
        with asking(self.limits.read_s):
            yield

    def put(self, key: str, body: bytes | IO[bytes], sha256: str) -> None:
        """One object, whole; the other side compares it with its hash, if it can."""
        with self.asking():
            checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
            self.client.put_object(**self.place(key), Body=body, ChecksumSHA256=checksum, **self.extras)

    def head(self, key: str) -> Any:
        """Its size and what the other side knows of its content; NotFound."""
        with self.asking():
            return self.client.head_object(**self.place(key), ChecksumMode="ENABLED")

    def get(self, key: str, most: int) -> bytes:
        """A small object, whole. Damaged when it is longer than ``most``."""
        content = bytearray()
        for chunk in self.stream(key):
            content += chunk
            if len(content) > most:
                raise Damaged(key, most, "longer than it may be")
        return bytes(content)

    def stream(self, key: str) -> Iterator[bytes]:
        """Its bytes, piece by piece. When the connection is cut it goes on from there, as long as some progress is made."""
        offset, cuts, cut_at = 0, 0, 0
        while True:
            try:
                for chunk in self._from(key, offset):
                    offset += len(chunk)
                    yield chunk
                return
            except CUT as error:
                cuts = 1 if offset - cut_at > self.limits.part_bytes else cuts + 1
                cut_at = offset
                if cuts >= self.limits.tries:
                    raise translate(error, self.limits.read_s) from error

    def listed(self, beginning: str) -> Iterator[StoredObject]:
        """Every object whose key begins so."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{beginning}")
        with self.asking():
            for page in pages:
                for each in page.get("Contents", ()):
                    yield StoredObject(each["Key"].removeprefix(self._prefix), each["Size"], each["LastModified"].timestamp())

    def folders(self, beginning: str) -> list[str]:
        """The names of the folders directly below."""
        whole = f"{self._prefix}{beginning}"
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=whole, Delimiter="/")
        with self.asking():
            found = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]
        return [each.removeprefix(whole).rstrip("/") for each in found]

    def delete(self, keys: Sequence[str]) -> None:
        """These objects; none is missed that is not there."""
        for start in range(0, len(keys), _MOST_DELETED):
            several: Any = [{"Key": f"{self._prefix}{key}"} for key in keys[start : start + _MOST_DELETED]]
            with self.asking():
                answer = self.client.delete_objects(Bucket=self._bucket, Delete={"Objects": several, "Quiet": True})
            if answer.get("Errors"):
                raise Rejected(SYSTEM, f"not deleted: {answer['Errors'][0].get('Code')}")

    def uploads(self, beginning: str) -> list[tuple[str, str, float]]:
        """Uploads in parts that nobody finished: (key, id, when it began)."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{beginning}")
        with self.asking():
            found = [each for page in pages for each in page.get("Uploads", ())]
        return [(each["Key"].removeprefix(self._prefix), each["UploadId"], each["Initiated"].timestamp()) for each in found]

    def abort(self, key: str, upload: str) -> None:
        """Drop an upload in parts."""
        with contextlib.suppress(NotFound), self.asking():
            self.client.abort_multipart_upload(**self.place(key), UploadId=upload)

    def now(self) -> float:
        """What time it is over there; asking it proves that the bucket is there and may be looked into."""
        with self.asking():
            answer = self.client.list_objects_v2(Bucket=self._bucket, Prefix=f"{self._prefix}leases/", MaxKeys=1)
        told = str(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))
        try:
            return email.utils.parsedate_to_datetime(told).timestamp()
        except ValueError:
            return datetime.datetime.now(datetime.UTC).timestamp()

    def _from(self, key: str, offset: int) -> Iterator[bytes]:
        """From ``offset`` on. What asking for it throws is ours already; what cuts the stream is the library's."""
        with self.asking():
            answer = self.client.get_object(**self.place(key), **({"Range": f"bytes={offset}-"} if offset else {}))
        with contextlib.closing(answer["Body"]) as body:
            if offset and answer["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.PARTIAL_CONTENT:
                raise Rejected(SYSTEM, "it does not go on where it was cut")
            while chunk := body.read(BLOCK):
                yield chunk


def _config(address: Address, limits: Limits) -> Config:
    return Config(
        connect_timeout=limits.connect_s,
        read_timeout=limits.read_s,
        retries={"mode": "standard", "total_max_attempts": limits.attempts},
        max_pool_connections=2 * limits.parallel,
        # Checksums are ours: the library's own default is not understood by every S3 there is.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "auto" if address.amazon else "path"},
    )
