"""Save a compared pair as a regression case, and judge saved cases again. Effects: those folders alone.

A case is a folder: `case.toml` with what was asked and the verdict, and both answers as raw HTTP. Secrets are
masked; where that changes the verdict the case is not saved.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tomlkit

from proxy.pairs import Failure, Pair, Request, Response
from strangler.compare import coding, headers, lossless, masking, media, raw
from strangler.compare.corpus import without_secrets
from strangler.compare.judge import compare
from strangler.compare.media import Shape
from strangler.compare.rule_book import RuleBook
from strangler.compare.store import Kept
from strangler.compare.verdict import Comparison, Verdict
from strangler.errors import BadCase

CASE = "case.toml"
SIDES = ("control", "candidate")

_OF_THE_SIDES = (b"host", b"x-forwarded-proto")  # by these an answer's own URLs are known


@dataclass(frozen=True)
class Outcome:
    """A saved case: the verdict it was saved with, and what is found now, as `kind path`."""

    name: str
    wanted: Verdict
    found: Verdict
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the verdict is the one that was saved."""
        return self.wanted is self.found


def save(kept: Kept, folder: Path, book: RuleBook) -> Path:
    """Write a case into a folder of its own below `folder`. Raises BadCase."""
    pair = masked(kept.judged.pair)
    now = compare(pair, book.terms(pair.route, pair.at))
    if isinstance(pair.control_answer, Failure) or isinstance(pair.candidate_answer, Failure):
        raise _bad(f"comparison {kept.id} has no answer of one side", folder)
    if now.verdict is not kept.judged.comparison.verdict:
        raise _bad(f"without its secrets comparison {kept.id} would be {now.verdict}", folder)
    home = folder / f"{pair.route}-{kept.id}"
    home.mkdir(parents=True, exist_ok=True)
    for name, answer in zip(SIDES, (pair.control_answer, pair.candidate_answer), strict=True):
        (home / f"{name}.http").write_bytes(raw.write(answer))
    (home / CASE).write_text(tomlkit.dumps(_described(pair, now)))
    return home


def judge_all(folder: Path, book: RuleBook) -> tuple[Outcome, ...]:
    """Judge every case below a folder again. Raises BadCase."""
    files = sorted(folder.glob(f"**/{CASE}"))
    if not files:
        raise _bad(f"no {CASE} is below {folder}", folder)
    return tuple(_judge(file, book) for file in files)


def masked(pair: Pair) -> Pair:
    """Return a pair as it may lie in a repository."""
    asked = without_secrets(pair.request)
    host = tuple(
        field for field in pair.request.headers if field[0].lower() in (b"host", b"x-forwarded-proto")
    )
    request = msgspec.structs.replace(
        pair.request, target=asked.target, headers=host + asked.request.headers, body=asked.request.body
    )
    return msgspec.structs.replace(
        pair,
        request=request,
        control_answer=masked_answer(pair.control_answer),
        candidate_answer=masked_answer(pair.candidate_answer),
    )


def masked_answer(answer: Response | Failure) -> Response | Failure:
    """Return an answer as it may lie in a repository: decoded, without secrets."""
    if isinstance(answer, Failure):
        return answer
    fields = headers.fields(answer.headers)
    kept = tuple(
        (name, masking.header(name.decode("latin-1"), value.decode("latin-1")).encode("latin-1"))
        for name, value in answer.headers
        if name.lower() not in (b"content-encoding", b"content-length", b"transfer-encoding")
    )
    try:
        body = coding.decode(answer.body, fields.get("content-encoding", "")) if answer.body else b""
    except ValueError:
        return answer
    shape = media.parse(fields.get("content-type", "")).shape
    return msgspec.structs.replace(answer, headers=kept, body=_masked_body(body, shape))


def _masked_body(body: bytes, shape: Shape) -> bytes:
    if shape is Shape.JSON:
        try:
            tree = lossless.parse(body)
        except ValueError:
            return body
        hidden = masking.tree(tree)
        return body if hidden == tree else lossless.text(hidden).encode()
    if shape in (Shape.HTML, Shape.TEXT):
        return masking.text(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return body


def _described(pair: Pair, comparison: Comparison) -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    document.add("route", tomlkit.item(pair.route))
    document.add("method", tomlkit.item(pair.request.method))
    document.add("target", tomlkit.item(pair.request.target))
    document.add("at", tomlkit.item(pair.at))
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in pair.request.headers}
    document.add("headers", tomlkit.item(named))
    if pair.rehearsed:
        document.add("rehearsed", tomlkit.item(True))
        document.add("control_at", tomlkit.item(pair.control_at))
        document.add("body", tomlkit.item(pair.request.body.decode("utf-8", "replace")))
    document.add("verdict", tomlkit.item(comparison.verdict.value))
    return document


def _judge(file: Path, book: RuleBook) -> Outcome:
    try:
        case = tomllib.loads(file.read_text())
        answers = [raw.parse((file.parent / f"{name}.http").read_bytes(), case["method"]) for name in SIDES]
        named = tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in case["headers"].items()
        )
        wanted = Verdict(case["verdict"])
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise _bad(f"{file}: {error!r}", file.parent) from None
    request = Request(case["method"], case["target"], named, case.get("body", "").encode())
    pair = Pair(
        "", case["at"], case["route"], "case", "", *SIDES, request, answers[0], answers[1],
        rehearsed=case.get("rehearsed", False), control_at=case.get("control_at", 0.0),
    )  # fmt: skip
    found = compare(pair, book.terms(pair.route, pair.at))
    differences = tuple(f"{each.kind} {each.path}" for each in found.differences)
    return Outcome(file.parent.name, wanted, found.verdict, differences)


def _bad(found: str, folder: Path) -> BadCase:
    return BadCase(
        f"{found}; a case as `save` writes it is wanted", next=f"strangler compare save ID {folder}"
    )
