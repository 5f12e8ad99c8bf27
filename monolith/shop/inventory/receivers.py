"""Keep the stock in step with the products that the catalog's service makes and deletes."""

from shop.catalog.models import Product
from shop.inventory.models import Stock
from strangler.django.events.receiving import Event, Later, receives, was_heard

CREATED = "catalog.product.created"
DELETED = "catalog.product.deleted"


@receives(CREATED)
def give_product_a_stock_row(event: Event) -> None:
    """Add an empty stock row, once the product itself has come across."""
    product = event.data["id"]
    if was_heard(DELETED, event.subject):
        return
    if not Product.objects.filter(pk=product).exists():
        raise Later(f"product {product} is not in this database yet")
    Stock.objects.get_or_create(product_id=product)


@receives(DELETED)
def take_the_stock_row_away(event: Event) -> None:
    """Delete the stock of a product that is gone, and what was held back of it."""
    Stock.objects.filter(product_id=event.data["id"]).delete()
