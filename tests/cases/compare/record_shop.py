"""Record the shop's answers as raw HTTP files: `python -m tests.cases.compare.record_shop` fills `shop/`.

Made once and kept: the corpus that defects are planted in must not change under the tests.
"""

import os
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).with_name("shop")
ANONYMOUS = {
    "products": "/api/products/?page_size=5",
    "products_last": "/api/products/?page_size=5&page=6",
    "product": "/api/products/3/",
    "product_unknown": "/api/products/999/",
    "categories": "/api/categories/",
    "category": "/api/categories/2/",
    "reviews": "/api/reviews/?page_size=4",
    "stock": "/api/stock/3/",
    "slash_missing": "/api/products",
    "orders_refused": "/api/orders/",
    "page_list": "/",
    "page_product": None,
    "page_login": "/login/",
}
SIGNED_IN = {
    "me": "/api/accounts/me/",
    "orders": "/api/orders/",
    "cart": "/api/cart/",
    "page_cart": "/cart/",
    "page_orders": "/orders/",
}


def main() -> None:
    """Seed a shop of its own, ask it, write the files."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MONOLITH_DATABASE_URL"] = f"sqlite:///{folder}/shop.sqlite3"
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        sys.path.insert(0, "monolith")
        _record()


def _record() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("seed", products=30, orders=8, seed=1, verbosity=0)
    from shop.catalog.models import Product

    settings.ALLOWED_HOSTS = ["shop.test"]
    client = Client(SERVER_NAME="shop.test", raise_request_exception=False)
    for name, path in ANONYMOUS.items():
        _write(name, client.get(path or f"/products/{Product.objects.get(pk=3).slug}/"))
    _write("method_refused", client.delete("/api/stock/3/"))
    wrong = {"username": "", "password": "x"}
    _write("login_invalid", client.post("/api/accounts/login/", wrong, "application/json"))
    right = {"username": "customer1", "password": "strangler"}
    _write("login", client.post("/api/accounts/login/", right, "application/json"))
    for name, path in SIGNED_IN.items():
        _write(name, client.get(path))


def _write(name: str, answer) -> None:
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"]
    lines += [f"{key}: {value}" for key, value in answer.headers.items() if key != "Content-Length"]
    lines += [f"Set-Cookie: {morsel.OutputString()}" for morsel in answer.cookies.values()]
    lines.append(f"Content-Length: {len(answer.content)}")
    head = "\r\n".join(lines).encode("latin-1")
    (FOLDER / f"{name}.http").write_bytes(head + b"\r\n\r\n" + answer.content)
    print(f"{answer.status_code} {len(answer.content):>6} {name}")


if __name__ == "__main__":
    main()
