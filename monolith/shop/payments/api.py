"""Payments over HTTP: what was paid for an order, and paying one that was left open."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from shop.orders.access import orders_readable_by
from shop.orders.checkout import pay
from shop.orders.models import Order
from shop.payments.models import Payment
from shop.payments.serializers import CardSerializer, PaymentSerializer


class PaymentsView(GenericAPIView):
    """The payments of one order."""

    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Payment]:
        return super().get_queryset().filter(order=self.kwargs["order_id"])

    @extend_schema(responses=PaymentSerializer(many=True))
    def get(self, request: Request, order_id: int) -> Response:
        get_object_or_404(orders_readable_by(request.user), pk=order_id)
        return Response(self.get_serializer(self.get_queryset(), many=True).data)

    @extend_schema(request=CardSerializer, responses={201: PaymentSerializer})
    def post(self, request: Request, order_id: int) -> Response:
        order = get_object_or_404(Order, pk=order_id, user=request.user)
        card = CardSerializer(data=request.data)
        card.is_valid(raise_exception=True)
        payment = pay(order.pk, card.validated_data["card_number"])
        return Response(self.get_serializer(payment).data, status=status.HTTP_201_CREATED)
