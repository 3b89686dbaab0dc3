"""`python -m deploy.docker.provision`: makes a broker and a database ready for the services; may be run again.

Vhost, users and their rights on RabbitMQ; MongoDB's replica set, databases and users; the key pair that signs and
checks tokens; and `stack.json`, so that `shilian` in a container knows where all is. Passwords come from
`AMQP_PASSWORD_<USER>` and `MONGO_PASSWORD_<DATABASE>`.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import StackError
from deploy.local.home import Home, default_directory, wait_for
from deploy.local.mongod import REPLICA_SET
from deploy.local.processes import PROCESSES
from deploy.local.provision import (
    SERVICES_USER,
    SOURCES,
    VHOST,
    provision_database,
    provision_services,
    provision_source,
)
from deploy.local.rabbitmq import check_version

PATIENCE_S = 120
GRPC_PORT = 50051


def main() -> None:
    """Exits 1 with a sentence when a server is not there or refuses."""
    try:
        provision(os.environ)
    except StackError as error:
        sys.exit(str(error))


def provision(env: Mapping[str, str]) -> None:
    """`SHILIAN_MANAGEMENT_URL` and `SHILIAN_MONGO_ROOT_URL` are the administrators' addresses; with
    `directConnection=true` a server that is in no replica set yet is made a set of one.

    Raises:
        StackError: A server did not answer, or refused.
    """
    management, root = env["SHILIAN_MANAGEMENT_URL"], env["SHILIAN_MONGO_ROOT_URL"]
    _provision_broker(management, env)
    _provision_database(root, env)
    home = Home.at(default_directory())
    home.private_key  # noqa: B018 - made when it is not there yet
    Path(env["SHILIAN_JWT_PUBLIC_KEY_FILE"]).write_bytes(home.public_key.read_bytes())
    (home.path / "stack.json").write_text(json.dumps(_description(env, str(home.private_key)), indent=2))


def _provision_broker(management: str, env: Mapping[str, str]) -> None:
    wait_for("RabbitMQ's answer", lambda: _answers(management), PATIENCE_S)
    check_version(management)
    provision_services(management, _amqp_password(env, SERVICES_USER))
    for source in SOURCES:
        provision_source(management, source, _amqp_password(env, source))


def _provision_database(root: str, env: Mapping[str, str]) -> None:
    address = urlsplit(root).netloc.rpartition("@")[2]
    with MongoClient[dict[str, Any]](root, serverSelectionTimeoutMS=1000) as client:
        wait_for("MongoDB's primary", lambda: _primary(client, address), PATIENCE_S)
    for database in {process.database for process in PROCESSES if process.database}:
        provision_database(root, database, database, _mongo_password(env, database))


def _answers(management: str) -> bool:
    try:
        return httpx.get(f"{management}/api/overview").is_success
    except httpx.TransportError:
        return False


def _primary(client: MongoClient[dict[str, Any]], address: str) -> bool:
    """Whether the server may be written to. One that is to be in a set, and is in none yet, makes its own first."""
    try:
        hello = client.admin.command("hello")
        if hello.get("isreplicaset"):
            members = [{"_id": 0, "host": address}]
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return bool(hello["isWritablePrimary"])
    except OperationFailure as failure:
        raise StackError(f"MongoDB refused: {failure.details and failure.details.get('errmsg')}") from None
    except PyMongoError:
        return False


def _description(env: Mapping[str, str], private_key: str) -> dict[str, object]:
    """What `shilian` reads: addresses and credentials, as `Stack.description` gives them for the embedded stack."""
    broker = env["SHILIAN_AMQP_ADDRESS"]
    return {
        "amqp": {
            user: f"amqp://{user}:{_amqp_password(env, user)}@{broker}/{VHOST}" for user in (SERVICES_USER, *SOURCES)
        },
        "grpc": {p.service: f"{p.service}-api:{GRPC_PORT}" for p in PROCESSES if p.kind == "api"},
        "jwt_private_key": private_key,
    }


def _amqp_password(env: Mapping[str, str], user: str) -> str:
    """The password of a user of the broker: `AMQP_PASSWORD_DOCKING_FORMULA` is `docking.formula`'s."""
    return env["AMQP_PASSWORD_" + user.replace(".", "_").upper()]


def _mongo_password(env: Mapping[str, str], database: str) -> str:
    return env[f"MONGO_PASSWORD_{database.upper()}"]


if __name__ == "__main__":
    main()
