"""Cut a list into pages with DRF's page numbers and links. Pure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from extracted.chassis.errors import NotFound
from extracted.chassis.query import QueryParams
from extracted.chassis.rendering import Json

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of `count` rows."""

    number: int
    size: int
    count: int

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        """The number of the last page; an empty list has one."""
        return last_page(self.count, self.size)


def page_of(query: QueryParams, count: int) -> Page:
    """Return the page that a query asks for; raise NotFound where the list has no such page."""
    size = _page_size(query.get("page_size"))
    wanted = query.get("page") or "1"
    try:
        number = last_page(count, size) if wanted == "last" else int(wanted)
    except ValueError:
        raise NotFound("Invalid page.") from None
    if not 1 <= number <= last_page(count, size):
        raise NotFound("Invalid page.")
    return Page(number, size, count)


def last_page(count: int, size: int) -> int:
    """Return the number of the last page; an empty list has one page."""
    return max(1, -(-count // size))


def page_body(page: Page, url: str, results: list[dict[str, Any]]) -> Json:
    """Return the body of a page; `url` is the absolute address it was asked for at."""
    return {
        "count": page.count,
        "next": _link(url, page.number + 1) if page.number < page.last else None,
        "previous": _link(url, page.number - 1) if page.number > 1 else None,
        "results": results,
    }


def _page_size(wanted: str | None) -> int:
    try:
        size = int(wanted or "")
    except ValueError:
        return PAGE_SIZE
    return min(size, MAX_PAGE_SIZE) if size > 0 else PAGE_SIZE


def _link(url: str, number: int) -> str:
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    query.pop("page", None)
    if number > 1:
        query["page"] = [str(number)]
    return urlunsplit(parts._replace(query=urlencode(sorted(query.items()), doseq=True)))
