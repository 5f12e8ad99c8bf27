"""Hide secrets in what is shown. Pure.

Never used before comparing: masked answers would hide a secret that differs.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from strangler.compare import lossless
from strangler.compare.effects import packed, unpacked
from strangler.compare.lossless import Json, Repeated
from strangler.compare.path import TREES, Place
from strangler.compare.verdict import Comparison, Difference, Forgiven

MASK = "***"

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-csrftoken",
        "x-strangler-identity",
    }
)
_WORDS = (
    r"passw|passphrase|secret|token|api_?key|credential|csrf|session|authori[sz]ation|cvv|cvc|card_?number"
)
_SECRET_NAME = re.compile(_WORDS, re.IGNORECASE)
_MEMBER = re.compile(rf'("[^"]*(?:{_WORDS})[^"]*"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}}\s]+)', re.IGNORECASE)
_INPUT = re.compile(r"<input\b[^>]*>", re.IGNORECASE)
_INPUT_NAME = re.compile(r"\bname=[\"']?([^\"'\s>]+)", re.IGNORECASE)
_INPUT_VALUE = re.compile(r"(\bvalue=)(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Say whether a field of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def header(name: str, value: str) -> str:
    """Return a header's value as it may be shown: cookies keep their names and attributes."""
    match name.lower():
        case "set-cookie":
            pair, mark, attributes = value.partition(";")
            return f"{_cookie(pair)}{mark}{attributes}"
        case "cookie":
            return "; ".join(_cookie(pair) for pair in value.split("; "))
        case "x-strangler-effects":
            return effects(value)
        case lower if lower in SECRET_HEADERS:
            return MASK
        case "location":
            return target(value)
    return value


def effects(value: str) -> str:
    """Return a header of effects with what is secret in its rows masked; all of it when it cannot be read."""
    if value.startswith("none;"):
        return value
    try:
        return packed(tree(unpacked(value.partition(";")[2].encode()))).decode()
    except ValueError:
        return MASK


def target(url: str) -> str:
    """Return a path or URL with the secret parameters of its query masked."""
    path, mark, query = url.partition("?")
    return f"{path}{mark}{form(query)}" if mark else url


def form(encoded: str) -> str:
    """Return a form-encoded text with its secret fields masked; unchanged when it has none."""
    fields = parse_qsl(encoded, keep_blank_values=True)
    if not any(is_secret(name) for name, _ in fields):
        return encoded
    return urlencode([(name, MASK if is_secret(name) else value) for name, value in fields], safe="*")


def tree(value: Json) -> Json:
    """Return JSON with the values of secret keys masked."""
    if isinstance(value, dict):
        return {key: _member(key, each) for key, each in value.items()}
    if isinstance(value, Repeated):
        return Repeated(tuple((key, _member(key, each)) for key, each in value.pairs))
    return [tree(each) for each in value] if isinstance(value, list) else value


def text(written: str) -> str:
    """Return text of no known grammar with what looks like a secret form field or JSON member masked."""
    return _MEMBER.sub(rf'\1"{MASK}"', _INPUT.sub(_masked_input, written))


def comparison(shown: Comparison) -> Comparison:
    """Return a comparison whose differences hide secrets."""
    forgiven = tuple(Forgiven(each.rule, each.weight, difference(each.difference)) for each in shown.forgiven)
    return replace(shown, differences=tuple(map(difference, shown.differences)), forgiven=forgiven)


def difference(shown: Difference) -> Difference:
    """Return a difference with what is secret in its two texts masked."""
    names = [step for step in shown.path.steps if isinstance(step, str)]
    match shown.path.place:
        case place if place in (*TREES, Place.HTML) and any(map(is_secret, names)):
            return _with_texts(shown, lambda _: MASK)
        case place if place in TREES:
            return _with_texts(shown, json_text)
        case Place.HEADER:
            return _with_texts(shown, lambda value: header(shown.path.name, value))
        case Place.BODY | Place.HTML:
            return _with_texts(shown, text)
    return shown


def json_text(written: str) -> str:
    """Return JSON text with secrets masked; all of it when it was cut and names a secret."""
    try:
        return lossless.text(tree(lossless.parse(written.encode())))
    except ValueError:
        return MASK if is_secret(written) else written


def _with_texts(shown: Difference, mask: Callable[[str], str]) -> Difference:
    texts = (None if each is None else mask(each) for each in (shown.control, shown.candidate))
    control, candidate = texts
    return replace(shown, control=control, candidate=candidate)


def _member(key: str, value: Json) -> Json:
    return MASK if is_secret(key) and value is not None else tree(value)


def _cookie(pair: str) -> str:
    name, mark, value = pair.partition("=")
    return f"{name}={MASK}" if mark and value else pair


def _masked_input(match: re.Match[str]) -> str:
    field = match[0]
    name = _INPUT_NAME.search(field)
    return _INPUT_VALUE.sub(rf'\1"{MASK}"', field) if name and is_secret(name[1]) else field
