"""Read HTML into the tree that a browser builds, without what a reader cannot see. Pure.

The parser follows the HTML standard (Lexbor): missing end tags, entities, case and quotes are settled there.
Comments go, runs of white space become one space, and none is kept beside a block.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import NamedTuple, TypeAlias

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_DEPTH = 200

_SPACE = re.compile(r"[ \t\n\r\f]+")  # no other character collapses (CSS Text 3)
_DOCTYPE = re.compile(rb"\s*(?:<!--.*?-->\s*)*<!doctype\s+([^>]*)>", re.IGNORECASE | re.DOTALL)
_KEPT = frozenset({"pre", "textarea", "script", "style", "listing"})
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        """html head body title meta link script style base template noscript address article aside blockquote
        center details dialog dd dir div dl dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5
        h6 header hgroup hr li legend listing main menu nav ol p pre search section summary table caption
        colgroup col tbody thead tfoot tr td th ul option optgroup select br""",
    )
)


class TooDeep(ValueError):
    """The nesting passes MAX_DEPTH."""


class Element(NamedTuple):
    """An element: attributes by name, children in order. Two that look alike are equal."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: "tuple[Node, ...]"


Node: TypeAlias = "Element | str"


def parse(document: bytes) -> Element:
    """Return the document as an element `#document` with its doctype as an attribute. Raises TooDeep."""
    root = LexborHTMLParser(document).root
    doctype = _DOCTYPE.match(document)
    name = _SPACE.sub(" ", doctype[1].decode("latin-1")).strip().lower() if doctype else ""
    children = (_element(root, 0),) if root else ()
    return Element("#document", (("doctype", name),), children)


def text(node: Node) -> str:
    """Return a node as HTML, to show it."""
    if isinstance(node, str):
        return escape(node, quote=False)
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes)
    return f"<{node.tag}{attributes}>" + "".join(map(text, node.children)) + f"</{node.tag}>"


def _element(node: LexborNode, depth: int) -> Element:
    if depth > MAX_DEPTH:
        raise TooDeep(f"nested deeper than {MAX_DEPTH}")
    tag = node.tag or ""
    if tag == "template":  # its content is a document of its own, beside the tree
        return Element(tag, _attributes(node), (_SPACE.sub(" ", node.html or ""),))
    children = list(_joined(_children(node, depth)))
    if tag not in _KEPT:
        children = list(_without_idle_space(children, is_block=tag in _BLOCKS))
    return Element(tag, _attributes(node), tuple(children))


def _attributes(node: LexborNode) -> tuple[tuple[str, str], ...]:
    found = {name: value or "" for name, value in node.attributes.items()}
    if "class" in found:
        found["class"] = " ".join(sorted(set(found["class"].split())))
    return tuple(sorted(found.items()))


def _children(node: LexborNode, depth: int) -> Iterator[Node]:
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            yield child.text_content or ""
        elif child.tag and not child.tag.startswith("-"):
            yield _element(child, depth + 1)


def _joined(nodes: Iterator[Node]) -> Iterator[Node]:
    """Yield the nodes with texts that follow one another as one."""
    pending = ""
    for node in nodes:
        if isinstance(node, str):
            pending += node
            continue
        if pending:
            yield pending
        pending = ""
        yield node
    if pending:
        yield pending


def _without_idle_space(nodes: list[Node], *, is_block: bool) -> Iterator[Node]:
    for index, node in enumerate(nodes):
        if not isinstance(node, str):
            yield node
            continue
        shown = _SPACE.sub(" ", node)
        if (is_block and index == 0) or (index > 0 and _is_block(nodes[index - 1])):
            shown = shown.removeprefix(" ")
        if (is_block and index == len(nodes) - 1) or (index < len(nodes) - 1 and _is_block(nodes[index + 1])):
            shown = shown.removesuffix(" ")
        if shown:
            yield shown


def _is_block(node: Node) -> bool:
    return isinstance(node, Element) and node.tag in _BLOCKS
