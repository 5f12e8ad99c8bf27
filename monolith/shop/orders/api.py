"""Orders over HTTP: one's own, all of them for staff and support; checkout and cancelling."""

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle
from rest_framework.viewsets import ReadOnlyModelViewSet

from shop.cart.filling import open_cart
from shop.orders.access import orders_readable_by
from shop.orders.checkout import cancel, place
from shop.orders.models import Order
from shop.orders.serializers import CheckoutSerializer, OrderListSerializer, OrderSerializer


class OrderViewSet(ReadOnlyModelViewSet):
    """Orders."""

    queryset = Order.objects.all()
    filter_backends = [DjangoFilterBackend]
    filterset_fields = ["status"]
    throttle_scope = "checkout"

    def get_queryset(self) -> QuerySet[Order]:
        orders = orders_readable_by(self.request.user)
        return orders if self.action == "list" else orders.prefetch_related("lines", "history")

    def get_serializer_class(self) -> type[serializers.ModelSerializer]:
        return OrderListSerializer if self.action == "list" else OrderSerializer

    def get_throttles(self) -> list[BaseThrottle]:
        return [ScopedRateThrottle()] if self.action == "create" else []

    @extend_schema(request=CheckoutSerializer, responses={201: OrderSerializer})
    def create(self, request: Request) -> Response:
        """Order what is in the cart."""
        checkout = CheckoutSerializer(data=request.data, context=self.get_serializer_context())
        checkout.is_valid(raise_exception=True)
        card_number = checkout.validated_data.get("card_number")
        order = place(request.user, open_cart(request), checkout.destination, card_number)
        return Response(self.get_serializer(order).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=OrderSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel an order that was not shipped; the customer may, and staff."""
        order = self.get_object()
        if order.user_id != request.user.pk and not request.user.is_staff:
            self.permission_denied(request)
        cancel(order.pk, request.user)
        return Response(self.get_serializer(self.get_object()).data)
