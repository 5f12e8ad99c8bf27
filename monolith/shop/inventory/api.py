"""Stock over HTTP: everybody may ask, staff counts."""

from django.db import transaction
from django.db.models import QuerySet
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from shop.inventory.holding import lock
from shop.inventory.models import Stock
from shop.inventory.serializers import StockSerializer
from shop.permissions import ReadOnlyUnlessStaff


class StockView(RetrieveUpdateAPIView):
    """The stock of one product."""

    queryset = Stock.objects.all()
    serializer_class = StockSerializer
    permission_classes = [ReadOnlyUnlessStaff]
    lookup_field = "product_id"

    def get_queryset(self) -> QuerySet[Stock]:
        stocks = super().get_queryset()
        if self.request.method in SAFE_METHODS:
            stocks = stocks.filter(product__is_active=True)
        return stocks

    def update(self, request: Request, *args: object, **kwargs: object) -> Response:
        with transaction.atomic():
            lock([self.kwargs["product_id"]])  # a count and a checkout must not overwrite each other
            return super().update(request, *args, **kwargs)
