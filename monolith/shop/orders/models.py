"""Orders: what was bought, at the price of that day."""

from decimal import Decimal

from django.conf import settings
from django.db import models


class Order(models.Model):
    """A purchase. The address is copied: an order goes where it was sent, whatever changes later."""

    class Status(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment"
        PAID = "paid"
        SHIPPED = "shipped"
        CANCELLED = "cancelled"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=20, choices=Status, db_index=True)
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    ship_name = models.CharField(max_length=150)
    ship_street = models.CharField(max_length=200)
    ship_postcode = models.CharField(max_length=20)
    ship_city = models.CharField(max_length=100)
    ship_country = models.CharField(max_length=2)
    placed_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-placed_at", "-id"]
        indexes = [models.Index(fields=["-placed_at", "-id"], name="orders_order_newest")]

    def __str__(self) -> str:
        return f"order {self.pk}"

    @property
    def is_cancellable(self) -> bool:
        return self.status in (self.Status.AWAITING_PAYMENT, self.Status.PAID)


class OrderLine(models.Model):
    """So many of one product, with its name and price as they were."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    # hard: a protected foreign key into another app's table: no product that was ever sold can be deleted
    product = models.ForeignKey("catalog.Product", on_delete=models.PROTECT, related_name="order_lines")
    sku = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.name}"

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


class OrderStatusHistory(models.Model):
    """When an order came to a status, and by whom; nobody means the shop itself."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="history")
    status = models.CharField(max_length=20, choices=Order.Status)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "order status history"

    def __str__(self) -> str:
        return f"order {self.order_id}: {self.status}"
