"""Write what a search found for a person. Effects: the console it is given."""

from rich.console import Console
from rich.text import Text

from strangler.compare import masking
from strangler.compare.search import Searched
from strangler.compare.show_text import write_comparison


def write_searched(searched: Searched, console: Console) -> None:
    """Print each smallest request with its differences, and how to look at both answers."""
    for found in searched.found:
        asked = found.question.asked
        accept = f"  (Accept: {asked.headers['accept']})" if asked.headers else ""
        console.print(Text(f"{asked.method} {masking.target(asked.target)}{accept}", style="bold"))
        console.print(Text(f"as {found.question.role.name}, after {found.tried:,} requests", style="dim"))
        write_comparison(masking.comparison(found.judged.comparison), console)
        console.print(Text(f"strangler compare show {found.judged.pair.id}\n", style="dim"))
    ended = "time was over" if searched.timed_out else "nothing more was found"
    number = len(searched.found)
    kinds = f"{number} kind{'s' * (number != 1)} of difference"
    console.print(f"{searched.tried:,} different requests asked; {kinds}; {ended}")
