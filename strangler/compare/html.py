"""Find where two HTML documents differ. Pure; never decides what may be forgiven.

A control that has a name is named by it (`html.body.form[0].input.quantity.@value`), any other element by
its place among those of its tag.
"""

from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from strangler.compare import dom
from strangler.compare.dom import Element, Node
from strangler.compare.path import Path, Place, Steps
from strangler.compare.verdict import Difference, Kind

_ALONE = frozenset({"html", "head", "body", "title"})
_NAMED = frozenset({"input", "select", "textarea", "button", "meta"})


def differences(control: Element, candidate: Element) -> Iterator[Difference]:
    """Yield every difference of two parsed documents, in the control's order."""
    yield from _in_attributes(control, candidate, ())
    for one, other in zip(control.children, candidate.children, strict=True):  # `html` alone is there
        yield from _in_nodes(one, other, ())


def laid_out(document: Element) -> Iterator[tuple[Steps, int, str]]:
    """Yield each start tag and each text with its steps and depth, for showing."""
    for child in document.children:
        yield from _laid_out(child, (), 0)


def _laid_out(node: Node, steps: Steps, depth: int) -> Iterator[tuple[Steps, int, str]]:
    if isinstance(node, str):
        yield steps, depth, dom.text(node)
        return
    yield steps, depth, dom.text(node._replace(children=())).removesuffix(f"</{node.tag}>")
    for child, step in zip(node.children, _names(node.children), strict=True):
        yield from _laid_out(child, (*steps, *step), depth + 1)


def _in_nodes(control: Node, candidate: Node, steps: Steps) -> Iterator[Difference]:
    if control == candidate:
        return
    if isinstance(control, Element) and isinstance(candidate, Element) and control.tag == candidate.tag:
        yield from _in_attributes(control, candidate, steps)
        yield from _in_children(control.children, candidate.children, steps)
    else:
        yield Difference(Kind.VALUE, Path(Place.HTML, steps), dom.text(control), dom.text(candidate))


def _in_attributes(control: Element, candidate: Element, steps: Steps) -> Iterator[Difference]:
    ours, theirs = dict(control.attributes), dict(candidate.attributes)
    for name in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(name), theirs.get(name)
        if one != other:
            kind = Kind.EXTRA if one is None else Kind.MISSING if other is None else Kind.VALUE
            yield Difference(kind, Path(Place.HTML, (*steps, f"@{name}")), one, other)


def _in_children(
    control: tuple[Node, ...], candidate: tuple[Node, ...], steps: Steps
) -> Iterator[Difference]:
    names, other_names = _names(control), _names(candidate)
    for start, end, other_start, other_end in _changed(control, candidate):
        ours, theirs = list(range(start, end)), list(range(other_start, other_end))
        for here, there in _alike(control, candidate, ours, theirs):
            yield from _in_nodes(control[here], candidate[there], (*steps, *names[here]))
            ours.remove(here)
            theirs.remove(there)
        for here in ours:
            path = Path(Place.HTML, (*steps, *names[here]))
            yield Difference(Kind.MISSING, path, dom.text(control[here]), None)
        for there in theirs:
            path = Path(Place.HTML, (*steps, *other_names[there]))
            yield Difference(Kind.EXTRA, path, None, dom.text(candidate[there]))


def _changed(control: tuple[Node, ...], candidate: tuple[Node, ...]) -> Iterator[tuple[int, int, int, int]]:
    if len(control) == len(candidate) and list(map(_tag, control)) == list(map(_tag, candidate)):
        yield from ((at, at + 1, at, at + 1) for at in range(len(control)) if control[at] != candidate[at])
        return
    for name, *ends in SequenceMatcher(None, control, candidate, autojunk=False).get_opcodes():
        if name != "equal":
            yield ends[0], ends[1], ends[2], ends[3]


def _alike(
    control: tuple[Node, ...], candidate: tuple[Node, ...], ours: list[int], theirs: list[int]
) -> list[tuple[int, int]]:
    """Return which of the changed nodes to look into: those of one tag, in their order."""
    pairs: list[tuple[int, int]] = []
    rest = iter(theirs)
    for here in ours:
        there = next((each for each in rest if _tag(candidate[each]) == _tag(control[here])), None)
        if there is None:
            break
        pairs.append((here, there))
    return pairs


def _tag(node: Node) -> str:
    return node.tag if isinstance(node, Element) else "#text"


def _names(nodes: tuple[Node, ...]) -> list[Steps]:
    seen: Counter[str] = Counter()
    names: list[Steps] = []
    for node in nodes:
        tag = _tag(node)
        names.append(_name(node, tag, seen[tag]))
        seen[tag] += 1
    return names


def _name(node: Node, tag: str, number: int) -> Steps:
    if isinstance(node, str) or tag in _ALONE:
        return (tag,)
    name = dict(node.attributes).get("name") if tag in _NAMED else None
    return (tag, name) if name else (tag, number)
