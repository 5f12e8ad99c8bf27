"""The JSON of payments."""

from django.core.validators import RegexValidator
from rest_framework import serializers

from shop.payments.models import Payment


class CardSerializer(serializers.Serializer):
    """A card to be charged; it is passed on to the provider and kept nowhere."""

    card_number = serializers.CharField(
        write_only=True, validators=[RegexValidator(r"^\d{12,19}\Z", "Enter 12 to 19 digits.")]
    )


class PaymentSerializer(serializers.ModelSerializer):
    """What was paid."""

    class Meta:
        model = Payment
        fields = ["id", "order", "amount", "currency", "status", "reference", "card_ending", "created_at"]
        read_only_fields = fields
