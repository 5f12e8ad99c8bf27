"""Read `compare.toml`, the rules that a team adds to the shipped ones, and pick those of a route. Pure.

A rule names one place and forgives one thing there. It ignores a value and still asserts presence and type.
"""

import enum
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from proxy.table import NAME, Problem, Section
from strangler.compare import times
from strangler.compare.path import BadPattern, Pattern, Place, parse_pattern
from strangler.compare.rules import SHIPPED, Forgives, Rule
from strangler.compare.terms import ListRule, RenameRule, Terms
from strangler.compare.verdict import Difference, Kind, Weight

EVERY_ROUTE = "*"
RESERVED = frozenset({"noise", "cursor", "id_map"})  # of the kit, where both sides can be asked again

_SAME_TYPE = frozenset(
    {Kind.VALUE, Kind.NUMBER_FORM, Kind.TIME_FORMAT, Kind.PRECISION_LOST, Kind.UNICODE_FORM, Kind.HEADER}
)


class Verb(enum.StrEnum):
    """What a rule does at its place."""

    UNORDERED = "unordered"
    KEY = "key"
    IGNORE = "ignore"
    TOLERANCE = "tolerance"
    SKEW = "skew"
    DECIMAL = "decimal"
    RENAME = "rename"


_OF_JSON = frozenset({Verb.UNORDERED, Verb.KEY, Verb.RENAME, Verb.DECIMAL})
_PLAIN_DECIMAL = re.compile(r"-?\d{1,40}(\.\d{1,40})?", re.ASCII)
_JSON_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class OwnRule:
    """One rule of the file. `setting` is the verb's: true, a key's name, a number, seconds, a new name."""

    name: str
    route: str
    pattern: Pattern
    verb: Verb
    setting: bool | str | float
    reason: str
    owner: str
    expires: date | None = None

    def applies(self, route: str, on: date) -> bool:
        """Say whether the rule holds for a route on a day. On the day it expires it no longer does."""
        return self.applies_to(route) and (self.expires is None or on < self.expires)

    def applies_to(self, route: str) -> bool:
        """Say whether the rule is about a route."""
        return self.route in (EVERY_ROUTE, route)

    @property
    def says(self) -> str:
        """The rule's effect in a few words."""
        setting = "" if self.setting is True else f" {self.setting}"
        return f"{self.verb}{setting} at {self.pattern}"


class RulesError(ValueError):
    """The text is no sound list of rules. `problems` lists every reason found."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{file}: " + "; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class RuleBook:
    """All rules of a file, in its order."""

    rules: tuple[OwnRule, ...] = ()

    def terms(self, route: str, at: float) -> Terms:
        """Return what a route's answers of a moment (Unix seconds) are compared by."""
        on = datetime.fromtimestamp(at, UTC).date()
        return _terms([rule for rule in self.rules if rule.applies(route, on)])

    def all_terms(self) -> Terms:
        """Return the terms of every rule, whatever its route and expiry."""
        return _terms(list(self.rules))


def parse_rules(text: str, file: str) -> RuleBook:
    """Return the rules that `text` spells. Raises RulesError with every problem, naming `file`."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RulesError(file, (Problem("TOML", str(error), "valid TOML"),)) from None
    problems: list[Problem] = []
    section = Section(document, "", problems)
    if section.take("version", (int,), "1") not in (1, None):
        section.complain("version", "another version", "1")
    read = [_read_rule(part) for part in section.array("rules")]
    section.close()
    rules = tuple(rule for rule in read if rule)
    problems += _repeated_names(rules)
    if problems:
        raise RulesError(file, tuple(problems))
    return RuleBook(rules)


def _read_rule(section: Section) -> OwnRule | None:
    name = section.text("name", "an id of a-z, 0-9, '.', '_', '-'", NAME)
    route = section.text("route", "the name of a route, or '*' for every route")
    reason = section.text("reason", "why the difference is right")
    owner = section.text("owner", "who answers for the rule")
    expires = section.take("expires", (date,), "a day such as 2027-01-31") if section.has("expires") else None
    pattern, verb = _read_pattern(section), _read_verb(section)
    setting = _read_setting(section, verb) if verb else None
    section.close()
    if pattern is None or verb is None or setting is None:
        return None
    if verb in _OF_JSON and pattern.place is not Place.JSON:
        section.complain("path", repr(str(pattern)), f"a place in JSON, as $.results, for {verb}")
    day = expires.date() if isinstance(expires, datetime) else expires
    return OwnRule(name, route, pattern, verb, setting, reason, owner, day)


def _read_pattern(section: Section) -> Pattern | None:
    text = section.text("path", "a place as reports print it, such as $.results[*].price")
    try:
        return parse_pattern(text) if text else None
    except BadPattern as error:
        section.complain("path", repr(text), f"a place such as $.results[*].price: {error}")
        return None


def _read_verb(section: Section) -> Verb | None:
    found = [verb for verb in Verb if section.has(verb)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(Verb)
    section.complain("rule", ", ".join(found) or "nothing that it does", f"exactly one of {names}")
    return None


def _read_setting(section: Section, verb: Verb) -> bool | str | float | None:
    if verb in (Verb.UNORDERED, Verb.IGNORE, Verb.DECIMAL):
        setting: bool | None = section.take(verb, (bool,), "true")
        if setting is False:
            section.complain(verb, "false", "true; leave the rule out where it does not hold")
        return setting
    if verb in (Verb.KEY, Verb.RENAME):
        return section.text(verb, "the name of a key") or None
    return section.number(verb, 0.0, 1e12, -1.0) if section.has(verb) else None


def _repeated_names(rules: tuple[OwnRule, ...]) -> list[Problem]:
    taken = {rule.name for rule in SHIPPED} | RESERVED
    problems = []
    for rule in rules:
        if rule.name in taken:
            problems.append(Problem(f"rule {rule.name!r}", "a name that is taken", "a name of its own"))
        taken.add(rule.name)
    return problems


def _terms(rules: list[OwnRule]) -> Terms:
    lists = {
        rule.pattern.steps: _list_rule(rule) for rule in rules if rule.verb in (Verb.UNORDERED, Verb.KEY)
    }
    renames = {
        rule.pattern.steps: RenameRule(rule.name, str(rule.setting))
        for rule in rules
        if rule.verb is Verb.RENAME
    }
    forgiving = tuple(_rule(rule, _FORGIVES[rule.verb]) for rule in rules if rule.verb in _FORGIVES)
    return Terms((*SHIPPED, *forgiving), lists, renames)


def _list_rule(rule: OwnRule) -> ListRule:
    return ListRule(rule.name, str(rule.setting) if rule.verb is Verb.KEY else None)


def _rule(rule: OwnRule, forgives: Callable[[Difference, float], bool]) -> Rule:
    setting = float(rule.setting) if isinstance(rule.setting, float | int) else 0.0
    at_its_place: Forgives = lambda difference, _: (  # noqa: E731 - one question, asked in two parts
        rule.pattern.matches(difference.path) and forgives(difference, setting)
    )
    return Rule(rule.name, Weight.EXPECTED, rule.reason, at_its_place)


def _ignores(difference: Difference, _: float) -> bool:
    return difference.kind in _SAME_TYPE and None not in (difference.control, difference.candidate)


def _tolerates(difference: Difference, most: float) -> bool:
    if not _ignores(difference, most):
        return False
    one, other = _number(difference.control), _number(difference.candidate)
    return one is not None and other is not None and abs(one - other) <= Decimal(str(most))


def _number(written: str | None) -> Decimal | None:
    """Return the number that a JSON number or a text of digits stands for; both sides are of one type."""
    try:
        value = Decimal((written or "").strip('"'))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _skews(difference: Difference, seconds: float) -> bool:
    if not _ignores(difference, seconds):
        return False
    apart = times.seconds_apart(_unquoted(difference.control), _unquoted(difference.candidate))
    return apart is not None and apart <= seconds


def _unquoted(written: str | None) -> str:
    text = written or ""
    return str(json.loads(text)) if text.startswith('"') else text


def _is_one_decimal(difference: Difference, _: float) -> bool:
    """Say whether a decimal is a text on one side and a number on the other, and no reader loses a digit."""
    written = difference.control, difference.candidate
    texts = [each[1:-1] for each in written if each and each.startswith('"')]
    numbers = [each for each in written if each and _JSON_NUMBER.fullmatch(each)]
    if difference.kind is not Kind.TYPE or len(texts) != 1 or len(numbers) != 1:
        return False
    if not _PLAIN_DECIMAL.fullmatch(texts[0]):
        return False
    # What JavaScript reads is a double: beyond its digits the number is another one than the text.
    return Decimal(texts[0]) == Decimal(numbers[0]) == Decimal(repr(float(numbers[0])))


_FORGIVES = {
    Verb.IGNORE: _ignores,
    Verb.TOLERANCE: _tolerates,
    Verb.SKEW: _skews,
    Verb.DECIMAL: _is_one_decimal,
}
