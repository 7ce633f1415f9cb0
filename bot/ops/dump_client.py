"""A connection for moving whole collections: patient with each answer, and told apart from the one that asks small questions.

Knows no collection.
"""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, OperationFailure
from pymongo.uri_parser import parse_uri

from bot.ops.dump_metadata import EXACT
from bot.ops.mongo_values import APP_NAME

Document = dict[str, Any]
Database = AsyncDatabase[Document]
DEFAULT_DATABASE = "vcc-manager"
# Seconds: until a server is found, and for one answer about much data.
PATIENCE = 5.0
DEADLINE = 60.0


def connect(uri: str) -> AsyncMongoClient[Document]:
    """A client that connects when first asked. ValueError, without the address, when ``uri`` is none."""
    try:
        return AsyncMongoClient(
            uri,
            appname=APP_NAME,
            serverSelectionTimeoutMS=int(PATIENCE * 1000),
            connectTimeoutMS=int(PATIENCE * 1000),
            maxPoolSize=4,
        )
    except ConfigurationError as error:
        raise ValueError("not a MongoDB address; percent-encode the name and the password in it") from error


def database_of(uri: str, given: str = "") -> str:
    """The database's name: ``given``, else the address's own."""
    return given or str(parse_uri(uri, validate=False)["database"] or DEFAULT_DATABASE)


def exact(client: AsyncMongoClient[Document], name: str) -> Database:
    """The database, answering with the server's values as they are."""
    return client.get_database(name, codec_options=EXACT)


def code_of(error: BaseException) -> int | None:
    """The server's own number of what went wrong, from one of our errors or the driver's."""
    found = error if isinstance(error, OperationFailure) else error.__cause__
    return found.code if isinstance(found, OperationFailure) else None
