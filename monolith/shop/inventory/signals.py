"""Keep one stock row a product, whoever creates the product."""

from django.db.models.signals import post_save
from django.dispatch import receiver

from shop.catalog.models import Product
from shop.inventory.models import Stock


# hard: a signal that crosses apps: the catalog writes a table it does not know, in its own transaction
@receiver(post_save, sender=Product)
def give_product_a_stock_row(instance: Product, created: bool, raw: bool, **kwargs: object) -> None:
    """Add an empty stock row for a new product; fixtures bring their own."""
    if created and not raw:
        Stock.objects.create(product=instance)
