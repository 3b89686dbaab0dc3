"""A private RabbitMQ: own name server, node, ports and data; nothing of the system's is touched."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx

from deploy.local import vendor
from deploy.local.errors import MissingError, StackError
from deploy.local.home import Home, listens, wait_for
from deploy.local.programs import Program
from deploy.local.provision import SERVICES_USER, SOURCES, VHOST, provision_services, provision_source
from deploy.local.supervise import Supervisor

NODE = "shilian@localhost"
PLUGINS = "[rabbitmq_management,rabbitmq_prometheus,rabbitmq_consistent_hash_exchange]."

# Since 3.10 quorum queues have message TTL and at-least-once dead-lettering.
OLDEST = (3, 10)


class Broker:
    """The broker of one stack. Restartable on the same data."""

    def __init__(self, home: Home, supervisor: Supervisor, respawn: bool = True) -> None:
        self._home, self._supervisor, self._respawn = home, supervisor, respawn

    @property
    def management_url(self) -> str:
        """Base address of the management API, with the administrator's credentials in it."""
        return f"http://admin:{self._home.secret('amqp.admin')}@127.0.0.1:{self._home.port('management')}"

    def amqp_url(self, user: str) -> str:
        """Where that user connects to the vhost `shilian`."""
        return f"amqp://{user}:{self._home.secret('amqp.' + user)}@127.0.0.1:{self._home.port('amqp')}/{VHOST}"

    def programs(self) -> list[Program]:
        """epmd and the node. On the first call this may fetch RabbitMQ.

        Raises:
            MissingError: There is no RabbitMQ on this machine and none can be fetched, or it is too old.
        """
        server, path, root = _locate()
        env = self._environment(path, root)
        epmd = shutil.which("epmd", path=env["PATH"])
        if not epmd:
            raise MissingError(f"{server} is there, but Erlang's epmd is not on the PATH")
        return [
            Program("epmd", (epmd,), env, stop_within=5),
            # Told so, RabbitMQ's script becomes the Erlang machine instead of guarding it from a shell.
            Program("rabbitmq", (str(server),), {**env, "RUNNING_UNDER_SYSTEMD": "true"}, self._respawn),
        ]

    def start(self) -> None:
        """Start epmd, then the node."""
        self._write_configuration()
        self._supervisor.start("epmd")
        wait_for("epmd's first answer", lambda: listens(self._home.port("epmd")), 60)
        self._supervisor.start("rabbitmq")

    def wait_healthy(self, deadline: float = 180) -> None:
        """Wait until the node accepts AMQP connections.

        Raises:
            StackError: It died or took longer than `deadline` seconds.
            MissingError: It is older than 3.10.
        """
        wait_for("RabbitMQ's start", lambda: self._supervisor.check("rabbitmq") and self._ready(), deadline)
        check_version(self.management_url)

    def provision(self) -> None:
        """Make the vhost, the services' user and one user per legacy source."""
        provision_services(self.management_url, self._home.secret(f"amqp.{SERVICES_USER}"))
        for source in SOURCES:
            provision_source(self.management_url, source, self._home.secret(f"amqp.{source}"))

    def stop(self) -> None:
        """Stop the node; epmd stays until the whole stack goes."""
        self._supervisor.stop("rabbitmq")

    def kill(self) -> None:
        """kill -9 the node."""
        self._supervisor.kill("rabbitmq")

    def ctl(self, *words: str) -> str:
        """Run `rabbitmqctl` on the node, and return what it printed.

        Raises:
            StackError: It failed.
        """
        server, path, root = _locate()
        env = {**os.environ, **self._environment(path, root)}
        command = [str(server.with_name("rabbitmqctl")), "-n", NODE, *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"rabbitmqctl {' '.join(words)} failed: {done.stderr.strip()}")
        return done.stdout

    def _ready(self) -> bool:
        try:
            port = self._home.port("amqp")
            return httpx.get(f"{self.management_url}/api/health/checks/port-listener/{port}").is_success
        except httpx.TransportError:
            return False

    def _environment(self, path: str, root: Path | None) -> dict[str, str]:
        own = self._home.folder("rabbitmq")
        erlang = {"ERL_ROOTDIR": str(root)} if root else {}
        return erlang | {
            "PATH": path,
            "HOME": str(own),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._home.port("epmd")),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._home.port("erlang")),
            "RABBITMQ_MNESIA_BASE": f"{own}/data",
            "RABBITMQ_LOG_BASE": f"{own}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{own}/enabled_plugins",
            "RABBITMQ_CONFIG_FILE": f"{own}/rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": f"{own}/conf.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{own}/advanced.config",
            "RABBITMQ_CONF_ENV_FILE": f"{own}/rabbitmq-env.conf",
            # Several Erlang machines on few cores: let the kernel place their schedulers, and let them sleep.
            "RABBITMQ_SCHEDULER_BIND_TYPE": "u",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }

    def _write_configuration(self) -> None:
        own = self._home.folder("rabbitmq")
        (own / "enabled_plugins").write_text(PLUGINS)
        (own / "rabbitmq-env.conf").write_text("")
        (own / "rabbitmq.conf").write_text(f"""\
listeners.tcp.1 = 127.0.0.1:{self._home.port("amqp")}
management.tcp.ip = 127.0.0.1
management.tcp.port = {self._home.port("management")}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {self._home.port("prometheus")}
default_vhost = {VHOST}
default_user = admin
default_pass = {self._home.secret("amqp.admin")}
disk_free_limit.absolute = 50MB
max_message_size = 8388608
""")


def check_version(management_url: str) -> None:
    """Refuse a broker that lacks what the retry ladder and dead letters need.

    Raises:
        MissingError: It is older than 3.10.
        StackError: The management API does not answer.
    """
    try:
        answer = httpx.get(f"{management_url}/api/overview").raise_for_status().json()
    except httpx.HTTPError as error:
        raise StackError(f"RabbitMQ's management API does not answer ({error}): set SHILIAN_MANAGEMENT_URL.") from None
    version = str(answer["rabbitmq_version"])
    if _numbers(version) < OLDEST:
        raise MissingError(f"RabbitMQ {version} is too old, Shilian needs 3.10 or later")


def _locate() -> tuple[Path, str, Path | None]:
    """The server's script, the PATH it needs, and Erlang's root when that is not where it was built for."""
    found = shutil.which("rabbitmq-server")
    if found:
        # Debian's command insists on being root or rabbitmq; the script behind it does not.
        behind = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        wrapped = Path(found).resolve().name == "rabbitmq-script-wrapper"
        return (behind if wrapped else Path(found).resolve()), os.environ["PATH"], None
    root = vendor.rabbitmq()
    erlang = root / "usr/lib/erlang"
    server = root / "usr/lib/rabbitmq/bin/rabbitmq-server"
    return server, f"{erlang}/bin:{os.environ['PATH']}", erlang


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
