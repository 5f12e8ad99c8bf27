"""`python -m proxy`: arguments to a running proxy."""

import argparse
import shutil
import sys
from pathlib import Path

from proxy.server import serve
from proxy.settings import Settings, installation_secret
from proxy.table import TableError, parse_table


def main(arguments: list[str] | None = None) -> int:
    """Run the proxy until it is stopped. Exit 2 for a table that is not sound."""
    options = _parser().parse_args(arguments)
    try:
        parse_table(options.table.read_text(), str(options.table))
    except TableError as error:
        print(f"{error.file} is not a sound routing table:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot read the routing table: {error}", file=sys.stderr)
        return 2
    control: Path = options.control
    control.mkdir(parents=True, exist_ok=True)
    for stale in control.glob("worker-*.sock"):
        if not Path(f"/proc/{stale.stem.removeprefix('worker-')}").exists():
            stale.unlink(missing_ok=True)
    settings = Settings(
        table=options.table,
        control=control,
        secret=installation_secret(control),
        session_cookie=options.session_cookie,
        admin=_address(options.admin) if options.admin else None,
        pairs=options.pairs,
    )
    shutil.rmtree(settings.counts, ignore_errors=True)
    settings.counts.mkdir()
    serve(settings, bind=options.bind, admin=options.admin, workers=options.workers)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m proxy",
        description="The routing proxy alone, on gunicorn. Signals are gunicorn's: TERM stops gracefully.",
    )
    parser.add_argument("--table", type=Path, default=Path("proxy/routes.toml"), metavar="FILE")
    parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="where clients connect")
    parser.add_argument("--admin", metavar="HOST:PORT", help="where /healthz and /metrics are served")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument(
        "--control",
        type=Path,
        default=Path("var/proxy"),
        metavar="DIR",
        help="folder of the workers' control sockets",
    )
    parser.add_argument("--pairs", metavar="SOCKET", help="the comparer's Unix socket")
    parser.add_argument(
        "--session-cookie", default="sessionid", metavar="NAME", help="the monolith's session cookie"
    )
    return parser


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
