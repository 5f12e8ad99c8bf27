"""Take out of the carts what the catalog's service deleted."""

from shop.cart.models import CartLine
from strangler.django.events.receiving import Event, receives


@receives("catalog.product.deleted")
def empty_the_carts_of_it(event: Event) -> None:
    """Delete every cart line of a product that is gone."""
    CartLine.objects.filter(product_id=event.data["id"]).delete()
