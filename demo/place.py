"""Where the demo lives: its own folder, databases and routing table, so that nothing of yours is touched."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomlkit

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_BINDS = {
    "PROXY_BIND": "127.0.0.1:8000",
    "MONOLITH_BIND": "127.0.0.1:8001",
    "CATALOG_BIND": "127.0.0.1:8101",
}


class Failed(Exception):
    """A command of the demo ended otherwise than it should; the message is what it said."""


@dataclass(frozen=True)
class Place:
    """A folder for everything the demo makes, and the environment that leads every command there."""

    var: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where clients connect: the proxy."""
        return f"http://{self.environment['PROXY_BIND']}"

    def run(self, *command: str) -> str:
        """Run a command of this house and return what it printed. Raises Failed."""
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=ROOT, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed((done.stdout + done.stderr).strip())
        return done.stdout.rstrip()

    def strangler(self, *arguments: str) -> str:
        """Run `strangler` and return what it printed. Raises Failed."""
        return self.run(str(Path(sys.executable).with_name("strangler")), *arguments)

    def manage(self, *arguments: str) -> str:
        """Run the monolith's `manage.py` and return what it printed. Raises Failed."""
        return self.run(sys.executable, "monolith/manage.py", *arguments)


def default_binds() -> dict[str, str]:
    """Return the addresses the parts listen on: the environment's, else the usual ones."""
    return {name: os.environ.get(name, default) for name, default in DEFAULT_BINDS.items()}


def fresh_place(var: Path, binds: Mapping[str, str]) -> Place:
    """Empty the folder `var` and return it, with a table whose every route is at `monolith`."""
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True)
    environment = {
        **os.environ,
        **binds,
        "STRANGLER_ROOT": str(ROOT),
        "STRANGLER_VAR": str(var),
        "STRANGLER_TABLE": str(var / "routes.toml"),
        "MONOLITH_CHECKOUT_RATE": "6000/min",  # these customers buy faster than people do
        "MONOLITH_DATABASE_URL": f"sqlite:///{var}/monolith.sqlite3",
        "CATALOG_DATABASE_URL": f"sqlite:///{var}/catalog.sqlite3",
    }
    table = (ROOT / "proxy" / "routes.toml").read_text()
    for name in ("MONOLITH_BIND", "CATALOG_BIND"):
        table = table.replace(DEFAULT_BINDS[name], binds[name])
    (var / "routes.toml").write_text(table)
    return Place(var, environment)


def declare(place: Place, route: str, **options: Mapping[str, object]) -> None:
    """Give a route of the table further options, as one would by hand."""
    file = place.var / "routes.toml"
    document = tomlkit.parse(file.read_text())
    (found,) = (each for each in document["routes"] if each["name"] == route)
    for name, values in options.items():
        inline = tomlkit.inline_table()
        inline.update(values)
        found[name] = inline
    file.write_text(tomlkit.dumps(document))
