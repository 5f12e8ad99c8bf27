"""The comparer's process: `python -m strangler.compare --socket PATH --store PATH`, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import click

from strangler.compare.asking import Asker
from strangler.compare.drain import Drain
from strangler.compare.rule_file import RulesInForce
from strangler.compare.writing import Writer
from strangler.errors import StranglerError
from strangler.installation import Installation, find_installation
from strangler.looking_again import looks_of

ASK_SECONDS = 5.0  # of patience with one side at a second look


@click.command()
@click.option("--socket", "socket_path", type=click.Path(path_type=Path), required=True)
@click.option("--store", "store_path", type=click.Path(path_type=Path), required=True)
@click.option("--rules", type=click.Path(path_type=Path), help="The team's rules; read again when changed.")
@click.option("--look-again", is_flag=True, help="Where a pair differs, ask both sides again, as nobody.")
@click.option("--proxy", metavar="URL", help="Where to ask, instead of PROXY_BIND.")
def main(
    socket_path: Path, store_path: Path, rules: Path | None, look_again: bool, proxy: str | None
) -> None:
    """Judge the pairs that the proxy's workers send to a Unix socket, and keep the verdicts."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.umask(0o077)  # requests are kept whole, with their cookies and tokens
    try:
        place = find_installation(Path.cwd(), os.environ) if look_again else None
        asyncio.run(_run(socket_path, store_path, rules, place, proxy))
    except StranglerError as error:
        click.echo(f"{error.id} {error.message}\n     next: {error.next}", err=True)
        sys.exit(error.exit_code)


async def _run(
    socket_path: Path, store_path: Path, rules: Path | None, place: Installation | None, proxy: str | None
) -> None:
    with closing(Writer(store_path)) as writer, Asker(ASK_SECONDS) as asker:
        in_force = RulesInForce(rules)
        if place is None:
            writer.decide_all()  # of a comparer before this one, which would have looked again
            drain = Drain(writer, in_force.judge, before_batch=in_force.look_again)
        else:
            looks = looks_of(place, asker, in_force.terms, proxy)
            drain = Drain(writer, looks.judge, looks=looks, before_batch=in_force.look_again)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, drain.stop)
        await drain.run(socket_path)


if __name__ == "__main__":
    main()
