"""Who may do what on the broker and in the database. Every function may be repeated: the last call holds.

Exchanges and queues are not declared here: the services declare the topology they use.
"""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.topology import DOCKED, INGEST, SYSTEMS, egress_queue
from deploy.local.errors import StackError

VHOST = "shilian"
SERVICES_USER = "shilian"
SOURCES = (*SYSTEMS, *DOCKED)
DATABASES = ("registry", "trace", "inspection", "notify", "reporting")

NOTHING = "^$"

KEEPING = {
    "pattern": r"^egress\.|\.dead$",
    "definition": {"delivery-limit": -1},
    "apply-to": "quorum_queues",
}
"""Queues that people look into, and the look gives back: it must not count as a failed delivery."""
LIMITED_FROM = 4
"""Major version of RabbitMQ from which on a quorum queue drops a message after 20 deliveries unless told otherwise."""
USER_EXISTS = 51003


def provision_services(management_url: str, password: str, vhost: str = VHOST, user: str = SERVICES_USER) -> None:
    """A vhost, and a user with every right on it. `management_url` carries an administrator's credentials.

    Dead letters and answers are kept however often they are looked at.

    Raises:
        StackError: The management API refused.
    """
    with _management(management_url) as client:
        _put(client, f"vhosts/{quote(vhost, safe='')}", {})
        _user(client, user, password, tags="management")
        _permit(client, vhost, user, configure=".*", write=".*", read=".*")
        if _major_version(client) >= LIMITED_FROM:
            # By policy: a queue that stands is not declared again with other arguments.
            _put(client, f"policies/{quote(vhost, safe='')}/keeping", KEEPING)


def provision_source(management_url: str, name: str, password: str, vhost: str = VHOST) -> None:
    """A legacy system's user: it may publish to `shilian.ingest` under its own prefix and read its own
    `egress.<name>`, and nothing else.

    Raises:
        StackError: The management API refused.
    """
    write, read = _exactly(INGEST), _exactly(egress_queue(name).name)
    topic = {"exchange": INGEST, "write": rf"^{re.escape(name)}\.", "read": NOTHING}
    with _management(management_url) as client:
        _user(client, name, password, tags="")
        _permit(client, vhost, name, configure=NOTHING, write=write, read=read)
        _put(client, f"topic-permissions/{quote(vhost, safe='')}/{quote(name, safe='')}", topic)


def provision_database(root_url: str, database: str, user: str, password: str) -> None:
    """A user who may read, write and declare indexes in one database, and see no other. `root_url` is the
    administrator's."""
    roles = [{"role": role, "db": database} for role in ("readWrite", "dbAdmin")]
    with MongoClient[dict[str, Any]](root_url) as client:
        try:
            client[database].command("createUser", user, pwd=password, roles=roles)
        except OperationFailure as failure:
            if failure.code != USER_EXISTS:
                raise
            client[database].command("updateUser", user, pwd=password, roles=roles)


def remove_vhost(management_url: str, vhost: str, users: Iterable[str]) -> None:
    """Delete a vhost with all in it, and these users, as far as they are there."""
    with _management(management_url) as client:
        for path in (f"vhosts/{quote(vhost, safe='')}", *(f"users/{quote(user, safe='')}" for user in users)):
            response = client.delete(path)
            if response.status_code != HTTPStatus.NOT_FOUND:
                _done(response)


def _user(client: httpx.Client, name: str, password: str, tags: str) -> None:
    _put(client, f"users/{quote(name, safe='')}", {"password": password, "tags": tags})


def _permit(client: httpx.Client, vhost: str, user: str, **rights: str) -> None:
    _put(client, f"permissions/{quote(vhost, safe='')}/{quote(user, safe='')}", rights)


def _management(url: str) -> httpx.Client:
    return httpx.Client(base_url=f"{url}/api/", timeout=30)


def _major_version(client: httpx.Client) -> int:
    response = client.get("overview")
    _done(response)
    return int(str(response.json()["rabbitmq_version"]).partition(".")[0])


def _put(client: httpx.Client, path: str, body: Mapping[str, Any]) -> None:
    _done(client.put(path, json=body))


def _done(response: httpx.Response) -> None:
    if response.is_error:
        request = f"{response.request.method} {response.request.url.path}"
        raise StackError(f"RabbitMQ's management API answered {response.status_code} to {request}.")


def _exactly(name: str) -> str:
    return f"^{re.escape(name)}$"
