"""A private mongod: a replica set of one (transactions and change streams need it), with users."""

import secrets
import shutil
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local import vendor
from deploy.local.errors import MissingError
from deploy.local.home import Home, wait_for, write_private
from deploy.local.programs import Program
from deploy.local.provision import DATABASES, provision_database
from deploy.local.supervise import Supervisor

REPLICA_SET = "rs0"
UNAUTHORIZED = 13


class Mongod:
    """The database server of one stack. Restartable on the same data."""

    def __init__(self, home: Home, supervisor: Supervisor, respawn: bool = True) -> None:
        self._home, self._supervisor, self._respawn = home, supervisor, respawn

    @property
    def root_url(self) -> str:
        """Where the root user connects."""
        return self.url("root", self._home.secret("mongo.root"), "admin")

    def mongo_url(self, service: str) -> str:
        """Where a service connects to the database of its own name."""
        return self.url(service, self._home.secret(f"mongo.{service}"), service)

    def url(self, user: str, password: str, database: str) -> str:
        """Where a user connects who is declared in that database."""
        return f"mongodb://{user}:{password}@{self._address}/{database}?replicaSet={REPLICA_SET}"

    def programs(self) -> list[Program]:
        """mongod. On the first call this may fetch it.

        Raises:
            MissingError: There is no mongod on this machine and none can be fetched, or it lacks a library.
        """
        own = self._home.folder("mongo")
        options = {
            "bind_ip": "127.0.0.1",
            "port": str(self._home.port("mongo")),
            "dbpath": str(self._home.folder("mongo/data")),
            "replSet": REPLICA_SET,
            "keyFile": f"{own}/keyfile",
            "wiredTigerCacheSizeGB": "1",
            # Megabytes; the default is a twentieth of the free disk.
            "oplogSize": "1024",
        }
        flags = ["--nounixsocket", "--quiet"]
        # A set of one has nobody to hand over to.
        parameters = ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"]
        # Seconds; a killed worker's open transaction holds its documents until then (the default is 60).
        parameters += ["--setParameter", "transactionLifetimeLimitSeconds=10"]
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [Program("mongod", (str(_locate()), *words, *flags, *parameters), {}, self._respawn)]

    def start(self) -> None:
        """Start the server."""
        keyfile = self._home.folder("mongo") / "keyfile"
        if not keyfile.exists():
            write_private(keyfile, secrets.token_hex(64).encode())
        self._supervisor.start("mongod")

    def wait_healthy(self, deadline: float = 180) -> None:
        """Wait until the server is primary of its set and has its root user; on first start make it so.

        Raises:
            StackError: It died or took longer than `deadline` seconds.
        """
        with _client(f"mongodb://{self._address}/?directConnection=true") as client:
            wait_for("mongod's start", lambda: self._supervisor.check("mongod") and self._primary(client), deadline)
            self._ensure_root(client)

    def provision(self) -> None:
        """Make a database and a user confined to it for each service."""
        for name in DATABASES:
            provision_database(self.root_url, name, name, self._home.secret(f"mongo.{name}"))

    def stop(self) -> None:
        """Shut down cleanly."""
        self._supervisor.stop("mongod")

    def kill(self) -> None:
        """kill -9."""
        self._supervisor.kill("mongod")

    @property
    def _address(self) -> str:
        return f"127.0.0.1:{self._home.port('mongo')}"

    def _primary(self, client: MongoClient[dict[str, Any]]) -> bool:
        try:
            hello = client.admin.command("hello")
            if "setName" not in hello:
                members = [{"_id": 0, "host": self._address}]
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            return bool(hello.get("isWritablePrimary") and "setName" in hello)
        except PyMongoError:
            return False

    def _ensure_root(self, client: MongoClient[dict[str, Any]]) -> None:
        """Without any user yet, a client on loopback may make the first one; afterwards it is refused."""
        try:
            client.admin.command("createUser", "root", pwd=self._home.secret("mongo.root"), roles=["root"])
        except OperationFailure as failure:
            if failure.code != UNAUTHORIZED:
                raise


def _client(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=200)


def _locate() -> Path:
    found = shutil.which("mongod")
    if found:
        return Path(found)
    binary = vendor.mongod()
    lacking = vendor.missing_libraries(binary)
    if lacking:
        raise MissingError(f"mongod needs {', '.join(lacking)} (on Debian: apt-get install libcurl4)")
    return binary
