"""Write the command's reference, `docs/cli.md`, from its own help: `python -m strangler.cli.reference`."""

from collections.abc import Iterator
from pathlib import Path

import click

from strangler.cli import main

PAGE = Path("docs/cli.md")
WIDTH = 80

_HEAD = """\
# The command `strangler`

Made from the command's own help by `python -m strangler.cli.reference`; a test keeps the two equal.

Every verb exits with 0 when it is done, 1 when it ran and found differences, 2 when it refused or was used
wrongly, 3 when it could not measure. A refusal names itself, says what was found and what is wanted, and ends
with the next command; `docs/errors.md` has one entry for each. With `--json` it is
`{"error": {"id": …, "message": …, "next": …}}` on standard output.

The installation is the one that the current directory stands in (the nearest directory upwards that holds
`proxy/routes.toml`). The environment can say otherwise: STRANGLER_ROOT names that directory, STRANGLER_TABLE
the routing table, STRANGLER_VAR the folder of running state, STRANGLER_ACTOR who is recorded in the audit.
STRANGLER_PROXIES lists the admin addresses of other machines' proxies, STRANGLER_ADMIN_KEY is their key.
"""


def reference(command: click.Command = main) -> str:
    """Return the reference page as Markdown. Pure: the same help gives the same page."""
    sections = [
        f"## {path}\n\n```\n{text}\n```\n" for path, text in _helps(command, "strangler", parent=None)
    ]
    return "\n".join([_HEAD, *sections])


def _helps(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    name = path.rsplit(" ", 1)[-1]
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            inner = command.get_command(context, verb)
            assert inner is not None
            yield from _helps(inner, f"{path} {verb}", context)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
