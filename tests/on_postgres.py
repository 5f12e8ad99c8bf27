"""`python -m tests.on_postgres [PYTEST ARGUMENTS]`: the monolith's own tests once more, on PostgreSQL."""

import os
import subprocess
import sys

from tests.postgres import running_postgres

MONOLITH = [
    "tests/unit/monolith",
    "tests/integration/monolith",
    "tests/integration/fence",
    "tests/integration/recording",
]


def main(arguments: list[str]) -> int:
    """Run pytest on a database of its own and return its exit code."""
    with running_postgres() as server:
        environment = {**os.environ, "MONOLITH_DATABASE_URL": server.fresh()}
        command = [sys.executable, "-m", "pytest", *MONOLITH, *arguments]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
