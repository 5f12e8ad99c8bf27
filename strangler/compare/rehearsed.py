"""Make a rehearsed write comparable: what each side wrote, and the ids that it gave to new rows. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from proxy.pairs import Headers, Response
from strangler.compare import coding, headers, lossless, media, rows
from strangler.compare.copying import already_copied
from strangler.compare.effects import NOTHING, Absent, Effects, read_effects
from strangler.compare.exchange import Exchange
from strangler.compare.id_learning import Told, from_answers, is_id, learn
from strangler.compare.id_map import IdMap, as_id
from strangler.compare.lossless import Json
from strangler.compare.media import Shape
from strangler.compare.structure import Finding
from strangler.compare.verdict import Comparison, Obstacle, Reason, Side, Verdict

# what a service answers that knows no rehearsals, or not this proxy's
_NOT_THERE = frozenset({403, 404})
_GAVE_WAY = frozenset({Reason.REHEARSAL_BUSY, Reason.EFFECTS_FAILED})
_LINKS = frozenset({b"location", b"content-location"})
_CODED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


@dataclass(frozen=True)
class Heard:
    """Two answers with one word for both ids of each new row, and what the sides wrote.

    `veto` says why nothing can be said at all; `pending` changes were not copied yet.
    """

    control: Response
    candidate: Response
    findings: tuple[Finding, ...] = ()
    veto: Obstacle | None = None
    pending: int = 0

    def settled(self, found: Comparison) -> Comparison:
        """Return the verdict, given what was found: a copy that lags explains any difference."""
        if found.verdict is not Verdict.DIFF or not self.pending:
            return found
        detail = f"{self.pending} changes were not copied yet, and {len(found.differences)} places differ"
        return Comparison(
            Verdict.NOT_COMPARABLE, obstacle=Obstacle(Reason.COPY_BEHIND, Side.CANDIDATE, detail)
        )


def hear(exchange: Exchange, control: Response, candidate: Response) -> Heard:
    """Return what two answers to a write say, and what the two sides did."""
    ours, theirs = read_effects(control.headers), read_effects(candidate.headers)
    if exchange.rehearsed and (veto := _not_rehearsed(candidate, theirs)):
        return Heard(control, candidate, veto=veto)
    if isinstance(ours, Effects) and isinstance(theirs, Effects):
        if already_copied(ours.own, theirs.copied):
            return Heard(control, candidate, veto=Obstacle(Reason.ALREADY_COPIED, Side.CANDIDATE))
        return _heard(exchange, control, candidate, ours, theirs)
    if not exchange.rehearsed and ours is NOTHING and theirs is NOTHING:
        return Heard(control, candidate)
    trees = _tree(control), _tree(candidate)
    created = control.status == candidate.status == 201
    ids = from_answers(*trees, _resource(exchange)) if created else IdMap()
    return Heard(*_with_words(control, candidate, trees, ids), tuple(_obstacles(ours, theirs)))


def _not_rehearsed(candidate: Response, told: Effects | Absent) -> Obstacle | None:
    """Return why a service did not rehearse, None where its answer is its application's own."""
    if told is NOTHING and candidate.status in _NOT_THERE:
        detail = f"it answers {candidate.status} and tells no effects"
        return Obstacle(Reason.NOT_REHEARSED, Side.CANDIDATE, detail)
    if isinstance(told, Absent) and candidate.status == 503 and told.reason in _GAVE_WAY:
        return Obstacle(told.reason, Side.CANDIDATE, told.detail)
    return None


def _heard(
    exchange: Exchange, control: Response, candidate: Response, ours: Effects, theirs: Effects
) -> Heard:
    trees = _tree(control), _tree(candidate)
    ids = learn(Told(ours, trees[0]), Told(theirs, trees[1]), _said(exchange), _resource(exchange))
    one, other = _with_words(control, candidate, trees, ids)
    return Heard(one, other, tuple(rows.differences(ours, theirs, ids)), pending=ours.pending)


def _obstacles(ours: Effects | Absent, theirs: Effects | Absent) -> Iterator[Obstacle]:
    for side, told in ((Side.CONTROL, ours), (Side.CANDIDATE, theirs)):
        if isinstance(told, Absent):
            yield Obstacle(told.reason, side, told.detail)


def _tree(answer: Response) -> Json:
    """Return the tree of a JSON answer, None for any other."""
    fields = headers.fields(answer.headers)
    if answer.truncated or media.parse(fields.get("content-type", "")).shape is not Shape.JSON:
        return None
    try:
        return lossless.parse(coding.decode(answer.body, fields.get("content-encoding", "")))
    except ValueError:
        return None


def _with_words(
    control: Response, candidate: Response, trees: tuple[Json, Json], ids: IdMap
) -> tuple[Response, Response]:
    if not ids:
        return control, candidate
    named = ids.trees(*trees)
    links = {name: ids.urls(_link(control.headers, name), _link(candidate.headers, name)) for name in _LINKS}
    sides = []
    for place, answer in enumerate((control, candidate)):
        fields = tuple(
            (name, _coded(links[name.lower()][place]) if name.lower() in _LINKS else value)
            for name, value in answer.headers
        )
        body = answer.body
        if named != trees:
            fields = tuple(each for each in fields if each[0].lower() not in _CODED)
            body = lossless.text(named[place]).encode("utf-8", "surrogatepass")
        sides.append(msgspec.structs.replace(answer, headers=fields, body=body))
    return sides[0], sides[1]


def _link(fields: Headers, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in fields if name.lower() == wanted), "")


def _coded(link: Json) -> bytes:
    return link.encode("latin-1", "replace") if isinstance(link, str) else b""


def _resource(exchange: Exchange) -> str:
    """Return what the request's URL is about: its last segment that is no id."""
    segments = [each for each in exchange.target.partition("?")[0].split("/") if each]
    return next((each for each in reversed(segments) if not is_id(as_id(each))), "")


def _said(exchange: Exchange) -> frozenset[str]:
    """Return the ids that the client itself named: no side chose them."""
    said = {each for each in exchange.target.partition("?")[0].split("/") if each}
    try:
        tree = lossless.parse(exchange.sent)
    except ValueError:
        tree = None
    members = tree if isinstance(tree, dict) else {}
    said |= {lossless.text(members[name]).strip('"') for name in ("id", "pk", "uuid") if name in members}
    return frozenset(said)
