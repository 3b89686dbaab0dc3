"""Servers the user runs: SHILIAN_AMQP_URL, SHILIAN_MANAGEMENT_URL and SHILIAN_MONGO_URL in place of ours."""

import os
from urllib.parse import parse_qsl, urlencode, urlsplit

from deploy.local.home import Home
from deploy.local.programs import Program
from deploy.local.provision import SERVICES_USER, SOURCES, provision_source
from deploy.local.rabbitmq import check_version

MANAGEMENT_PORT = 15672


class OwnBroker:
    """The user's RabbitMQ. Services connect as the address says; every source gets a user of its own."""

    def __init__(self, home: Home, url: str) -> None:
        self._home, self._parts = home, urlsplit(url)

    @property
    def management_url(self) -> str:
        """SHILIAN_MANAGEMENT_URL, else the usual port of the same host with the same credentials."""
        credentials = self._parts.netloc.rpartition("@")[0]
        usual = f"http://{credentials}@{self._parts.hostname}:{MANAGEMENT_PORT}"
        return (os.environ.get("SHILIAN_MANAGEMENT_URL") or usual).rstrip("/")

    def amqp_url(self, user: str) -> str:
        """Where that user connects."""
        if user == SERVICES_USER:
            return self._parts.geturl()
        host = self._parts.netloc.rpartition("@")[2]
        return self._parts._replace(netloc=f"{user}:{self._home.secret('amqp.' + user)}@{host}").geturl()

    def programs(self) -> list[Program]:
        """None: the user runs it."""
        return []

    def start(self) -> None:
        """Nothing to start."""

    def wait_healthy(self) -> None:
        """Refuse a broker that is too old or does not answer (see `check_version`)."""
        check_version(self.management_url)

    def provision(self) -> None:
        """Make the users of the legacy sources."""
        vhost = self._parts.path.removeprefix("/") or "/"
        for source in SOURCES:
            provision_source(self.management_url, source, self._home.secret(f"amqp.{source}"), vhost)


class OwnMongo:
    """The user's MongoDB: one address, with a database per service in it."""

    def __init__(self, url: str) -> None:
        self.root_url = url
        self._parts = urlsplit(url)

    def mongo_url(self, service: str) -> str:
        """The same server and credentials, the service's own database."""
        options = dict(parse_qsl(self._parts.query))
        if self._parts.username:
            options.setdefault("authSource", self._parts.path.removeprefix("/") or "admin")
        return self._parts._replace(path=f"/{service}", query=urlencode(options)).geturl()

    def programs(self) -> list[Program]:
        """None: the user runs it."""
        return []

    def start(self) -> None:
        """Nothing to start."""

    def wait_healthy(self) -> None:
        """Each service's readiness says whether its database answers."""

    def provision(self) -> None:
        """The user's credentials are used as they are."""
