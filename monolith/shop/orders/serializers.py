"""The JSON of orders."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from shop.accounts.models import Address
from shop.orders.checkout import Destination
from shop.orders.models import Order, OrderLine, OrderStatusHistory
from shop.payments.serializers import CardSerializer


class OrderLineSerializer(serializers.ModelSerializer):
    """A line as it was sold."""

    total = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)

    class Meta:
        model = OrderLine
        fields = ["product", "sku", "name", "unit_price", "quantity", "total"]


class HistorySerializer(serializers.ModelSerializer):
    """A status and when it came."""

    class Meta:
        model = OrderStatusHistory
        fields = ["status", "changed_at"]


class OrderListSerializer(serializers.ModelSerializer):
    """An order as lists show it."""

    class Meta:
        model = Order
        fields = ["id", "user", "status", "currency", "total", "placed_at", "updated_at"]


class OrderSerializer(serializers.ModelSerializer):
    """An order in full."""

    ship_to = serializers.SerializerMethodField()
    lines = OrderLineSerializer(many=True)
    history = HistorySerializer(many=True)

    class Meta:
        model = Order
        fields = [*OrderListSerializer.Meta.fields, "ship_to", "lines", "history"]

    def get_ship_to(self, order: Order) -> dict[str, str]:
        return {
            "name": order.ship_name,
            "street": order.ship_street,
            "postcode": order.ship_postcode,
            "city": order.ship_city,
            "country": order.ship_country,
        }


class DestinationSerializer(serializers.Serializer):
    """An address written out for one order."""

    name = serializers.CharField(max_length=150)
    street = serializers.CharField(max_length=200)
    postcode = serializers.CharField(max_length=20)
    city = serializers.CharField(max_length=100)
    country = serializers.CharField(
        validators=[RegexValidator(r"^[A-Z]{2}\Z", "Enter a two-letter country code, such as DE.")]
    )


class CheckoutSerializer(CardSerializer):
    """Where to, and with which card; without a card the stock is held until the order is paid."""

    address = serializers.PrimaryKeyRelatedField(queryset=Address.objects.none(), required=False)
    ship_to = DestinationSerializer(required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["card_number"].required = False
        if "request" in self.context:
            fields["address"].queryset = Address.objects.filter(user=self.context["request"].user.pk)
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("address" in attrs) == ("ship_to" in attrs):
            raise serializers.ValidationError('Give either "address" or "ship_to".')
        return attrs

    @property
    def destination(self) -> Destination:
        """Where the order goes, once the data is valid."""
        address = self.validated_data.get("address")
        if address is None:
            return Destination(**self.validated_data["ship_to"])
        return Destination(address.name, address.street, address.postcode, address.city, address.country)
