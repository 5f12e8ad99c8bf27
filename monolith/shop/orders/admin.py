"""Orders in the admin: to look at, and to mark as shipped."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from shop.orders.checkout import record
from shop.orders.models import Order, OrderLine, OrderStatusHistory


class LineInline(admin.TabularInline):
    """The lines of an order."""

    model = OrderLine
    raw_id_fields = ["product"]
    extra = 0


class HistoryInline(admin.TabularInline):
    """The history of an order, written by what happens to it."""

    model = OrderStatusHistory
    readonly_fields = ["status", "changed_by", "changed_at"]
    can_delete = False
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """Orders."""

    list_display = ["id", "user", "status", "total", "currency", "placed_at"]
    list_filter = ["status"]
    list_select_related = ["user"]
    raw_id_fields = ["user"]
    readonly_fields = ["status"]
    inlines = [LineInline, HistoryInline]
    actions = ["ship"]

    @admin.action(description="Mark the selected paid orders as shipped", permissions=["change"])
    @transaction.atomic
    def ship(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        paid = list(queryset.select_for_update(of=("self",)).filter(status=Order.Status.PAID))
        for order in paid:
            record(order, Order.Status.SHIPPED, request.user)
        self.message_user(request, f"{len(paid)} orders are shipped.", messages.SUCCESS)
