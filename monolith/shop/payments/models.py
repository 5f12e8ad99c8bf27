"""What was paid for which order."""

from django.db import models


class Payment(models.Model):
    """Money that was taken, and perhaps given back."""

    class Status(models.TextChoices):
        CAPTURED = "captured"
        REFUNDED = "refunded"

    # hard: a foreign key into another app's table
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, choices=Status, default=Status.CAPTURED)
    reference = models.CharField(max_length=64, unique=True)
    card_ending = models.CharField(max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.status}"
