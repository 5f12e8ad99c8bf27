"""Read the file of comparison rules, once or whenever it changes. Effects: reads it."""

import logging
from functools import lru_cache
from pathlib import Path

from proxy.pairs import Pair
from strangler.compare.judge import compare
from strangler.compare.rule_book import RuleBook, RulesError, parse_rules
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison
from strangler.errors import BrokenRules

log = logging.getLogger(__name__)

_DAY = 86400
_Stamp = tuple[int, int, int]


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


def read_rules_if_any(file: Path) -> RuleBook:
    """Return the rules of a file, none where there is no file. Raises BrokenRules."""
    return read_rules(file) if file.exists() else RuleBook()


class RulesInForce:
    """Judges pairs by the file as it stands. A file that broke leaves the last good rules in force."""

    def __init__(self, file: Path | None) -> None:
        """Begin with the rules of `file`; with none where there is no file. Raises BrokenRules."""
        self._file = file
        self._stamp = self._seen()
        self._use(read_rules_if_any(file) if file else RuleBook())

    def judge(self, pair: Pair) -> Comparison:
        """Return the verdict on a pair under the rules of its route."""
        return compare(pair, self.terms(pair))

    def terms(self, pair: Pair) -> Terms:
        """Return what a pair is compared by."""
        return self._terms(pair.route, int(pair.at // _DAY))

    def look_again(self) -> None:
        """Take the file's rules if it has changed."""
        stamp = self._seen()
        if self._file is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._use(read_rules_if_any(self._file))
        except BrokenRules as error:
            log.warning("the last good rules stay in force: %s", error.message)
        else:
            log.info("took the rules of %s", self._file)

    def _use(self, book: RuleBook) -> None:
        @lru_cache(maxsize=1000)
        def terms(route: str, day: int) -> Terms:
            return book.terms(route, float(day * _DAY))

        self._terms = terms

    def _seen(self) -> _Stamp | None:
        try:
            stat = self._file.stat() if self._file else None
        except OSError:
            return None
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat else None
