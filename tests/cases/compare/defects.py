"""What a service gets wrong, planted in the shop's real answers: each as answer, change, what is found."""

import json
import re

from tests.cases.compare.shop_answers import (
    Change,
    body,
    drop,
    header,
    put,
    rename,
    status,
    text,
    tree,
)


def _swap(document) -> None:
    rows = document["results"]
    rows[0], rows[1] = rows[1], rows[0]


def _twice(document) -> None:
    document["results"][1] = document["results"][0]


def _page_shifted(document) -> None:
    document["results"].append(document["results"].pop(0))


def _naive(value: str) -> str:
    return value.removesuffix("Z")


def _rounded(value: str) -> str:
    return f"{round(float(value))}.00"


DEFECTS: dict[str, tuple[str, Change, str]] = {
    # rows
    "a row is dropped": ("products", drop("results", 2), "length $.results"),
    "the last row is dropped": ("products", drop("results", 4), "length $.results"),
    "the page is empty": ("products", put("results", to=[]), "length $.results"),
    "two rows are swapped": ("products", tree(_swap), "order $.results"),
    "the first row comes last": ("products", tree(_page_shifted), "order $.results"),
    "a row is there twice and another missing": ("products", tree(_twice), "value $.results[1].id"),
    "one row too many": (
        "reviews",
        put("results", to=lambda rows: [*rows, rows[-1]]),
        "length $.results",
    ),
    "rows come as an object": (
        "products",
        put("results", to=lambda rows: {str(row["id"]): row for row in rows}),
        "type $.results",
    ),
    # pagination
    "count is off by one": ("products", put("count", to=31), "value $.count"),
    "count is of the page": ("products", put("count", to=5), "value $.count"),
    "count is a text": ("products", put("count", to="30"), "type $.count"),
    "next is null": ("products", put("next", to=None), "type $.next"),
    "next skips a page": (
        "products",
        put("next", to="http://shop.test/api/products/?page=3&page_size=5"),
        "value $.next",
    ),
    "next loses the page size": (
        "products",
        put("next", to="http://shop.test/api/products/?page=2"),
        "value $.next",
    ),
    "next leaves the proxy": (
        "products",
        put("next", to="http://127.0.0.1:8101/api/products/?page=2&page_size=5"),
        "value $.next",
    ),
    "next is left out": ("products_last", drop("next"), "null_vs_missing $.next"),
    "previous is an empty text": ("products", put("previous", to=""), "type $.previous"),
    "a bare list without a page": (
        "categories",
        body(lambda data: json.dumps(json.loads(data)["results"]).encode()),
        "type $",
    ),
    # members
    "a member is dropped": ("product", drop("sku"), "missing $.sku"),
    "a member of one row is dropped": ("products", drop("results", 3, "slug"), "missing $.results[3].slug"),
    "a member too many": ("product", put("category", "internal", to=1), "extra $.category.internal"),
    "a member is renamed": ("product", rename("price", "amount"), "missing $.price"),
    "snake case becomes camel case": (
        "product",
        rename("created_at", "createdAt"),
        "missing $.created_at",
    ),
    "an object becomes its id": ("product", put("category", to=lambda old: old["id"]), "type $.category"),
    "an id becomes an object": (
        "reviews",
        put("results", 0, "product", to={"id": 17}),
        "type $.results[0].product",
    ),
    "null becomes an empty text": ("me", put("avatar", to=""), "type $.avatar"),
    "null is left out": ("me", drop("avatar"), "null_vs_missing $.avatar"),
    "an empty text becomes null": ("reviews", put("results", 1, "body", to=None), "type $.results[1].body"),
    "an empty list becomes null": ("cart", put("lines", to=None), "type $.lines"),
    "a key is there twice": (
        "stock",
        text('"reserved":0', '"reserved":0,"reserved":0'),
        "duplicate_key $",
    ),
    # values
    "a decimal becomes a number": ("product", put("price", to=float), "type $.price"),
    "a decimal loses a zero": ("cart", put("total", to="0.0"), "value $.total"),
    "a price is rounded": ("product", put("price", to=_rounded), "value $.price"),
    "a price is a cent off": ("products", put("results", 0, "price", to="50.18"), "value $.results[0].price"),
    "false becomes 0": ("me", put("is_staff", to=0), "type $.is_staff"),
    "false becomes true": ("me", put("is_staff", to=True), "value $.is_staff"),
    "an integer becomes a text": ("stock", put("on_hand", to="176"), "type $.on_hand"),
    "available forgets what is reserved": ("stock", put("available", to=177), "value $.available"),
    "an id of a neighbour": ("category", put("id", to=3), "value $.id"),
    "microseconds are lost": (
        "orders",
        put("results", 0, "placed_at", to="2024-08-05T14:19:35Z"),
        "precision_lost $.results[0].placed_at",
    ),
    "microseconds become milliseconds": (
        "orders",
        put("results", 0, "placed_at", to="2024-08-05T14:19:35.383Z"),
        "precision_lost $.results[0].placed_at",
    ),
    "a time loses its zone": ("me", put("date_joined", to=_naive), "value $.date_joined"),
    "a time is an hour off": (
        "products",
        put("results", 0, "created_at", to="2024-10-28T11:32:04Z"),
        "value $.results[0].created_at",
    ),
    "a time becomes a number": ("stock", put("updated_at", to=1672531200), "type $.updated_at"),
    "a time becomes a date": ("stock", put("updated_at", to="2023-01-01"), "value $.updated_at"),
    "letters lose their accents": (
        "products",
        text("Zięcik", "Ziecik"),
        "value $.results[1].name",
    ),
    "letters are decomposed": ("products", text("grün", "gru\u0308n"), "unicode_form $.results[0].name"),
    "letters are decoded twice": ("products", text("grün", "grÃ¼n"), "value $.results[0].name"),
    "text is escaped for HTML": ("category", text("Cups & mugs", "Cups &amp; mugs"), "value $.name"),
    "case of a state": ("orders", put("results", 0, "status", to="SHIPPED"), "value $.results[0].status"),
    "a state of another row": ("orders", put("results", 0, "status", to="paid"), "value $.results[0].status"),
    "text is cut": ("reviews", put("results", 0, "body", to=lambda old: old[:40]), "value $.results[0].body"),
    "white space is trimmed": (
        "reviews",
        put("results", 0, "title", to=lambda old: old + " "),
        "value $.results[0].title",
    ),
    "NaN for a number": ("stock", text('"reserved":0', '"reserved":NaN'), "invalid_json $.reserved"),
    # errors
    "an unknown product is found": ("product_unknown", status(200), "status status"),
    "an unknown product is gone": ("product_unknown", status(410), "status status"),
    "an error page instead of JSON": (
        "product_unknown",
        lambda answer: header("Content-Type", new="text/html")(body(lambda _: b"<h1>Not Found</h1>")(answer)),
        "error_shape body",
    ),
    "an error under another key": ("product_unknown", rename("detail", "error"), "missing $.detail"),
    "another text of an error": ("login_invalid", text("blank", "empty"), "value $.username[0]"),
    "an error text without its list": (
        "login_invalid",
        put("username", to="This field may not be blank."),
        "type $.username",
    ),
    "the permission check is gone": ("orders_refused", status(200), "status status"),
    "401 instead of 403": ("orders_refused", status(401), "status status"),
    "a crash": ("stock", status(500), "status status"),
    "created instead of ok": ("login", status(201), "status status"),
    "no content instead of ok": ("cart", status(204), "status status"),
    # heads
    "Vary is lost": ("products", header("Vary"), "header header.vary"),
    "Vary loses a member": ("products", header("Vary", "Cookie", "Accept"), "header header.vary"),
    "Allow gains a method": ("products", header("Allow", "GET,", "GET, PUT,"), "header header.allow"),
    "Allow is lost": ("products", header("Allow"), "header header.allow"),
    "nosniff is lost": ("product", header("X-Content-Type-Options"), "header header.x-content-type-options"),
    "framing is permitted": ("product", header("X-Frame-Options"), "header header.x-frame-options"),
    "another referrer policy": (
        "product",
        header("Referrer-Policy", "same-origin", "unsafe-url"),
        "header header.referrer-policy",
    ),
    "JSON as text": (
        "product",
        header("Content-Type", "application/json", "text/plain"),
        "header header.content-type",
    ),
    "a private page may be cached": (
        "page_login",
        header("Cache-Control", ", private", ""),
        "header header.cache-control",
    ),
    "the redirect leads elsewhere": (
        "slash_missing",
        header("Location", "/api/products/", "/api/product/"),
        "header header.location",
    ),
    "the redirect is temporary": ("slash_missing", status(302), "status status"),
    # cookies
    "HttpOnly is lost": (
        "login",
        header("Set-Cookie", " HttpOnly;", ""),
        "cookie_attribute cookie.sessionid.httponly",
    ),
    "SameSite is lost": (
        "login",
        header("Set-Cookie", "; SameSite=Lax", ""),
        "cookie_attribute cookie.csrftoken.samesite",
    ),
    "SameSite is weaker": (
        "login",
        header("Set-Cookie", "SameSite=Lax", "SameSite=None"),
        "cookie_attribute cookie.sessionid.samesite",
    ),
    "another path of a cookie": (
        "login",
        header("Set-Cookie", "Path=/", "Path=/api"),
        "cookie_attribute cookie.sessionid.path",
    ),
    "another lifetime of a cookie": (
        "login",
        header("Set-Cookie", "Max-Age=1209600", "Max-Age=3600"),
        "cookie_attribute cookie.sessionid.max-age",
    ),
    "a cookie under another name": (
        "login",
        header("Set-Cookie", "sessionid", "session"),
        "missing cookie.sessionid",
    ),
    "no cookie at all": ("login", header("Set-Cookie"), "missing cookie.csrftoken"),
    # pages
    "a price on a page": (
        "page_list",
        text("50.17", "50.71"),
        "value html.body.main[0].section[0].article[0].p[0].#text",
    ),
    "a title of a page": ("page_cart", text("<title>Cart", "<title>Basket"), "value html.head.title.#text"),
    "a link of a page": (
        "page_list",
        text('href="/cart/"', 'href="/basket/"'),
        "value html.body.header[0].nav[0].a[1].@href",
    ),
    "a token missing in a form": (
        "page_login",
        body(lambda data: data.replace(b'name="csrfmiddlewaretoken"', b'name="token"')),
        "value html.body.main[0].section[0].form[0].input.csrfmiddlewaretoken.@name",
    ),
    "a form that is sent with GET": (
        "page_login",
        text('method="post"', 'method="get"'),
        "value html.body.main[0].section[0].form[0].@method",
    ),
    "a card missing on a page": (
        "page_list",
        body(lambda data: re.sub(rb"<article.*?</article>", b"", data, count=1, flags=re.DOTALL)),
        "missing html.body.main[0].section[0].article[0]",
    ),
    "the language of a page": ("page_cart", text('lang="en"', 'lang="de"'), "value html.@lang"),
    "a text that was escaped is not": (
        "page_cart",
        text("Your cart is empty.", "<b>Your</b> cart is empty."),
        "extra html.body.main[0].p[0].b[0]",
    ),
    "a sorting link less": (
        "page_list",
        text('<a href="?order=name">name</a>', ""),
        "missing html.body.main[0].div[0].p[0].a[3]",
    ),
}
