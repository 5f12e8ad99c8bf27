"""The command `strangler`: arguments to one use case to an exit code. No logic lives here.

Exit codes: 0 done, 1 ran and found differences, 2 refused or wrong usage, 3 could not measure.
"""

from importlib import import_module
from typing import Any

import click

from strangler.errors import StranglerError

AS_JSON = "strangler.as_json"

# Each verb and the module of its family, in the order of use. A family is loaded when one of its verbs is
# called: going back must not wait for what only a comparison or a takeover needs.
FAMILIES = {
    "up": "stack",
    "down": "stack",
    "status": "stack",
    "routes": "routes",
    "flip": "routes",
    "back": "routes",
    "apply": "routes",
    "history": "routes",
    "sign": "sign",
    "watch": "watch",
    "compare": "compare",
    "takeover": "takeover",
    "sync": "takeover",
    "doctor": "doctor",
}


class Kit(click.Group):
    """A group that loads a verb when it is called, and turns refusals into words and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of use, not of the alphabet."""
        return list(FAMILIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, None when there is none of this name."""
        if cmd_name not in FAMILIES:
            return None
        command = getattr(import_module(f"strangler.cli.{FAMILIES[cmd_name]}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember whether a refusal must be JSON: by then the verb's own context is gone."""
        ctx.meta[AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a refusal ends with its own exit code."""
        try:
            return super().invoke(ctx)
        except StranglerError as error:
            from strangler.cli.output import show_error  # the terminal library is slow to load

            show_error(error, as_json=ctx.meta[AS_JSON])
            ctx.exit(error.exit_code)


@click.group(cls=Kit, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="strangler-kit")
def main() -> None:
    """Move a monolith's endpoints and tables to services, one at a time, with evidence and a way back.

    Exit codes: 0 done, 1 ran and found differences, 2 refused or wrong usage, 3 could not measure.
    """
