"""The command `strangler`: arguments to one use case to an exit code. No logic lives here.

Exit codes: 0 done, 1 ran and found differences, 2 refused or wrong usage, 3 could not measure.
"""

from typing import Any

import click

from strangler.cli.compare import compare
from strangler.cli.doctor import doctor
from strangler.cli.output import show_error
from strangler.cli.routes import back, flip, history, routes
from strangler.cli.stack import down, status, up
from strangler.cli.takeover import takeover
from strangler.errors import StranglerError

AS_JSON = "strangler.as_json"


class Kit(click.Group):
    """A group that lists its commands as they were added, and turns refusals into words and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of use, not of the alphabet."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember whether a refusal must be JSON: by then the verb's own context is gone."""
        ctx.meta[AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a refusal ends with its own exit code."""
        try:
            return super().invoke(ctx)
        except StranglerError as error:
            show_error(error, as_json=ctx.meta[AS_JSON])
            ctx.exit(error.exit_code)


@click.group(cls=Kit, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="strangler-kit")
def main() -> None:
    """Move a monolith's endpoints and tables to services, one at a time, with evidence and a way back.

    Exit codes: 0 done, 1 ran and found differences, 2 refused or wrong usage, 3 could not measure.
    """


for command in (up, down, status, routes, flip, back, history, compare, takeover, doctor):
    main.add_command(command)
