"""The comparer's process: `python -m strangler.compare --socket PATH --store PATH`, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import click

from strangler.compare.drain import Drain
from strangler.compare.rule_file import RulesInForce
from strangler.compare.writing import Writer
from strangler.errors import StranglerError


@click.command()
@click.option("--socket", "socket_path", type=click.Path(path_type=Path), required=True)
@click.option("--store", "store_path", type=click.Path(path_type=Path), required=True)
@click.option("--rules", type=click.Path(path_type=Path), help="The team's rules; read again when changed.")
def main(socket_path: Path, store_path: Path, rules: Path | None) -> None:
    """Judge the pairs that the proxy's workers send to a Unix socket, and keep the verdicts."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.umask(0o077)  # requests are kept whole, with their cookies and tokens
    try:
        asyncio.run(_run(socket_path, store_path, rules))
    except StranglerError as error:
        click.echo(f"{error.id} {error.message}\n     next: {error.next}", err=True)
        sys.exit(error.exit_code)


async def _run(socket_path: Path, store_path: Path, rules: Path | None) -> None:
    writer = Writer(store_path)
    try:
        in_force = RulesInForce(rules)
        drain = Drain(writer, in_force.judge, before_batch=in_force.look_again)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, drain.stop)
        await drain.run(socket_path)
    finally:
        writer.close()


if __name__ == "__main__":
    main()
