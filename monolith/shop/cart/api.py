"""The cart over HTTP, for everybody: an anonymous visitor has one too."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.mixins import DestroyModelMixin, UpdateModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from shop.cart.filling import add, cart_of, change, open_cart
from shop.cart.models import CartLine
from shop.cart.serializers import CartLineSerializer, CartSerializer, NewLineSerializer

EMPTY = {"lines": [], "total": "0.00", "currency": None}


class CartView(APIView):
    """One's cart. Looking at it makes none."""

    permission_classes = [AllowAny]

    @extend_schema(responses=CartSerializer)
    def get(self, request: Request) -> Response:
        cart = cart_of(request)
        return Response(CartSerializer(cart).data if cart else EMPTY)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        cart = cart_of(request)
        if cart:
            cart.lines.all().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class CartLineViewSet(UpdateModelMixin, DestroyModelMixin, GenericViewSet):
    """The lines of one's cart; somebody else's do not exist."""

    queryset = CartLine.objects.select_related("product")
    serializer_class = CartLineSerializer
    permission_classes = [AllowAny]

    def get_queryset(self) -> QuerySet[CartLine]:
        cart = cart_of(self.request)
        return super().get_queryset().filter(cart=cart) if cart else CartLine.objects.none()

    @extend_schema(request=NewLineSerializer, responses={201: CartSerializer})
    def create(self, request: Request) -> Response:
        line = NewLineSerializer(data=request.data)
        line.is_valid(raise_exception=True)
        add(open_cart(request), **line.validated_data)
        return Response(CartSerializer(cart_of(request)).data, status=status.HTTP_201_CREATED)

    def perform_update(self, serializer: CartLineSerializer) -> None:
        change(serializer.instance, serializer.validated_data.get("quantity", serializer.instance.quantity))
