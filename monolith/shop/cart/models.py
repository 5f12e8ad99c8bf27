"""Carts: a user's own, or an anonymous visitor's, known to the session alone."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

LARGEST_QUANTITY = 99


class Cart(models.Model):
    """What one visitor means to buy."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="cart"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return f"cart {self.pk}"

    @property
    def total(self) -> Decimal:
        """The sum at today's prices; costs no query once `lines__product` is prefetched."""
        return sum((line.total for line in self.lines.all()), Decimal("0.00"))

    @property
    def currency(self) -> str | None:
        return next((line.product.currency for line in self.lines.all()), None)


class CartLine(models.Model):
    """So many of one product."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    # hard: a foreign key into another app's table
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="cart_lines")
    quantity = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_QUANTITY)]
    )

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["cart", "product"], name="cart_cartline_once")]

    def __str__(self) -> str:
        return f"{self.quantity} of product {self.product_id}"

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity
