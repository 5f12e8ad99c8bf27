"""Describe the requests that a search tries, the simplest first: so that what is found is small. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from strangler.compare.corpus import Asked
from strangler.compare.observed import values_for, words
from strangler.compare.openapi import Parameter

_WRONG = ("x", "", "-1", "0", "1.5", "99999999", "null", "é", "'", "%")
_TYPES = ("application/json", "text/plain", "*/*")


@dataclass(frozen=True)
class Learned:
    """What real answers taught: values by member name, and the numbers of last pages."""

    observed: Mapping[str, tuple[str, ...]]
    last_pages: tuple[int, ...]


def requests_of(
    path: str, methods: Sequence[str], parameters: Sequence[Parameter], learned: Learned
) -> SearchStrategy[Asked]:
    """Return the requests of a route. They shrink to GET, few parameters and values that were seen."""
    in_path = {each.name: _in_path(each, learned) for each in parameters if each.is_in_path}
    in_query = {each.name: _values(each, learned) for each in parameters if not each.is_in_path}
    return st.builds(
        lambda method, filled, query, accept: Asked(
            method, _target(path, filled, query), {"accept": accept} if accept else {}
        ),
        st.sampled_from([each for each in ("GET", "HEAD", "OPTIONS") if each in methods]),
        st.fixed_dictionaries(in_path),
        _some_of(in_query),
        st.one_of(st.just(""), st.sampled_from(_TYPES)),
    )


def _some_of(strategies: Mapping[str, SearchStrategy[str]]) -> SearchStrategy[dict[str, str]]:
    """Return dictionaries of a few of the keys: one or two parameters together show most differences."""
    if not strategies:
        return st.just({})
    names = st.lists(st.sampled_from(sorted(strategies)), max_size=3, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: strategies[name] for name in chosen}))


def _target(path: str, filled: Mapping[str, str], query: Mapping[str, str]) -> str:
    for name, value in filled.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return f"{path}?{urlencode(query)}" if query else path


def _in_path(parameter: Parameter, learned: Learned) -> SearchStrategy[str]:
    seen = values_for(parameter.name, learned.observed) or ("1", "2", "3")
    # An empty segment would be another route.
    return _sampled(seen, tuple(value for value in _WRONG if value))


def _values(parameter: Parameter, learned: Learned) -> SearchStrategy[str]:
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


def _sampled(usual: Sequence[str], unusual: Sequence[str]) -> SearchStrategy[str]:
    first, then = list(dict.fromkeys(usual)), list(dict.fromkeys(unusual))
    return st.one_of(st.sampled_from(first), st.sampled_from(then))


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
