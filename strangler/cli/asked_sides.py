"""The options of every verb that asks both sides itself: as whom, and which way."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from strangler.compare.circumstances import ANONYMOUS, ROLES
from strangler.compare.replay import Role, Sides
from strangler.installation import Installation
from strangler.replaying import roles_of, sides_direct, sides_through_proxy
from strangler.table_file import read_table

Command = TypeVar("Command", bound=Callable[..., Any])


def role_option(command: Command) -> Command:
    """Give a command `--role`, as its argument `roles`."""
    return click.option(
        "--role",
        "roles",
        multiple=True,
        type=click.Choice(ROLES),
        help="As whom; may be repeated. Without it as anonymous, and as each role with credentials.",
    )(command)


def direct_option(command: Command) -> Command:
    """Give a command `--direct`."""
    said = "Ask the upstreams themselves; a service then knows of no role."
    return click.option("--direct", is_flag=True, help=said)(command)


def proxy_option(command: Command) -> Command:
    """Give a command `--proxy`."""
    said = "Where the proxy listens, instead of PROXY_BIND."
    return click.option("--proxy", metavar="URL", help=said)(command)


def asked_roles(roles: tuple[str, ...], *, direct: bool) -> tuple[Role, ...]:
    """Return as whom to ask: where none is named and the sides are asked directly, as nobody."""
    return roles_of(roles or ((ANONYMOUS,) if direct else ()))


def asked_sides(place: Installation, *, direct: bool, proxy: str | None) -> Callable[[str], Sides]:
    """Return both sides of a route by its name."""
    return sides_direct(read_table(place.table).table) if direct else sides_through_proxy(place, proxy)
