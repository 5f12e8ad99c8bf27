"""`python -m tests.on_postgres [PYTEST ARGUMENTS]`: the monolith's own tests once more, on PostgreSQL."""

import os
import subprocess
import sys

from tests.postgres import Postgres, running_server

MONOLITH = ["tests/unit/monolith", "tests/integration/monolith"]


def main(arguments: list[str]) -> int:
    """Run pytest on a database of its own and return its exit code."""
    with running_server() as admin_url:
        server = Postgres(admin_url)
        environment = {**os.environ, "MONOLITH_DATABASE_URL": server.fresh()}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *MONOLITH, *arguments], env=environment, check=False
            )
        finally:
            for name in server.made:
                server.drop(name)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
