"""The shop's recorded answers, and ways to change one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from proxy.pairs import Response
from strangler.compare import raw

FOLDER = Path(__file__).with_name("shop")
Change = Callable[[Response], Response]


def recorded(name: str) -> Response:
    """Return the answer of a file in `shop/`."""
    return raw.parse((FOLDER / f"{name}.http").read_bytes(), "GET")


def target_of(name: str) -> str:
    """Return the path that was asked for, as far as it matters: where a redirect leads from."""
    return "/api/products" if name == "slash_missing" else "/"


def status(to: int) -> Change:
    """Change the status alone."""
    return lambda answer: msgspec.structs.replace(answer, status=to)


def header(name: str, old: str | None = None, new: str | None = None) -> Change:
    """Remove a field (no `old`), set it (no `old`, a `new`), or replace a part of its value."""

    def change(answer: Response) -> Response:
        kept: list[tuple[bytes, bytes]] = []
        for field, value in answer.headers:
            if field.lower() != name.lower().encode():
                kept.append((field, value))
            elif old is not None and old.encode() in value:
                kept.append((field, value.replace(old.encode(), (new or "").encode())))
            elif old is not None:
                kept.append((field, value))
        if old is None and new is not None:
            kept.append((name.encode(), new.encode()))
        return msgspec.structs.replace(answer, headers=tuple(kept))

    return change


def body(change: Callable[[bytes], bytes]) -> Change:
    """Change the bytes of the body."""
    return lambda answer: msgspec.structs.replace(answer, body=change(answer.body))


def text(old: str, new: str) -> Change:
    """Replace a text in the body, once."""
    return body(lambda data: data.replace(old.encode(), new.encode(), 1))


def tree(change: Callable[[Any], None]) -> Change:
    """Change the JSON tree in place."""

    def rewrite(data: bytes) -> bytes:
        document = json.loads(data)
        change(document)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    return body(rewrite)


def put(*path: str | int, to: Any) -> Change:
    """Set a member; `to` may be a function of the old value."""

    def change(document: Any) -> None:
        *way, last = path
        for step in way:
            document = document[step]
        document[last] = to(document[last]) if callable(to) else to

    return tree(change)


def drop(*path: str | int) -> Change:
    """Remove a member or a row."""

    def change(document: Any) -> None:
        *way, last = path
        for step in way:
            document = document[step]
        del document[last]

    return tree(change)


def rename(old: str, new: str) -> Change:
    """Rename a key wherever it is."""
    return body(lambda data: data.replace(f'"{old}":'.encode(), f'"{new}":'.encode()))
