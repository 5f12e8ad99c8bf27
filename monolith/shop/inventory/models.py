"""Stock, one row a product, and what is held back of it."""

from django.db import models


class Stock(models.Model):
    """How many of a product lie on the shelf, and how many of those are held back."""

    # hard: a foreign key into another app's table
    product = models.OneToOneField("catalog.Product", on_delete=models.CASCADE, related_name="stock")
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["product_id"]
        verbose_name_plural = "stock"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reserved__lte=models.F("on_hand")), name="inventory_stock_not_oversold"
            )
        ]

    def __str__(self) -> str:
        return f"product {self.product_id}: {self.on_hand} on hand, {self.reserved} reserved"

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class Reservation(models.Model):
    """So many of a product, held back for an order that is not paid yet."""

    stock = models.ForeignKey(Stock, on_delete=models.CASCADE, related_name="reservations")
    # hard: inventory knows orders and orders know inventory; neither can leave alone
    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="reservations")
    quantity = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["stock", "order"], name="inventory_reservation_once")]

    def __str__(self) -> str:
        return f"{self.quantity} for order {self.order_id}"
