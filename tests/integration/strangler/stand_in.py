"""A stack of tiny stand-in programs under a real supervisor, in a directory of its own."""

from dataclasses import dataclass
from pathlib import Path

from strangler.installation import Installation
from tests.ports import free_ports

PART = '''\
"""Listen where told and answer every request with 200; the last argument says how to misbehave."""

import http.server
import os
import pathlib
import signal
import socketserver
import sys
import threading
import time


def linger(number, frame):
    time.sleep(0.3)
    os._exit(0)


kind, *addresses, behaviour = sys.argv[1:]
print(kind, "starts", behaviour, flush=True)
if behaviour == "dies":
    sys.exit("no configuration found")
if behaviour == "lingers":
    signal.signal(signal.SIGTERM, linger)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if behaviour == "unwell" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def server(address):
    if kind == "unix":
        pathlib.Path(address).unlink(missing_ok=True)
        return socketserver.UnixStreamServer(address, socketserver.BaseRequestHandler)
    host, port = address.split(":")
    return http.server.ThreadingHTTPServer((host, int(port)), Handler)


servers = [server(address) for address in addresses]
for each in servers[1:]:
    threading.Thread(target=each.serve_forever, daemon=True).start()
servers[0].serve_forever()
'''

STACK = """\
[supervisord]
logfile = %(ENV_STRANGLER_VAR)s/log/supervisord.log
pidfile = %(ENV_STRANGLER_VAR)s/supervisord.pid
[unix_http_server]
file = %(ENV_STRANGLER_VAR)s/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[migration:catalog]
command = %(ENV_STRANGLER_PYTHON)s migrate.py command
check = %(ENV_STRANGLER_PYTHON)s migrate.py check
"""

PROGRAM = """
[program:{name}]
command = %(ENV_STRANGLER_PYTHON)s part.py {arguments}
directory = %(ENV_STRANGLER_ROOT)s
stdout_logfile = %(ENV_STRANGLER_VAR)s/log/{name}.log
redirect_stderr = true
autorestart = true
priority = {priority}
"""

MIGRATE = """\
import os, pathlib, sys
done = pathlib.Path(os.environ["STRANGLER_VAR"]) / "migrated"
if sys.argv[1] == "command":
    done.write_text(os.environ["CATALOG_DATABASE_URL"])
sys.exit(not done.exists())
"""

TABLE = """\
version = 1
[upstreams.monolith]
url = "http://127.0.0.1:{monolith}"
health = "/healthz"
[upstreams.catalog]
url = "http://127.0.0.1:{catalog}"
health = "/healthz"
[groups.catalog]
service = "catalog"
tables = ["catalog_product"]
owner = "monolith"
[[routes]]
name = "catalog.products"
group = "catalog"
path = "/api/products/"
methods = ["GET", "HEAD"]
stage = "monolith"
"""


@dataclass(frozen=True)
class StandIn:
    """An installation whose parts are stand-ins, and the environment to start it with."""

    place: Installation
    environ: dict[str, str]
    ports: dict[str, int]

    def misbehave(self, program: str, behaviour: str) -> None:
        """Make one part misbehave at its next start."""
        before, name, rest = self.place.stack_file.read_text().partition(f"[program:{program}]")
        self.place.stack_file.write_text(before + name + rest.replace(" well\n", f" {behaviour}\n", 1))

    def address(self, name: str) -> str:
        """Return HOST:PORT of one part."""
        return f"127.0.0.1:{self.ports[name]}"


def build(root: Path) -> StandIn:
    """Write a stand-in stack under `root`, on free ports."""
    names = ("monolith", "catalog", "proxy", "admin")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    programs = {
        "proxy": "http %(ENV_PROXY_BIND)s %(ENV_PROXY_ADMIN)s well",
        "monolith": "http %(ENV_MONOLITH_BIND)s well",
        "catalog": "http %(ENV_CATALOG_BIND)s well",
        "comparer": "unix %(ENV_STRANGLER_VAR)s/compare.sock well",
    }
    (root / "proxy").mkdir(parents=True)
    (root / "proxy" / "routes.toml").write_text(TABLE.format(**ports))
    (root / "part.py").write_text(PART)
    (root / "migrate.py").write_text(MIGRATE)
    priorities = {"proxy": 30, "comparer": 10}
    texts = [
        PROGRAM.format(name=name, arguments=arguments, priority=priorities.get(name, 20))
        for name, arguments in programs.items()
    ]
    (root / "supervisord.conf").write_text(STACK + "".join(texts))
    environ = {
        "PROXY_BIND": f"127.0.0.1:{ports['proxy']}",
        "PROXY_ADMIN": f"127.0.0.1:{ports['admin']}",
        "PATH": "/usr/bin:/bin",
    }
    return StandIn(Installation(root, root / "proxy" / "routes.toml", root / "var"), environ, ports)
