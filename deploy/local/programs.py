"""What a stack's supervisord runs, and its configuration file."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deploy.local.home import Home


@dataclass(frozen=True)
class Program:
    """One supervised program; `stop_within` is seconds from SIGTERM to SIGKILL."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    respawn: bool = True
    stop_within: int = 30


def configuration(home: Home, programs: Iterable[Program]) -> str:
    """The text of `supervisord.conf`: these programs, none of them started by itself."""
    path = _value(str(home.path))
    head = f"""\
[supervisord]
identifier={home.secret("supervisor.name")}
logfile={path}/supervisord.log
pidfile={path}/supervisord.pid
childlogdir={path}
umask=077

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[inet_http_server]
port=127.0.0.1:{home.port("supervisor")}
username=shilian
password={home.secret("supervisor")}
"""
    return head + "".join(_section(home, program) for program in programs)


def _section(home: Home, program: Program) -> str:
    environment = ",".join(f'{name}="{_value(value)}"' for name, value in program.env.items())
    return f"""
[program:{program.name}]
command={_value(shlex.join(program.argv))}
environment={environment}
autostart=false
autorestart={str(program.respawn).lower()}
startsecs=1
stopwaitsecs={program.stop_within}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={_value(str(home.log(program.name)))}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
"""


def _value(text: str) -> str:
    """supervisord expands `%` in what it reads."""
    return text.replace("%", "%%")
