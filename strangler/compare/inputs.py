"""Describe the requests that a search tries, the simplest first: so that what is found is small. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from strangler.compare.corpus import Asked
from strangler.compare.observed import values_for, words
from strangler.compare.openapi import Parameter

_WRONG = ("x", "", "-1", "0", "1.5", "99999999", "null", "é", "'", "%")
PROBES = 8  # values of each sort that are tried alone
_TYPES = ("application/json", "text/plain", "*/*")


@dataclass(frozen=True)
class Learned:
    """What real answers taught: values by member name, and the numbers of last pages."""

    observed: Mapping[str, tuple[str, ...]]
    last_pages: tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """What to try for a parameter: what real answers suggest, and what no schema allows."""

    usual: tuple[str, ...]
    unusual: tuple[str, ...]

    @property
    def strategy(self) -> SearchStrategy[str]:
        """The values, the usual ones first."""
        return st.one_of(st.sampled_from(self.usual), st.sampled_from(self.unusual))


def probes_of(
    path: str, methods: Sequence[str], parameters: Sequence[Parameter], learned: Learned
) -> Iterator[Asked]:
    """Yield the requests that are worth asking before any search: each parameter alone, at its edges."""
    in_path, in_query = _choices(parameters, learned)
    usual = {name: choice.usual[0] for name, choice in in_path.items()}
    for method in _methods(methods):
        yield Asked(method, _target(path, usual, {}))
    for accept in _TYPES:
        yield Asked("GET", _target(path, usual, {}), {"accept": accept})
    for name, choice in in_path.items():
        for value in (*choice.usual[:PROBES], *choice.unusual[:PROBES]):
            yield Asked("GET", _target(path, {**usual, name: value}, {}))
    for name, choice in in_query.items():
        for value in (*choice.usual[:PROBES], *choice.unusual[:PROBES]):
            yield Asked("GET", _target(path, usual, {name: value}))


def requests_of(
    path: str, methods: Sequence[str], parameters: Sequence[Parameter], learned: Learned
) -> SearchStrategy[Asked]:
    """Return the requests of a route. They shrink to GET, few parameters and values that were seen."""
    in_path, in_query = _choices(parameters, learned)
    # Two or three parameters together show most differences; absent comes first, for shrinking.
    some = {name: st.one_of(*[st.none()] * 5, choice.strategy) for name, choice in in_query.items()}
    return st.builds(
        lambda method, filled, query, accept: Asked(
            method,
            _target(path, filled, {name: value for name, value in query.items() if value is not None}),
            {"accept": accept} if accept else {},
        ),
        st.sampled_from(_methods(methods)),
        st.fixed_dictionaries({name: choice.strategy for name, choice in in_path.items()}),
        st.fixed_dictionaries(some),
        st.one_of(st.just(""), st.just(""), st.sampled_from(_TYPES)),
    )


def _methods(methods: Sequence[str]) -> list[str]:
    return [each for each in ("GET", "HEAD", "OPTIONS") if each in methods]


def _choices(
    parameters: Sequence[Parameter], learned: Learned
) -> tuple[dict[str, Choice], dict[str, Choice]]:
    """Return what to try for each parameter of the path, and for each of the query."""
    return (
        {each.name: _in_path(each, learned) for each in parameters if each.is_in_path},
        {each.name: _values(each, learned) for each in parameters if not each.is_in_path},
    )


def _target(path: str, filled: Mapping[str, str], query: Mapping[str, str]) -> str:
    for name, value in filled.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return f"{path}?{urlencode(query)}" if query else path


def _in_path(parameter: Parameter, learned: Learned) -> Choice:
    seen = values_for(parameter.name, learned.observed) or ("1", "2", "3")
    # An empty segment would be another route.
    return _sampled(seen, tuple(value for value in _WRONG if value))


def _values(parameter: Parameter, learned: Learned) -> Choice:
    if parameter.choices:
        return _sampled(parameter.choices, tuple(map(str.swapcase, parameter.choices)) + _WRONG)
    seen = values_for(parameter.name, learned.observed)
    match parameter.name:
        case "page":
            return _sampled(_pages(learned), _WRONG)
        case "page_size" | "limit" | "offset":
            return _sampled(("1", "2", "3", "5", "100", "101", "1000"), _WRONG)
        case "ordering" | "order" | "sort":
            names = tuple(learned.observed)
            return _sampled(names + tuple(f"-{name}" for name in names), _WRONG)
    if parameter.kind in ("integer", "number", "float", "double", "decimal"):
        return _sampled(seen + _neighbours(seen), _WRONG)
    texts = seen or words(learned.observed) or ("a",)
    return _sampled(texts, (*map(str.swapcase, texts), *(text[:3] for text in texts), *_WRONG))


def _sampled(usual: Sequence[str], unusual: Sequence[str]) -> Choice:
    return Choice(tuple(dict.fromkeys(usual)), tuple(dict.fromkeys(unusual)))


def _pages(learned: Learned) -> tuple[str, ...]:
    near = [page + step for page in learned.last_pages for step in (-1, 0, 1) if page + step > 0]
    return tuple(map(str, dict.fromkeys([1, 2, 3, *near])))


def _neighbours(values: Sequence[str]) -> tuple[str, ...]:
    """Return the numbers just below and above: where `<` and `<=` part."""
    found: list[str] = []
    for value in values[:10]:
        try:
            number = Decimal(value)
        except InvalidOperation:
            continue
        exponent = number.as_tuple().exponent
        step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
        found += [str(number - step), str(number + step)]
    return tuple(found) or ("1", "10", "2.5")
