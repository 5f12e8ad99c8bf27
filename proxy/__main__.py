"""`python -m proxy`: arguments to a running proxy."""

import argparse
import os
import shutil
import socket
import sys
from dataclasses import replace
from pathlib import Path

from proxy.access_log import AccessLogRefused, check_place
from proxy.addresses import AddressRefused, address, listening
from proxy.admin_control import admin_key
from proxy.keys import KeyRefused, key_in
from proxy.open_files import room_for_clients
from proxy.privileges import UserRefused, become
from proxy.server import serve
from proxy.settings import Limits, Settings, installation_secret
from proxy.table import REHEARSAL_KEY, REHEARSAL_KEY_CHARACTERS, TableError, parse_table
from proxy.tls import Certificate, CertificateRefused, Place


def main(arguments: list[str] | None = None) -> int:
    """Run the proxy until it is stopped. Exit 2 for a table that is not sound or an address that is taken."""
    options = _parser().parse_args(arguments)
    try:
        clients = listening(address(options.bind))
        admin = listening(address(options.admin)) if options.admin else None
        certificate = _certificate(options)
        options.control.mkdir(parents=True, exist_ok=True)
        if options.user:
            become(options.user, options.control)
        key = admin_key(os.environ)
        rehearsal_key = key_in(os.environ, REHEARSAL_KEY, REHEARSAL_KEY_CHARACTERS)
        # What follows is read and written as the user that goes on reading and writing it.
        parse_table(options.table.read_text(), str(options.table), rehearses=bool(rehearsal_key))
        if options.access_log:
            check_place(options.access_log)
    except TableError as error:
        print(f"{error.file} is not a sound routing table:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 2
    except (AddressRefused, AccessLogRefused, CertificateRefused, KeyRefused, UserRefused) as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot read the routing table {options.table}: {error}", file=sys.stderr)
        return 2
    settings = replace(_settings(options, admin, key), rehearsal_key=rehearsal_key)
    _clear(settings)
    serve(settings, clients=clients, admin=admin, workers=options.workers, certificate=certificate)
    return 0


def _certificate(options: argparse.Namespace) -> Certificate | None:
    if options.certfile is None:
        if options.keyfile is not None:
            raise CertificateRefused("--keyfile: found no --certfile, wanted the certificate of that key")
        return None
    return Certificate(Place(options.certfile, options.keyfile))


def _settings(options: argparse.Namespace, admin: socket.socket | None, key: bytes) -> Settings:
    return Settings(
        table=options.table,
        control=options.control,
        secret=installation_secret(options.control),
        session_cookie=options.session_cookie,
        admin=admin.getsockname()[:2] if admin is not None else None,
        pairs=options.pairs,
        service_key=os.environ.get("STRANGLER_SERVICE_KEY", "").encode(),
        admin_key=key,
        access_log=options.access_log,
        debug=options.debug,
        limits=Limits(
            head_seconds=options.head_seconds,
            body_seconds=options.body_seconds,
            reader_seconds=options.reader_seconds,
            tunnel_seconds=options.tunnel_seconds,
            connections=options.connections,
            clients=options.clients or room_for_clients(options.connections),
        ),
    )


def _clear(settings: Settings) -> None:
    """Remove what workers of an earlier run left: sockets nobody listens on, and their counts."""
    for stale in settings.control.glob("worker-*.sock"):
        if not Path(f"/proc/{stale.stem.removeprefix('worker-')}").exists():
            stale.unlink(missing_ok=True)
    shutil.rmtree(settings.counts, ignore_errors=True)
    settings.counts.mkdir()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m proxy",
        description="The routing proxy alone, on gunicorn. Signals are gunicorn's: TERM stops gracefully.",
    )
    parser.add_argument("--table", type=Path, default=Path("proxy/routes.toml"), metavar="FILE")
    parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="where clients connect")
    parser.add_argument(
        "--admin",
        metavar="HOST:PORT",
        help="where /healthz and /metrics are served, and with STRANGLER_ADMIN_KEY /control",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument(
        "--control",
        type=Path,
        default=Path("var/proxy"),
        metavar="DIR",
        help="folder of the workers' control sockets",
    )
    _add_views(parser)
    _add_limits(parser)
    _add_safety(parser)
    parser.add_argument("--pairs", metavar="SOCKET", help="the comparer's Unix socket")
    parser.add_argument(
        "--session-cookie", default="sessionid", metavar="NAME", help="the monolith's session cookie"
    )
    return parser


def _add_views(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--access-log", metavar="FILE", help="one line of JSON a request; - is standard output; USR1 reopens"
    )
    parser.add_argument(
        "--debug", action="store_true", help="tell every client how its request was decided (X-Strangler-*)"
    )


def _add_safety(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--certfile",
        type=Path,
        metavar="FILE",
        help="TLS: the PEM chain for clients; HUP reads it again",
    )
    parser.add_argument("--keyfile", type=Path, metavar="FILE", help="its key, where that is in another file")
    parser.add_argument(
        "--user", metavar="NAME", help="started as root: run as this user once the addresses are taken"
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = Limits()
    parser.add_argument(
        "--head-seconds",
        type=float,
        default=limits.head_seconds,
        metavar="SECONDS",
        help="how long a request's head may take to arrive",
    )
    parser.add_argument(
        "--body-seconds",
        type=float,
        default=limits.body_seconds,
        metavar="SECONDS",
        help="how long an upload may pause",
    )
    parser.add_argument(
        "--reader-seconds",
        type=float,
        default=limits.reader_seconds,
        metavar="SECONDS",
        help="how long a client may read nothing of its answer",
    )
    parser.add_argument(
        "--tunnel-seconds",
        type=float,
        default=limits.tunnel_seconds,
        metavar="SECONDS",
        help="how long both sides of a websocket may be silent",
    )
    parser.add_argument(
        "--connections",
        type=int,
        default=limits.connections,
        metavar="N",
        help="at most so many from one worker to one upstream",
    )
    parser.add_argument(
        "--clients",
        type=int,
        metavar="N",
        help="at most so many connections to one worker; unless given, what the limit on open files leaves",
    )


if __name__ == "__main__":
    sys.exit(main())
