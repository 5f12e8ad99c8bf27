"""What differs between two frameworks that say the same: each as answer, change, and the verdict it keeps."""

import gzip
import json
import zlib

import brotli
import msgspec

from proxy.pairs import Response
from tests.cases.compare.shop_answers import Change, body, header, status, text, tree


def _respelled(**how) -> Change:
    return body(lambda data: json.dumps(json.loads(data), **how).encode())


def _coded(name: str, code) -> Change:
    return lambda answer: header("Content-Encoding", new=name)(body(code)(answer))


def _lines_reordered(answer: Response) -> Response:
    return msgspec.structs.replace(answer, headers=tuple(reversed(answer.headers)))


def _names_lowered(answer: Response) -> Response:
    return msgspec.structs.replace(
        answer, headers=tuple((name.lower(), value) for name, value in answer.headers)
    )


def _both(*changes: Change) -> Change:
    def change(answer: Response) -> Response:
        for each in changes:
            answer = each(answer)
        return answer

    return change


def _members_reversed(document) -> None:
    for row in document["results"]:
        members = list(row.items())
        row.clear()
        row.update(reversed(members))


HARMLESS: dict[str, tuple[str, Change]] = {
    # spelling of JSON
    "keys are sorted": ("products", _respelled(sort_keys=True, ensure_ascii=False)),
    "members of rows in another order": ("products", tree(_members_reversed)),
    "letters are escaped": ("products", _respelled(ensure_ascii=True)),
    "JSON is indented": ("product", _respelled(indent=2, ensure_ascii=False)),
    "a trailing line feed": ("product", body(lambda data: data + b"\n")),
    "spaces after colons": ("orders", _respelled(separators=(", ", ": "), ensure_ascii=False)),
    "a slash is escaped": ("products", body(lambda data: data.replace(b"/", b"\\/"))),
    "an escape in capitals": ("products", text("grün", "gr\\u00FCn")),
    "Flask's whole way": ("products", _both(_respelled(sort_keys=True), body(lambda data: data + b"\n"))),
    # framing
    "gzip": ("products", _coded("gzip", gzip.compress)),
    "gzip of another level": ("products", _coded("gzip", lambda data: gzip.compress(data, 1))),
    "deflate": ("products", _coded("deflate", zlib.compress)),
    "brotli": ("products", _coded("br", brotli.compress)),
    "gzip on a page, with its Vary": (
        "page_list",
        _both(_coded("gzip", gzip.compress), header("Vary", "Cookie", "Cookie, Accept-Encoding")),
    ),
    "chunked instead of a length": (
        "products",
        _both(header("Content-Length"), header("Transfer-Encoding", new="chunked")),
    ),
    "a weak ETag": ("products", header("ETag", '"', 'W/"')),
    "another server": ("products", header("Server", new="gunicorn")),
    "a date": ("products", header("Date", new="Wed, 25 Nov 2026 21:41:10 GMT")),
    "a kept connection": ("products", header("Connection", new="keep-alive")),
    "a request id": ("products", header("X-Request-ID", new="abc")),
    # heads
    "fields in another order": ("login", _lines_reordered),
    "field names in lower case": ("login", _names_lowered),
    "charset of JSON": ("product", header("Content-Type", "json", "json; charset=utf-8")),
    "Allow in another order": (
        "products",
        header("Allow", "GET, POST, HEAD, OPTIONS", "OPTIONS, HEAD,POST, GET"),
    ),
    "Vary in lower case": ("products", header("Vary", "Cookie", "cookie")),
    "Cache-Control in another order": (
        "page_login",
        header("Cache-Control", "max-age=0, no-cache", "no-cache, max-age=0"),
    ),
    "Expires of a second later": ("page_login", header("Expires", ":10 GMT", ":11 GMT")),
    "an ETag made in another way": ("products", header("ETag", '"5f', '"6f')),
    "no ETag": ("products", header("ETag")),
    # cookies
    "another session": ("login", header("Set-Cookie", "sessionid=97", "sessionid=xx")),
    "attributes in another order": (
        "login",
        header("Set-Cookie", "HttpOnly; Max-Age=1209600", "Max-Age=1209600; httponly"),
    ),
    "no Expires beside Max-Age": (
        "login",
        header("Set-Cookie", "expires=Wed, 09 Dec 2026 21:41:10 GMT; ", ""),
    ),
    # pages
    "another csrf token": ("page_login", text("syuHcMfWTUon61Jb", "AAAAcMfWTUon61Jb")),
    "a comment on a page": ("page_list", text("<main>", "<!-- made by Jinja --><main>")),
    "white space between blocks": ("page_list", text("<main>", "\n\n\n   <main>  \n")),
    "attributes of a page in another order": (
        "page_list",
        text('width="240" height="180"', 'height="180" width="240"'),
    ),
    "single quotes": ("page_list", text('class="shelves"', "class='shelves'")),
    "a self-closing void element": ("page_list", text('<meta charset="utf-8">', '<meta charset="utf-8"/>')),
    "entities": ("page_list", text("·", "&middot;")),
    # URLs of the asked side itself
    "an absolute redirect": ("slash_missing", header("Location", "/api", "http://shop.test/api")),
    "an absolute link on a page": ("page_list", text('href="/cart/"', 'href="http://shop.test/cart/"')),
    # expected by a named rule, and never reported as a difference
    "Flask's status of a missing slash": ("slash_missing", status(308)),
    "an offset for Z": ("products", body(lambda data: data.replace(b'Z"', b'+00:00"'))),
    "an HTTP-date": ("stock", text("2023-01-01T00:00:00Z", "Sun, 01 Jan 2023 00:00:00 GMT")),
    "a float of an integer": ("stock", text('"reserved":0', '"reserved":0.0')),
}
