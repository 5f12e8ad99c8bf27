"""Play the demo and stop everything it started, whatever happened. Exit 0 only if every promise held."""

import contextlib
import sys
import time

from rich.console import Console

from demo.place import ROOT, Failed, default_binds, fresh_place
from demo.story import tell

NEXT = """\
Everything is stopped; what the demo made is in var/demo. Try next:

  make up                                    the stack, with databases of its own under var/
  . .venv/bin/activate
  python monolith/manage.py seed --products 2000 --orders 300 --seed 1
  strangler takeover start catalog --execute
  strangler flip catalog.products            and compare report, status, history, back
  strangler takeover verify catalog          and takeover cutover, status, rollback
  make down\
"""


def main() -> int:
    """Run the demo in a fresh place."""
    console = Console(highlight=False)
    started = time.monotonic()
    place = fresh_place(ROOT / "var" / "demo", default_binds())
    try:
        wrong = tell(place, console)
    except Failed as failure:
        wrong = [str(failure)]
    except KeyboardInterrupt:
        wrong = ["interrupted"]
    finally:
        with contextlib.suppress(Failed):
            place.strangler("down")
    if wrong:
        console.print("\n[bold red]This did not hold:[/bold red]")
        for line in wrong:
            console.print(f"  {line}", markup=False)
        return 1
    console.print(
        f"\n[bold green]No client saw an error, in any step.[/bold green] {time.monotonic() - started:.0f} s"
    )
    console.print(f"\n{NEXT}", markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
