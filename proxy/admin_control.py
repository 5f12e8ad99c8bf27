"""`POST /control` of the admin address: who may ask, what is taken for a question, what is answered.

The body is one question of the control protocol (`control`), which goes to every worker of this machine, or
`{"verb": "replace", "text": …, "expected": …}`, which replaces this machine's table first and then has every
worker apply it (with "change", as `apply` takes it). Without the key nothing is read and nothing is told.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from proxy.keys import key_in
from proxy.siblings import Answer, ask_workers
from proxy.table_swap import SwapRefused, swap

MAX_BODY = 16 * 1024 * 1024  # bytes: a table of 50,000 routes has 10 million
KEY_VARIABLE = "STRANGLER_ADMIN_KEY"
KEY_CHARACTERS = 32  # a key guards every route


def admin_key(environ: Mapping[str, str]) -> bytes:
    """Return the key that the environment gives, empty for none. Raises KeyRefused."""
    return key_in(environ, KEY_VARIABLE, KEY_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Said:
    """A status and what is told with it."""

    status: HTTPStatus
    told: dict[str, Any]


class AdminControl:
    """The endpoint of one machine. Without a key there is none (`on` is false)."""

    def __init__(self, key: bytes, control: Path, table: Path, *, rehearses: bool = False) -> None:
        self.on = bool(key)
        self._wanted = b"Bearer " + key
        self._control = control
        self._table = table
        self._rehearses = rehearses

    def refusal(self, method: str, fields: dict[str, str]) -> Said | None:
        """Return why a request's body is not even read, None where it is."""
        if method != "POST":
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "wanted POST")
        if not hmac.compare_digest(fields.get("authorization", "").encode("latin-1"), self._wanted):
            return _refused(HTTPStatus.UNAUTHORIZED, f"wanted `Authorization: Bearer` with {KEY_VARIABLE}")
        length = fields.get("content-length", "")
        if not length.isdigit() or "transfer-encoding" in fields:
            return _refused(HTTPStatus.LENGTH_REQUIRED, "wanted a Content-Length")
        if len(length) > 9 or int(length) > MAX_BODY:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"wanted at most {MAX_BODY} bytes")
        return None

    async def answer(self, body: bytes) -> Said:
        """Do what is asked and say what every worker said."""
        try:
            question = json.loads(body)
            verb = question["verb"]
        except (ValueError, KeyError, TypeError):
            return _refused(HTTPStatus.BAD_REQUEST, 'wanted {"verb": …} in JSON')
        if verb == "replace":
            return await self._replace(question)
        return _told(await ask_workers(self._control, question))

    async def _replace(self, question: dict[str, Any]) -> Said:
        text, expected = question.get("text"), question.get("expected")
        if not isinstance(text, str) or not isinstance(expected, str):
            return _refused(HTTPStatus.BAD_REQUEST, "wanted `text` and `expected` with `replace`")
        try:
            await asyncio.to_thread(swap, self._table, text, expected, rehearses=self._rehearses)
        except SwapRefused as refused:
            return _refused(HTTPStatus.CONFLICT, str(refused))
        apply = {"verb": "apply"} | ({"change": question["change"]} if "change" in question else {})
        return _told(await ask_workers(self._control, apply))


def _told(workers: list[Answer]) -> Said:
    """Return the workers' answers; a question that all of them refuse is refused."""
    errors = [worker["answer"]["error"] for worker in workers if "error" in worker.get("answer", {})]
    if errors and len(errors) == len(workers):
        return _refused(HTTPStatus.BAD_REQUEST, errors[0])
    return Said(HTTPStatus.OK, {"workers": workers})


def _refused(status: HTTPStatus, why: str) -> Said:
    return Said(status, {"error": why})
