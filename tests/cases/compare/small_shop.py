"""A shop of one list, with its OpenAPI description, and the six defects that a search must find in it."""

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import parse_qs, urlsplit

from proxy.pairs import Request, Response
from tests.cases.compare.answers import answer

PATH = "/api/products/"
NAMES = ("Oak desk", "Blue lamp", "Mini cup", "Pro chair", "Tall shelf")
SCHEMA = json.dumps(
    {
        "openapi": "3.0.3",
        "paths": {
            PATH: {
                "get": {
                    "parameters": [
                        {"in": "query", "name": "page", "schema": {"type": "integer"}},
                        {"in": "query", "name": "page_size", "schema": {"type": "integer"}},
                        {"in": "query", "name": "price_min", "schema": {"type": "number"}},
                        {"in": "query", "name": "search", "schema": {"type": "string"}},
                    ]
                }
            },
            PATH + "{id}/": {
                "get": {"parameters": [{"in": "path", "name": "id", "schema": {"type": "integer"}}]}
            },
        },
    }
).encode()


@dataclass(frozen=True)
class SmallShop:
    """Answers like a list of the shop's API; each flag is one thing that a service got wrong."""

    page_off_by_one: bool = False
    search_ignores_case: bool = False
    forgets_permissions: bool = False
    rounds_prices: bool = False
    other_error_body: bool = False
    loses_vary: bool = False

    def __call__(self, request: Request) -> Response:
        """Return the answer to a GET of the list."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(request.target).query, True).items()}
        try:
            return self._list(query, is_staff=any(b"staff" in value for _, value in request.headers))
        except ArithmeticError:
            body = {"error": "bad"} if self.other_error_body else {"price_min": ["Enter a number."]}
            return self._answer(body, 400)
        except ValueError:
            return self._answer({"detail": "Invalid page."}, 404)

    def _list(self, query: dict[str, str], *, is_staff: bool) -> Response:
        low = Decimal(query.get("price_min") or 0)
        rows = [row for row in self._rows(is_staff=is_staff) if Decimal(row["price"]) >= low]
        word = query.get("search", "")
        if self.search_ignores_case:
            rows = [row for row in rows if word.lower() in row["name"].lower()]
        else:
            rows = [row for row in rows if word in row["name"]]
        size = min(int(query["page_size"]), 10) if query.get("page_size", "").isdecimal() else 5
        page, size = int(query.get("page", "1")), size or 5
        last = max(-(-len(rows) // size), 1)
        if not 1 <= page <= last:
            raise ValueError(page)
        start = (page - 1) * size - (self.page_off_by_one and page == last and page > 1)
        return self._answer({"count": len(rows), "results": rows[start : start + size]}, 200)

    def _rows(self, *, is_staff: bool) -> list[dict[str, object]]:
        rows = [self._row(number) for number in range(1, 24)]
        return rows if is_staff or self.forgets_permissions else rows[:22]

    def _row(self, number: int) -> dict[str, object]:
        price = Decimal(number) / 8 + 3
        places = Decimal("0.1") if self.rounds_prices and number == 7 else Decimal("0.01")
        rounded = price.quantize(places, ROUND_HALF_UP).quantize(Decimal("0.01"))
        return {"id": number, "name": f"{NAMES[number % 5]} {number}", "price": str(rounded)}

    def _answer(self, body: object, status: int) -> Response:
        vary = () if self.loses_vary and status == 404 else ("Vary: Accept, Cookie",)
        return answer(json.dumps(body), *vary, status=status)


DEFECTS = {
    "an off-by-one page boundary": SmallShop(page_off_by_one=True),
    "a filter that ignores case": SmallShop(search_ignores_case=True),
    "a missing permission check": SmallShop(forgets_permissions=True),
    "a rounding of a price": SmallShop(rounds_prices=True),
    "an error body of another shape": SmallShop(other_error_body=True),
    "a lost Vary": SmallShop(loses_vary=True),
}
