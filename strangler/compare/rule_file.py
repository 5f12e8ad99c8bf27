"""Read the file of comparison rules. Effects: reads it."""

from pathlib import Path

from strangler.compare.rule_book import RuleBook, RulesError, parse_rules
from strangler.errors import BrokenRules


def read_rules(file: Path) -> RuleBook:
    """Return the rules of a file. Raises BrokenRules."""
    try:
        return parse_rules(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        found = error.strerror or str(error)
    except UnicodeDecodeError:
        found = "it is not UTF-8"
    except RulesError as error:
        found = "; ".join(map(str, error.problems))
    raise BrokenRules(f"{file}: {found}", next=f"edit {file}")
